// What one thread of a fill does. It is the body of the kernels; a test runs it
// on the host, thread by thread.
//
// `Vectors` is VsinitVectors or TensorFlowVectors: it draws the vectors of its
// stream.

#ifndef TF_VSINIT_CC_GPU_THREAD_H_
#define TF_VSINIT_CC_GPU_THREAD_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cc/gpu/plan.h"
#include "cc/stream/portability.h"

namespace tf_vsinit {

inline constexpr int kThreadsPerBlock = 256;
// A thread block fills one tile after the other: this many vectors per thread.
inline constexpr int kVectorsPerThread = 4;
inline constexpr uint64_t kVectorsPerTile =
    kThreadsPerBlock * kVectorsPerThread;

// Stores those elements of a vector that lie in the output.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void StoreVector(const OutputPlan& output,
                                              uint64_t vector,
                                              const VectorBits& bits) {
  constexpr int kElementCount = VectorTraits<T>::kElementCount;
  const uint64_t slot = vector * kElementCount;
  VectorBits* out = reinterpret_cast<VectorBits*>(output.base) + vector;
  if (output.first_slot <= slot && slot + kElementCount <= output.end_slot) {
    *out = bits;
    return;
  }
  T elements[kElementCount];
  memcpy(elements, &bits, sizeof(elements));
  TF_VSINIT_UNROLL
  for (int i = 0; i < kElementCount; ++i) {
    if (output.first_slot <= slot + i && slot + i < output.end_slot) {
      reinterpret_cast<T*>(out)[i] = elements[i];
    }
  }
}

// Fills the vectors of thread `thread` in the tile that starts at vector
// `first`. A whole tile has all its slots in the output and needs no checks.
template <bool kIsWhole, typename Vectors, typename Plan>
TF_VSINIT_HOST_DEVICE inline void FillTile(const Plan& plan,
                                           const Vectors& vectors,
                                           uint64_t first, uint32_t thread) {
  const OutputPlan& output = plan.output;
  TF_VSINIT_NO_UNROLL
  for (int n = 0; n < kVectorsPerThread; ++n) {
    const uint32_t i = n * kThreadsPerBlock + thread;
    if (!kIsWhole && first + i >= output.vectors) return;
    const VectorBits bits = vectors.Draw(plan, first, i);
    if (kIsWhole) {
      (reinterpret_cast<VectorBits*>(output.base) + first)[i] = bits;
    } else {
      StoreVector<typename Vectors::Element>(output, first + i, bits);
    }
  }
}

// Fills all vectors of thread `thread` of thread block `block` of `blocks`.
// What depends on the tile alone is uniform in the thread block, and nearly
// free.
template <typename Vectors, typename Plan>
TF_VSINIT_HOST_DEVICE inline void FillThread(const Plan& plan,
                                             const Vectors& vectors,
                                             uint64_t block, uint64_t blocks,
                                             uint32_t thread) {
  constexpr int kElementCount =
      VectorTraits<typename Vectors::Element>::kElementCount;
  const OutputPlan& output = plan.output;
  const uint64_t tiles =
      (output.vectors + kVectorsPerTile - 1) / kVectorsPerTile;
  for (uint64_t tile = block; tile < tiles; tile += blocks) {
    const uint64_t first = tile * kVectorsPerTile;
    // A box spends its time on divisions, where checks do not matter.
    const bool is_whole =
        std::is_same_v<Plan, RunPlan> &&
        output.first_slot <= first * kElementCount &&
        (first + kVectorsPerTile) * kElementCount <= output.end_slot;
    if (is_whole) {
      FillTile<true>(plan, vectors, first, thread);
    } else {
      FillTile<false>(plan, vectors, first, thread);
    }
  }
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_GPU_THREAD_H_

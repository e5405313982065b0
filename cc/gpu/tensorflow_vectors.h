// The vectors of the TensorFlow stream.
//
// A thread draws tuples: the elements that one Philox block has words for. A
// vector of 16 bytes holds one tuple, or two of a 16-bit type.

#ifndef TF_VSINIT_CC_GPU_TENSORFLOW_VECTORS_H_
#define TF_VSINIT_CC_GPU_TENSORFLOW_VECTORS_H_

#include <cstdint>
#include <cstring>

#include "cc/gpu/plan.h"
#include "cc/stream/distributions.h"
#include "cc/stream/philox.h"
#include "cc/stream/portability.h"
#include "cc/stream/sampler.h"
#include "cc/stream/tensorflow_element.h"

namespace tf_vsinit {

// Draws vectors of elements of type T.
template <typename T, Distribution kDistribution>
class TensorFlowVectors {
 public:
  using Element = T;
  using Real = typename ElementTraits<T>::Real;

  TF_VSINIT_HOST_DEVICE TensorFlowVectors(const StreamKey& key,
                                          Real limit_or_stddev)
      : key_(key), scaling_(limit_or_stddev) {}

  // Vector `first` + `i` of a run. Elements outside the output have any value.
  TF_VSINIT_HOST_DEVICE VectorBits Draw(const RunPlan& plan, uint64_t first,
                                        uint32_t i) const {
    const uint64_t tuple = plan.first_block + first * kTuples;
    return WholeTuples(tuple + i * kTuples);
  }

  // The same of a box, where a vector can start anywhere in a tuple and hold
  // parts of several runs.
  TF_VSINIT_HOST_DEVICE VectorBits Draw(const BoxPlan& plan, uint64_t first,
                                        uint32_t i) const {
    const uint64_t slot = (first + i) * kElements;
    if (plan.in_step) return WholeTuples(plan.RunAt(slot).first / kPerTuple);
    return SingleElements(plan, slot);
  }

 private:
  static constexpr int kElements = VectorTraits<T>::kElementCount;
  static constexpr int kTuples = VectorTraits<T>::kBlockCount;
  static constexpr int kPerTuple = ElementTraits<T>::kPerBlock;

  TF_VSINIT_HOST_DEVICE VectorBits WholeTuples(uint64_t first) const {
    T elements[kElements];
    TF_VSINIT_UNROLL
    for (int i = 0; i < kTuples; ++i) {
      DrawTuple(first + i, elements + i * kPerTuple);
    }
    return Packed(elements);
  }

  TF_VSINIT_HOST_DEVICE VectorBits SingleElements(const BoxPlan& plan,
                                                  uint64_t slot) const {
    T elements[kElements] = {};
    T tuple[kPerTuple];
    // Neighbours mostly share a tuple. No element has the index 2^64 - 1.
    uint64_t drawn = ~uint64_t{0};
    TF_VSINIT_NO_UNROLL
    for (int i = 0; i < kElements; ++i) {
      if (slot + i < plan.output.first_slot) continue;
      if (slot + i >= plan.output.end_slot) break;
      const uint64_t index =
          plan.RunAt(slot + i - plan.output.first_slot).first;
      if (index / kPerTuple != drawn) {
        drawn = index / kPerTuple;
        DrawTuple(drawn, tuple);
      }
      elements[i] = tuple[index % kPerTuple];
    }
    return Packed(elements);
  }

  TF_VSINIT_HOST_DEVICE static VectorBits Packed(
      const T (&elements)[kElements]) {
    VectorBits bits;
    memcpy(&bits, elements, sizeof(bits));
    return bits;
  }

  TF_VSINIT_HOST_DEVICE void DrawTuple(uint64_t tuple, T* elements) const {
    if constexpr (kDistribution == Distribution::kUniform) {
      const PhiloxBlock block = StreamBlock(key_, tuple);
      TF_VSINIT_UNROLL
      for (int i = 0; i < kPerTuple; ++i) {
        typename ElementTraits<T>::Word word;
        ElementWord(block, i, &word);
        elements[i] = scaling_.Apply(kDistribution, UniformLike(T(), word));
      }
    } else {
      constexpr bool kTruncated =
          kDistribution == Distribution::kTruncatedNormal;
      const NormalTuple<T> normals(key_, kTruncated, tuple);
      TF_VSINIT_UNROLL
      for (int i = 0; i < kPerTuple; ++i) {
        elements[i] = scaling_.Apply(kDistribution, normals.deviate[i]);
      }
    }
  }

  StreamKey key_;
  TensorFlowScaling<T> scaling_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_GPU_TENSORFLOW_VECTORS_H_

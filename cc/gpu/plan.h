// What one launch fills, as plain numbers that a kernel takes by value.
//
// The output is cut into chunks of 16 bytes, counted from the last 16-byte
// boundary at or before it. A slot is an element's place counted from there;
// the first and the last chunk may hold slots that lie outside the output.

#ifndef TF_VSINIT_CC_GPU_PLAN_H_
#define TF_VSINIT_CC_GPU_PLAN_H_

#include <cstdint>
#include <vector>

#include "cc/stream/box.h"
#include "cc/stream/element.h"
#include "cc/stream/portability.h"

// Before a loop: how a CUDA compiler unrolls it.
#if defined(__CUDA_ARCH__)
#define TF_VSINIT_UNROLL _Pragma("unroll")
#define TF_VSINIT_NO_UNROLL _Pragma("unroll 1")
#else
#define TF_VSINIT_UNROLL
#define TF_VSINIT_NO_UNROLL
#endif

namespace tf_vsinit {

inline constexpr uint64_t kChunkBytes = 16;

// How a chunk of elements of type T lies in the stream.
template <typename T>
struct ChunkTraits {
  static constexpr int kElements = kChunkBytes / sizeof(T);
  static constexpr int kWordsPerElement = 4 / ElementTraits<T>::kPerBlock;
  static constexpr int kWords = kElements * kWordsPerElement;
  static constexpr int kBlocks = kWords / 4;
};

// Division by a number that is known at launch: by multiplication with its
// reciprocal, rounded up, which is exact enough for dividends of 63 bits, or of
// 31 (Granlund and Montgomery, PLDI 1994).
class Divisor {
 public:
  Divisor() = default;

  // `divisor` is positive and below 2^63.
  explicit Divisor(uint64_t divisor) : divisor_(divisor) {
    int bits = 0;
    while ((uint64_t{1} << bits) < divisor) ++bits;
    if (bits <= 31) {
      short_multiplier_ = static_cast<uint32_t>(
          ((uint64_t{1} << (31 + bits)) - 1) / divisor + 1);
      short_shift_ = 31 + bits;
    }
    // Division by one has no reciprocal of 64 bits, and needs none.
    if (bits == 0) return;
    const auto power = static_cast<unsigned __int128>(1) << (63 + bits);
    multiplier_ = static_cast<uint64_t>((power + divisor - 1) / divisor);
    shift_ = bits - 1;
  }

  // The quotient of a dividend below 2^63, which is left its remainder.
  TF_VSINIT_HOST_DEVICE uint64_t Divide(uint64_t* dividend) const {
    uint64_t quotient;
    if (*dividend >> 31 == 0) {
      // Right also for divisors above 2^31, whose short multiplier is zero.
      quotient = *dividend * short_multiplier_ >> short_shift_;
    } else if (multiplier_ != 0) {
      quotient = HighWord(*dividend, multiplier_) >> shift_;
    } else {
      quotient = *dividend;
    }
    *dividend -= quotient * divisor_;
    return quotient;
  }

 private:
  TF_VSINIT_HOST_DEVICE static uint64_t HighWord(uint64_t a, uint64_t b) {
#if defined(__CUDA_ARCH__)
    return __umul64hi(a, b);
#else
    return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
#endif
  }

  uint64_t divisor_ = 1;
  uint64_t multiplier_ = 0;
  int32_t shift_ = 0;
  int32_t short_shift_ = 0;
  uint32_t short_multiplier_ = 0;
};

// Where the chunks go.
struct OutputPlan {
  char* base;  // the boundary that slots are counted from
  uint64_t chunks;
  uint64_t first_slot;  // of the output
  uint64_t end_slot;
};

// One run whose chunks begin where blocks of the stream begin.
struct RunPlan {
  OutputPlan output;
  uint64_t
      first_block;  // of chunk 0; wraps where that begins before the stream
};

// Any box.
struct BoxPlan {
  // Axes outside the runs. One that joins up with the axis before it is counted
  // with that, so all but the outermost are cut, their extents are at least 3,
  // and 3^40 elements are more than int64 counts.
  static constexpr int kMaxAxes = 40;

  struct Axis {
    Divisor extent;
    uint64_t stride;
  };

  OutputPlan output;
  uint64_t offset;  // stream index of the first element
  uint64_t run_length;
  Divisor run_divisor;
  // Whether every chunk lies in one run and begins where a block begins.
  bool in_step;
  int axes;
  Axis axis[kMaxAxes];  // innermost first

  // Elements from a position to the end of its run, and the stream index of the
  // position.
  TF_VSINIT_HOST_DEVICE Run RunAt(uint64_t position) const {
    uint64_t coordinate = position;
    uint64_t row = run_divisor.Divide(&coordinate);
    const uint64_t rest = run_length - coordinate;
    uint64_t index = offset + coordinate;
    TF_VSINIT_NO_UNROLL
    for (int i = 0; i < axes; ++i) {
      coordinate = row;
      // The outermost coordinate is what is left.
      row = i + 1 < axes ? axis[i].extent.Divide(&coordinate) : 0;
      index += coordinate * axis[i].stride;
    }
    return {index, rest};
  }
};

inline OutputPlan PlanOutput(uint64_t count, uint64_t element_size,
                             void* output) {
  const uint64_t misalignment =
      reinterpret_cast<uintptr_t>(output) % kChunkBytes / element_size;
  const uint64_t per_chunk = kChunkBytes / element_size;
  return {static_cast<char*>(output) - misalignment * element_size,
          (misalignment + count + per_chunk - 1) / per_chunk, misalignment,
          misalignment + count};
}

// True, with the plan, if the box is one run that begins at the same distance
// from a block of the stream as from a chunk of the output.
template <typename T>
bool PlanRun(const Box& box, void* output, RunPlan* plan) {
  if (!box.outer_axes().empty()) return false;
  plan->output = PlanOutput(box.count(), sizeof(T), output);
  const int64_t first = static_cast<int64_t>(box.offset()) -
                        static_cast<int64_t>(plan->output.first_slot);
  if (first % ElementTraits<T>::kPerBlock != 0) return false;
  plan->first_block =
      static_cast<uint64_t>(first / ElementTraits<T>::kPerBlock);
  return true;
}

// The plan of a box that has elements.
template <typename T>
BoxPlan PlanBox(const Box& box, void* output) {
  BoxPlan plan{};
  plan.output = PlanOutput(box.count(), sizeof(T), output);
  plan.offset = box.offset();
  plan.run_length = box.run_length();
  plan.run_divisor = Divisor(plan.run_length);
  constexpr uint64_t kPerBlock = ElementTraits<T>::kPerBlock;
  plan.in_step = plan.output.first_slot == 0 && plan.offset % kPerBlock == 0 &&
                 plan.run_length % ChunkTraits<T>::kElements == 0;
  uint64_t last_extent = 0;
  for (const Box::Axis& axis : box.outer_axes()) {
    plan.in_step = plan.in_step && axis.stride % kPerBlock == 0;
    BoxPlan::Axis* last = plan.axis + plan.axes - 1;
    if (plan.axes > 0 && axis.stride == last_extent * last->stride) {
      // A step along this axis goes on where the last one ended.
      last_extent *= axis.extent;
      last->extent = Divisor(last_extent);
    } else {
      last_extent = axis.extent;
      plan.axis[plan.axes++] = {Divisor(axis.extent), axis.stride};
    }
  }
  return plan;
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_GPU_PLAN_H_

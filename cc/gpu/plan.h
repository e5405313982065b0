// What one launch fills, in plain structs that a kernel takes by value.
//
// The output is divided into vectors: the 16 bytes that one thread writes at
// once, starting at the last 16-byte boundary at or before the output. A slot
// is the number of an element counted from that boundary. The first and the
// last vector can have slots outside the output.

#ifndef TF_VSINIT_CC_GPU_PLAN_H_
#define TF_VSINIT_CC_GPU_PLAN_H_

#include <cstdint>
#include <vector>

#include "cc/stream/box.h"
#include "cc/stream/portability.h"
#include "cc/stream/rows.h"
#include "cc/stream/sampler.h"

// Put before a loop, these tell a CUDA compiler how to unroll it.
#if defined(__CUDA_ARCH__)
#define TF_VSINIT_UNROLL _Pragma("unroll")
#define TF_VSINIT_NO_UNROLL _Pragma("unroll 1")
#else
#define TF_VSINIT_UNROLL
#define TF_VSINIT_NO_UNROLL
#endif

namespace tf_vsinit {

inline constexpr uint64_t kVectorBytes = 16;

// What a vector of elements of type T consists of.
template <typename T>
struct VectorTraits {
  static constexpr int kElementCount = kVectorBytes / sizeof(T);
  static constexpr int kWordsPerElement = 4 / ElementTraits<T>::kPerBlock;
  static constexpr int kWordCount = kElementCount * kWordsPerElement;
  static constexpr int kBlockCount = kWordCount / 4;
};

// 16 bytes, moved as one.
struct alignas(16) VectorBits {
  uint32_t word[4];
};

// Divides by a number that is known at launch: multiplies by its reciprocal,
// rounded up. One reciprocal is exact enough for dividends of 63 bits, another
// for those of 31 (Granlund and Montgomery, PLDI 1994).
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
    // The reciprocal of one does not fit 64 bits, and is not needed.
    if (bits == 0) return;
    const auto power = static_cast<unsigned __int128>(1) << (63 + bits);
    multiplier_ = static_cast<uint64_t>((power + divisor - 1) / divisor);
    shift_ = bits - 1;
  }

  // Returns the quotient of a dividend below 2^63, and leaves the remainder in
  // `dividend`.
  TF_VSINIT_HOST_DEVICE uint64_t Divide(uint64_t* dividend) const {
    uint64_t quotient;
    if (*dividend >> 31 == 0) {
      // Divisors above 2^31 have the short multiplier zero, which is right.
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

// Where the elements go.
struct OutputPlan {
  char* base;  // the boundary from which slots are counted
  uint64_t vectors;
  uint64_t first_slot;  // of the output
  uint64_t end_slot;
};

// One run, with every vector starting at a block of the stream.
struct RunPlan {
  OutputPlan output;
  // The first block of vector 0. Negative, wrapped around, if the vector
  // starts before the stream.
  uint64_t first_block;
};

// Any box, or listed rows.
struct BoxPlan {
  // Axes outside the runs. An axis that continues the one inside it is merged
  // with that, so the box takes a part of every axis but the outermost, their
  // extents in the shape are at least 3, and 3^40 elements exceed int64.
  static constexpr int kMaxAxes = 40;

  struct Axis {
    Divisor extent;
    uint64_t stride;
  };

  OutputPlan output;
  uint64_t offset;  // stream index of the first element
  uint64_t run_length;
  Divisor run_divisor;
  // Whether every vector lies in one run and starts at a block.
  bool in_step;
  int axes;
  Axis axis[kMaxAxes];  // innermost first
  Rows rows;            // in device memory; without integers for a box

  // The run from a position to its end.
  TF_VSINIT_HOST_DEVICE Run RunAt(uint64_t position) const {
    uint64_t coordinate = position;
    uint64_t row = run_divisor.Divide(&coordinate);
    const uint64_t rest = run_length - coordinate;
    uint64_t index = offset + coordinate;
    if (rows.integers != nullptr) {
      return {index + rows.At(row) * run_length, rest};
    }
    TF_VSINIT_NO_UNROLL
    for (int i = 0; i < axes; ++i) {
      coordinate = row;
      // The quotient that is left is the outermost coordinate.
      row = i + 1 < axes ? axis[i].extent.Divide(&coordinate) : 0;
      index += coordinate * axis[i].stride;
    }
    return {index, rest};
  }
};

inline OutputPlan PlanOutput(uint64_t count, uint64_t element_size,
                             void* output) {
  const uint64_t misalignment =
      reinterpret_cast<uintptr_t>(output) % kVectorBytes / element_size;
  const uint64_t per_vector = kVectorBytes / element_size;
  return {static_cast<char*>(output) - misalignment * element_size,
          (misalignment + count + per_vector - 1) / per_vector, misalignment,
          misalignment + count};
}

// Plans a box that is one run and starts as far into a block of the stream as
// into a vector of the output. False for any other box.
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

// Plans any box that has elements.
template <typename T>
BoxPlan PlanBox(const Box& box, void* output) {
  BoxPlan plan{};
  plan.output = PlanOutput(box.count(), sizeof(T), output);
  plan.offset = box.offset();
  plan.run_length = box.run_length();
  plan.run_divisor = Divisor(plan.run_length);
  plan.rows = box.rows();
  constexpr uint64_t kPerBlock = ElementTraits<T>::kPerBlock;
  plan.in_step = plan.output.first_slot == 0 && plan.offset % kPerBlock == 0 &&
                 plan.run_length % VectorTraits<T>::kElementCount == 0;
  uint64_t last_extent = 0;
  for (const Box::Axis& axis : box.outer_axes()) {
    plan.in_step = plan.in_step && axis.stride % kPerBlock == 0;
    BoxPlan::Axis* last = plan.axis + plan.axes - 1;
    if (plan.axes > 0 && axis.stride == last_extent * last->stride) {
      // This axis continues the last one.
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

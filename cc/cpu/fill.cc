// Dispatches a fill to the best instruction set of the machine, at run time.

#include "cc/cpu/fill.h"

// clang-format off: this comes before Highway.
#include "cc/cpu/targets.h"
// clang-format on
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cc/cpu/fill.cc"
#include "hwy/foreach_target.h"
// foreach_target.h reads this file, and so all that follows, once per target.
#include <type_traits>

#include "cc/cpu/dispatch.h"
#include "cc/cpu/instruction_set.h"
#include "cc/cpu/runs-inl.h"
#include "cc/cpu/tensorflow_runs-inl.h"
#include "cc/cpu/tensorflow_scaling-inl.h"
#include "cc/cpu/tensorflow_tuples.h"
#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/floating_point.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {

#if TF_VSINIT_HAS_VECTORS

template <class Filler, typename T>
void FillRuns(const Sampler& sampler, const Box& box, uint64_t begin,
              uint64_t end, T* out, bool non_temporal) {
  Filler(sampler, non_temporal).Fill(box, begin, end, out);
}

template <Distribution kDistribution, typename T>
using VsinitFiller = RunFiller<T, VectorScaling<kDistribution, T>>;

template <typename T>
void FillVsinit(const Sampler& sampler, const Box& box, uint64_t begin,
                uint64_t end, T* out, bool non_temporal) {
  switch (sampler.distribution) {
    case Distribution::kUniform:
      return FillRuns<VsinitFiller<Distribution::kUniform, T>>(
          sampler, box, begin, end, out, non_temporal);
    case Distribution::kTruncatedNormal:
      return FillRuns<VsinitFiller<Distribution::kTruncatedNormal, T>>(
          sampler, box, begin, end, out, non_temporal);
    case Distribution::kUntruncatedNormal:
      return FillRuns<VsinitFiller<Distribution::kUntruncatedNormal, T>>(
          sampler, box, begin, end, out, non_temporal);
  }
}

// The wider uniforms are the same in both streams.
template <typename T>
using TensorFlowUniformFiller =
    std::conditional_t<sizeof(T) == 2,
                       RunFiller<T, TensorFlowUniformScaling<T>>,
                       VsinitFiller<Distribution::kUniform, T>>;

template <typename T>
void FillTensorFlow(const Sampler& sampler, const Box& box, uint64_t begin,
                    uint64_t end, T* out, bool non_temporal) {
  if (sampler.distribution == Distribution::kUniform) {
    return FillRuns<TensorFlowUniformFiller<T>>(sampler, box, begin, end, out,
                                                non_temporal);
  }
  if (sampler.distribution == Distribution::kTruncatedNormal) {
    return FillRuns<TensorFlowNormalFiller</*kTruncated=*/true, T>>(
        sampler, box, begin, end, out, non_temporal);
  }
  return FillRuns<TensorFlowNormalFiller</*kTruncated=*/false, T>>(
      sampler, box, begin, end, out, non_temporal);
}

template <typename T>
void FillElements(const Sampler& sampler, const Box& box, uint64_t begin,
                  uint64_t end, T* out, bool non_temporal) {
  switch (sampler.stream) {
    case Stream::kVsinit:
      return FillVsinit(sampler, box, begin, end, out, non_temporal);
    case Stream::kTensorFlow:
      return FillTensorFlow(sampler, box, begin, end, out, non_temporal);
  }
}

#else

// The scalar path.
template <typename T>
void FillElements(const Sampler& sampler, const Box& box, uint64_t begin,
                  uint64_t end, T* out, bool /*non_temporal*/) {
  if (begin == end) return;
  if (sampler.stream == Stream::kTensorFlow &&
      sampler.distribution != Distribution::kUniform) {
    return FillNormalTuples(sampler, box, begin, end, out);
  }
  Box::Cursor cursor(box, begin);
  for (uint64_t position = begin; position < end; ++position) {
    *out++ = ElementAt<T>(sampler, cursor.run().first);
    cursor.Advance(1);
  }
}

#endif  // TF_VSINIT_HAS_VECTORS

void FillTarget(const Sampler& sampler, ElementType type, const Box& box,
                uint64_t begin, uint64_t end, void* out, bool non_temporal) {
  const auto fill = [&](auto* elements) {
    FillElements(sampler, box, begin, end, elements, non_temporal);
  };
  switch (type) {
    case ElementType::kHalf:
      return fill(static_cast<Half*>(out));
    case ElementType::kBfloat16:
      return fill(static_cast<Bfloat16*>(out));
    case ElementType::kFloat:
      return fill(static_cast<float*>(out));
    case ElementType::kDouble:
      return fill(static_cast<double*>(out));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tf_vsinit {

void FillBox(const Sampler& sampler, ElementType type, const Box& box,
             uint64_t begin, uint64_t end, void* out, Reuse reuse) {
  const StandardFloatingPoint standard;
  TF_VSINIT_DISPATCH(FillTarget)
  (sampler, type, box, begin, end, out, reuse == Reuse::kNotSoon);
}

double NanosecondsPerElement(const Sampler& sampler, ElementType type) {
  // Static, because asking for the instruction set takes longer than filling a
  // small tensor.
  static const double simd = InstructionSet() == "scalar" ? 40.0 : 1.0;
  const double width = type == ElementType::kDouble ? 4.0 : 1.0;
  if (sampler.distribution == Distribution::kUniform) {
    return simd * width * 0.4;
  }
  if (sampler.stream == Stream::kTensorFlow) {
    return simd * (type == ElementType::kDouble ? 4.0 : 1.5);
  }
  const bool truncated = sampler.distribution == Distribution::kTruncatedNormal;
  return simd * width * (truncated ? 0.6 : 0.8);
}

}  // namespace tf_vsinit
#endif  // HWY_ONCE

// The element at an index of the stream, one at a time. Every backend gives the
// same bits.

#ifndef TF_VSINIT_CC_STREAM_ELEMENT_H_
#define TF_VSINIT_CC_STREAM_ELEMENT_H_

#include <cstdint>
#include <type_traits>

#include "cc/stream/distributions.h"
#include "cc/stream/philox.h"
#include "cc/stream/portability.h"
#include "cc/stream/rounding.h"
#include "cc/stream/sampler.h"
#include "cc/stream/tensorflow_element.h"

namespace tf_vsinit {

TF_VSINIT_HOST_DEVICE inline float TruncateTo(float value, Half) {
  return TruncateToHalf(value);
}
TF_VSINIT_HOST_DEVICE inline float TruncateTo(float value, Bfloat16) {
  return TruncateToBfloat16(value);
}

// The smallest and the largest value of a 16-bit type in [-limit, limit); zero
// twice if the limit is zero.
template <typename T>
struct UniformRange {
  TF_VSINIT_HOST_DEVICE explicit UniformRange(float limit) {
    const uint32_t bits = BitCast<uint32_t>(limit);
    const float below_limit = BitCast<float>(bits == 0 ? 0 : bits - 1);
    // A difference of zero is +0. So neither bound is -0, and it does not
    // matter how a minimum or maximum orders the two zeros.
    low = 0.0f - TruncateTo(limit, T());
    high = TruncateTo(below_limit, T());
  }

  float low;
  float high;
};

// Scales standard deviates: r (limit - -limit) + -limit for a uniform, z stddev
// for a normal. Values of the 16-bit types are not yet rounded, but rounding
// keeps a uniform in its range.
template <typename T>
class Scaling {
 public:
  using Real = typename ElementTraits<T>::Real;

  TF_VSINIT_HOST_DEVICE explicit Scaling(Real limit_or_stddev)
      : factor_(limit_or_stddev), range_(limit_or_stddev) {}

  TF_VSINIT_HOST_DEVICE Real Apply(Distribution distribution,
                                   Real deviate) const {
    if (distribution != Distribution::kUniform) return deviate * factor_;
    const Real product = deviate * (factor_ - -factor_);
    const Real value = product + -factor_;
    if constexpr (sizeof(T) == 2) {
      return ::fminf(::fmaxf(value, range_.low), range_.high);
    } else {
      return value;
    }
  }

 private:
  // Only the 16-bit types have a range to keep.
  struct NoRange {
    TF_VSINIT_HOST_DEVICE explicit NoRange(Real) {}
  };

  Real factor_;
  std::conditional_t<sizeof(T) == 2, UniformRange<T>, NoRange> range_;
};

// Element `index` of a variable, row-major in the full shape.
template <typename T>
TF_VSINIT_HOST_DEVICE inline T ElementAt(const Sampler& sampler,
                                         uint64_t index) {
  if (sampler.stream == Stream::kTensorFlow) {
    return TensorFlowElementAt<T>(sampler, index);
  }
  using Traits = ElementTraits<T>;
  using Real = typename Traits::Real;
  const PhiloxBlock block = StreamBlock(sampler.key, index / Traits::kPerBlock);
  typename Traits::Word word;
  ElementWord(block, static_cast<int>(index % Traits::kPerBlock), &word);
  const Scaling<T> scaling(static_cast<Real>(sampler.limit_or_stddev));
  T value;
  RoundTo(scaling.Apply(sampler.distribution,
                        StandardDeviate(sampler.distribution, word)),
          &value);
  return value;
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_ELEMENT_H_

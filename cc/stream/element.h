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

namespace tf_vsinit {

// The 16-bit types, as distinct types for templates.
struct Half {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};

// What an element depends on besides its index.
struct Sampler {
  StreamKey key;
  Distribution distribution;
  // The limit of a uniform, or the standard deviation of a normal before it is
  // truncated.
  double limit_or_stddev;
};

// The type that an element is computed in, the word that it takes, and how many
// of these a Philox block holds.
template <typename T>
struct ElementTraits {
  using Real = float;
  using Word = uint32_t;
  static constexpr int kPerBlock = 4;
};
template <>
struct ElementTraits<double> {
  using Real = double;
  using Word = uint64_t;
  static constexpr int kPerBlock = 2;
};

TF_VSINIT_HOST_DEVICE inline void RoundTo(float value, Half* out) {
  out->bits = RoundToHalf(value);
}
TF_VSINIT_HOST_DEVICE inline void RoundTo(float value, Bfloat16* out) {
  out->bits = RoundToBfloat16(value);
}
TF_VSINIT_HOST_DEVICE inline void RoundTo(float value, float* out) {
  *out = value;
}
TF_VSINIT_HOST_DEVICE inline void RoundTo(double value, double* out) {
  *out = value;
}

// The word of element `lane` of a block.
TF_VSINIT_HOST_DEVICE inline void ElementWord(const PhiloxBlock& block,
                                              int lane, uint32_t* word) {
  *word = block.word[lane];
}
TF_VSINIT_HOST_DEVICE inline void ElementWord(const PhiloxBlock& block,
                                              int lane, uint64_t* word) {
  *word = uint64_t{block.word[2 * lane]} << 32 | block.word[2 * lane + 1];
}

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

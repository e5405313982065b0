// The element at an index of the stream: the scalar truth for every backend.

#ifndef TF_VSINIT_CC_STREAM_ELEMENT_H_
#define TF_VSINIT_CC_STREAM_ELEMENT_H_

#include <cstdint>

#include "cc/stream/distributions.h"
#include "cc/stream/philox.h"
#include "cc/stream/portability.h"
#include "cc/stream/rounding.h"

namespace tf_vsinit {

// Storage of the 16-bit types; tags, so that a template can tell them apart.
struct Half {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};

// What the values of a variable depend on, besides their index.
struct Sampler {
  StreamKey key;
  Distribution distribution;
  // The limit of a uniform, the standard deviation of the normal before it is
  // truncated.
  double limit_or_stddev;
};

// The type a value is computed in, and how many of them a Philox block holds.
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

// The word of `block` that element `lane` of the block is made from.
TF_VSINIT_HOST_DEVICE inline void ElementWord(const PhiloxBlock& block,
                                              int lane, uint32_t* word) {
  *word = block.word[lane];
}
TF_VSINIT_HOST_DEVICE inline void ElementWord(const PhiloxBlock& block,
                                              int lane, uint64_t* word) {
  *word = uint64_t{block.word[2 * lane]} << 32 | block.word[2 * lane + 1];
}

// Scales a standard deviate: r (hi - lo) + lo for a uniform, z stddev
// otherwise.
template <typename Real>
TF_VSINIT_HOST_DEVICE inline Real Scaled(Distribution distribution,
                                         Real limit_or_stddev, Real deviate) {
  if (distribution == Distribution::kUniform) {
    const Real range = limit_or_stddev - -limit_or_stddev;
    const Real product = deviate * range;
    return product + -limit_or_stddev;
  }
  return deviate * limit_or_stddev;
}

// Element `index` of the variable, in row-major order of its full shape.
template <typename T>
TF_VSINIT_HOST_DEVICE inline T ElementAt(const Sampler& sampler,
                                         uint64_t index) {
  using Traits = ElementTraits<T>;
  using Real = typename Traits::Real;
  const PhiloxBlock block = StreamBlock(sampler.key, index / Traits::kPerBlock);
  typename Traits::Word word;
  ElementWord(block, static_cast<int>(index % Traits::kPerBlock), &word);
  const Real deviate = StandardDeviate(sampler.distribution, word);
  T value;
  RoundTo(Scaled(sampler.distribution,
                 static_cast<Real>(sampler.limit_or_stddev), deviate),
          &value);
  return value;
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_ELEMENT_H_

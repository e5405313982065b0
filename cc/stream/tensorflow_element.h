// The element at an index of the TensorFlow stream (docs/tensorflow_stream.md).

#ifndef TF_VSINIT_CC_STREAM_TENSORFLOW_ELEMENT_H_
#define TF_VSINIT_CC_STREAM_TENSORFLOW_ELEMENT_H_

#include <cstdint>

#include "cc/stream/distributions.h"
#include "cc/stream/philox.h"
#include "cc/stream/portability.h"
#include "cc/stream/sampler.h"
#include "cc/stream/tensorflow_deviates.h"

namespace tf_vsinit {

// ---------------------------------------------------------------------------
// Scaling.

// A value rounded to an element type, but not stored in it.
TF_VSINIT_HOST_DEVICE inline float RoundedLike(Half, float value) {
  const uint32_t half = RoundToHalf(value);
  // The exponents differ by 112; the product is exact, subnormals included.
  const float magnitude = BitCast<float>((half & 0x7FFFu) << 13) * 0x1p112f;
  return half >> 15 ? -magnitude : magnitude;
}
TF_VSINIT_HOST_DEVICE inline float RoundedLike(Bfloat16, float value) {
  return BitCast<float>(static_cast<uint32_t>(RoundToBfloat16(value)) << 16);
}
TF_VSINIT_HOST_DEVICE inline float RoundedLike(float, float value) {
  return value;
}
TF_VSINIT_HOST_DEVICE inline double RoundedLike(double, double value) {
  return value;
}

// Scales deviates. Each operation is rounded to the element type.
template <typename T>
class TensorFlowScaling {
 public:
  using Real = typename ElementTraits<T>::Real;

  TF_VSINIT_HOST_DEVICE explicit TensorFlowScaling(Real limit_or_stddev)
      : factor_(RoundedLike(T(), limit_or_stddev)),
        range_(RoundedLike(T(), factor_ - -factor_)) {}

  // The factor of a normal, and the factor and the summand of a uniform.
  TF_VSINIT_HOST_DEVICE Real stddev() const { return factor_; }
  TF_VSINIT_HOST_DEVICE Real range() const { return range_; }
  TF_VSINIT_HOST_DEVICE Real low() const { return -factor_; }

  TF_VSINIT_HOST_DEVICE T Apply(Distribution distribution, Real deviate) const {
    T value;
    if (distribution == Distribution::kUniform) {
      const Real product = RoundedLike(T(), deviate * range_);
      RoundTo(product + low(), &value);
    } else {
      const Real product =
          RoundedLike(T(), RoundedLike(T(), deviate) * factor_);
      // Adding the mean, zero, makes +0 of -0.
      RoundTo(product + Real{0}, &value);
    }
    return value;
  }

 private:
  Real factor_;
  Real range_;
};

// ---------------------------------------------------------------------------
// Deviates.

// The uniform deviate of a word, in the element type.
TF_VSINIT_HOST_DEVICE inline float UniformLike(Half, uint32_t word) {
  return UniformHalf(word);
}
TF_VSINIT_HOST_DEVICE inline float UniformLike(Bfloat16, uint32_t word) {
  return UniformBfloat16(word);
}
TF_VSINIT_HOST_DEVICE inline float UniformLike(float, uint32_t word) {
  return UniformFloat(word);
}
TF_VSINIT_HOST_DEVICE inline double UniformLike(double, uint64_t word) {
  return UniformDouble(word);
}

// A tuple is the elements that one block has words for: two in float64, else
// four. Tuple n of a truncated normal reads the blocks from this many times n
// on; stock TensorFlow reserves 256 words for each element.
template <typename T>
inline constexpr uint64_t kBlocksPerTruncatedTuple =
    64 * ElementTraits<T>::kPerBlock;

// The normal deviates of a tuple, before they are rounded to a 16-bit type.
// Truncated ones are the first that lie inside two standard deviations.
template <typename T>
struct NormalTuple {
  using Real = typename ElementTraits<T>::Real;
  static constexpr int kCount = ElementTraits<T>::kPerBlock;

  TF_VSINIT_HOST_DEVICE NormalTuple(const StreamKey& key, bool truncated,
                                    uint64_t tuple) {
    uint64_t block = truncated ? tuple * kBlocksPerTruncatedTuple<T> : tuple;
    int found = 0;
    while (found < kCount) {
      const PhiloxBlock words = StreamBlock(key, block++);
      for (int pair = 0; pair < kCount / 2; ++pair) {
        typename ElementTraits<T>::Word radius, angle;
        ElementWord(words, 2 * pair, &radius);
        ElementWord(words, 2 * pair + 1, &angle);
        const NormalPair<Real> normal = BoxMuller(radius, angle);
        for (const Real candidate : normal.deviate) {
          const bool inside = -2 < candidate && candidate < 2;
          if (found < kCount && (inside || !truncated)) {
            deviate[found++] = candidate;
          }
        }
      }
    }
  }

  Real deviate[kCount];
};

// The deviate of element `index`.
template <typename T>
TF_VSINIT_HOST_DEVICE inline typename ElementTraits<T>::Real TensorFlowDeviate(
    const StreamKey& key, Distribution distribution, uint64_t index) {
  constexpr int kPerBlock = ElementTraits<T>::kPerBlock;
  const uint64_t tuple = index / kPerBlock;
  const int place = static_cast<int>(index % kPerBlock);
  if (distribution == Distribution::kUniform) {
    typename ElementTraits<T>::Word word;
    ElementWord(StreamBlock(key, tuple), place, &word);
    return UniformLike(T(), word);
  }
  const bool truncated = distribution == Distribution::kTruncatedNormal;
  return NormalTuple<T>(key, truncated, tuple).deviate[place];
}

// Element `index` of the variable, in row-major order of its full shape.
template <typename T>
TF_VSINIT_HOST_DEVICE inline T TensorFlowElementAt(const Sampler& sampler,
                                                   uint64_t index) {
  using Real = typename ElementTraits<T>::Real;
  const TensorFlowScaling<T> scaling(
      static_cast<Real>(sampler.limit_or_stddev));
  return scaling.Apply(
      sampler.distribution,
      TensorFlowDeviate<T>(sampler.key, sampler.distribution, index));
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_TENSORFLOW_ELEMENT_H_

// What an element depends on, and the types that it is computed and stored in.

#ifndef TF_VSINIT_CC_STREAM_SAMPLER_H_
#define TF_VSINIT_CC_STREAM_SAMPLER_H_

#include <cstdint>

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

// The sequences of values that a seed can define: stream version 1, or the
// values of stock TensorFlow.
enum class Stream { kVsinit, kTensorFlow };

// What an element depends on besides its index.
struct Sampler {
  StreamKey key;
  Distribution distribution;
  // The limit of a uniform, or the standard deviation of a normal before it is
  // truncated.
  double limit_or_stddev;
  Stream stream = Stream::kVsinit;
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

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_SAMPLER_H_

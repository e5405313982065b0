// The 16-bit values around a float: the nearest one, and the largest one that
// is not above it.

#ifndef TF_VSINIT_CC_STREAM_ROUNDING_H_
#define TF_VSINIT_CC_STREAM_ROUNDING_H_

#include <cstdint>

#include "cc/stream/portability.h"

namespace tf_vsinit {

// The bits of the bfloat16 nearest to a float that is not a NaN.
TF_VSINIT_HOST_DEVICE inline uint16_t RoundToBfloat16(float value) {
  const uint32_t bits = BitCast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1)) >> 16);
}

// The bits of the IEEE half nearest to a float that is not a NaN.
TF_VSINIT_HOST_DEVICE inline uint16_t RoundToHalf(float value) {
  const uint32_t bits = BitCast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  uint32_t half;
  if (magnitude >= 0x47800000u) {  // 2^16 and above, infinity included.
    half = 0x7C00u;
  } else if (magnitude < 0x38800000u) {
    // Below 2^-14, halves are multiples of 2^-24. So are floats in [0.5, 1),
    // and adding 0.5 rounds to one of them.
    half = BitCast<uint32_t>(BitCast<float>(magnitude) + 0.5f) - 0x3F000000u;
  } else {
    // Changes the bias of the exponent from 127 to 15. A carry from the
    // mantissa increments the exponent, as it should, up to infinity.
    half = (magnitude - (112u << 23) + 0xFFFu + ((magnitude >> 13) & 1)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

// The largest bfloat16 up to a finite float that is not negative.
TF_VSINIT_HOST_DEVICE inline float TruncateToBfloat16(float value) {
  return BitCast<float>(BitCast<uint32_t>(value) & 0xFFFF0000u);
}

// The largest finite half up to a finite float that is not negative.
TF_VSINIT_HOST_DEVICE inline float TruncateToHalf(float value) {
  constexpr uint32_t kLargest = 0x477FE000u;  // 65504
  const uint32_t bits = BitCast<uint32_t>(value);
  const uint32_t exponent = bits >> 23;
  if (exponent < 103) return 0.0f;  // Below 2^-24, the smallest half.
  if (bits > kLargest) return BitCast<float>(kLargest);
  // A half has 13 bits fewer than a float in its mantissa, and below 2^-14 one
  // fewer still for each power of two.
  const uint32_t dropped = exponent < 113 ? 126 - exponent : 13;
  return BitCast<float>(bits >> dropped << dropped);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_ROUNDING_H_

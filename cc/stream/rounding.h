// Rounding a float to the 16-bit types, to nearest even.

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
    // Below 2^-14 halves are multiples of 2^-24, and so is 0.5 + |value| once
    // the hardware has rounded it to float.
    half = BitCast<uint32_t>(BitCast<float>(magnitude) + 0.5f) - 0x3F000000u;
  } else {
    // Rebias the exponent (127 to 15); a carry out of the mantissa lands in the
    // exponent, where it belongs, up to infinity.
    half = (magnitude - (112u << 23) + 0xFFFu + ((magnitude >> 13) & 1)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_ROUNDING_H_

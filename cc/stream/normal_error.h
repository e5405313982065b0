// The error of float32 normal deviates, for tests.

#ifndef TF_VSINIT_CC_STREAM_NORMAL_ERROR_H_
#define TF_VSINIT_CC_STREAM_NORMAL_ERROR_H_

#include <cmath>
#include <cstdint>

namespace tf_vsinit {

// |z| minus the exact deviate of these tail bits: one Newton step from z
// towards the exact inverse, in float64 with the C library's erf and erfc.
inline double NormalError(bool truncated, uint32_t tail, double z) {
  static const double kMass = std::erf(std::sqrt(2.0));
  static const double kOutside = std::erfc(std::sqrt(2.0));
  // The probabilities on both sides of |z|, doubled; exact if not truncated.
  double central = ((0x7FFFFFFFu - tail) + 0.5) * 0x1p-31;
  double doubled_tail = (tail + 0.5) * 0x1p-31;
  if (truncated) {
    central *= kMass;
    doubled_tail = kOutside + doubled_tail * kMass;
  }
  // Twice the normal density. erf near the centre and erfc in the tail keep the
  // relative precision.
  const double density = 0.79788456080286536 * std::exp(-0.5 * z * z);
  return z < 0.6 ? (std::erf(z * M_SQRT1_2) - central) / density
                 : (doubled_tail - std::erfc(z * M_SQRT1_2)) / density;
}

// The unit in the last place of the floats around a normal number.
inline double FloatUlp(double value) {
  int exponent;
  std::frexp(value, &exponent);
  return std::ldexp(1.0, exponent - 24);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_NORMAL_ERROR_H_

// The logarithm, sine and cosine that glibc computes, to the bit, for the
// arguments of TensorFlow's normal deviates.
//
// glibc has used the functions of Arm's optimized-routines since 2.28: float64
// arithmetic, rounded to float32 at the end. The constants are those of its
// math/logf_data.c and math/sincosf_data.c (MIT). Every operation is rounded;
// fusing a product and a sum would change no result: glibc_test.cc tries all
// 2^23 arguments of each function.

#ifndef TF_VSINIT_CC_STREAM_GLIBC_H_
#define TF_VSINIT_CC_STREAM_GLIBC_H_

#include <cstdint>

#include "cc/stream/portability.h"

namespace tf_vsinit {
namespace glibc {

// log() divides [0.699, 1.398), the range of its mantissas, into 16 intervals.
// The first starts at the float with these bits, the next one 2^19 later, and
// so on. A row has 1 / c and log(c) for a point c near the middle of its
// interval.
inline constexpr uint32_t kLogFirstBits = 0x3F330000;
// clang-format off
#define TF_VSINIT_GLIBC_LOG_ROWS \
  {0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2}, \
  {0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2}, \
  {0x1.49539f0f010bp+0, -0x1.01eae7f513a67p-2}, \
  {0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3}, \
  {0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3}, \
  {0x1.25e227b0b8eap+0, -0x1.1aa2bc79c81p-3}, \
  {0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4}, \
  {0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4}, \
  {0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5}, \
  {0x1p+0, 0x0p+0}, \
  {0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5}, \
  {0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4}, \
  {0x1.b2036576afce6p-1, 0x1.526e57720db08p-3}, \
  {0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3}, \
  {0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2}, \
  {0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2}
// clang-format on

// log(1 + r) - r as r^2 times a polynomial, the lowest coefficient first.
inline constexpr double kLogPolynomial[3] = {
    -0x1.ffffef20a4123p-2, 0x1.5575b0be00b6ap-2, -0x1.00ea348b88334p-2};
inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;

// sin(x) = x + x^3 (...), cos(x) = 1 + x^2 (...), the lowest coefficient first.
inline constexpr double kSinePolynomial[3] = {
    -0x1.555545995a603p-3, 0x1.1107605230bc4p-7, -0x1.994eb3774cf24p-13};
inline constexpr double kCosinePolynomial[4] = {
    -0x1.ffffffd0c621cp-2, 0x1.55553e1068f19p-5, -0x1.6c087e89a359dp-10,
    0x1.99343027bf8c3p-16};
inline constexpr double kHalfPi = 0x1.921fb54442d18p+0;

// logf(u), u positive and finite.
TF_VSINIT_HOST_DEVICE inline float Log(float u) {
  struct alignas(16) Row {
    double reciprocal, logarithm;
  };
  static constexpr Row kRows[16] = {TF_VSINIT_GLIBC_LOG_ROWS};
  const uint32_t offset = BitCast<uint32_t>(u) - kLogFirstBits;
  const Row row = kRows[(offset >> 19) & 15];
  // u = z 2^k.
  const int32_t k = static_cast<int32_t>(offset) >> 23;
  const double z = BitCast<float>((offset & 0x7FFFFFu) + kLogFirstBits);
  const double r = z * row.reciprocal - 1.0;
  const double base = row.logarithm + k * kLn2;
  const double r2 = r * r;
  // nvcc rejects an element of a host array in an assignment.
  const double low = kLogPolynomial[1] * r + kLogPolynomial[0];
  const double sum = kLogPolynomial[2] * r2 + low;
  return static_cast<float>(sum * r2 + (base + r));
}

template <typename Real>
struct SineCosine {
  Real sine, cosine;
};

// The sine and the cosine of an angle plus `quarters` quarter turns, from those
// of the angle.
template <typename Real>
TF_VSINIT_HOST_DEVICE inline SineCosine<Real> Turned(Real sine, Real cosine,
                                                     uint32_t quarters) {
  switch (quarters & 3) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

// sinf(v) and cosf(v), where v is within pi / 4, or a little more, of
// `quarters` quarter turns.
TF_VSINIT_HOST_DEVICE inline SineCosine<float> SinCos(float v,
                                                      uint32_t quarters) {
  const double x = v - quarters * kHalfPi;
  const double x2 = x * x;
  const double x3 = x * x2;
  const double x4 = x2 * x2;
  const double high_sine = kSinePolynomial[1] + x2 * kSinePolynomial[2];
  const double low_sine = x + x3 * kSinePolynomial[0];
  const float sine = static_cast<float>(low_sine + (x3 * x2) * high_sine);
  const double high_cosine = kCosinePolynomial[2] + x2 * kCosinePolynomial[3];
  const double low_cosine =
      (1.0 + x2 * kCosinePolynomial[0]) + x4 * kCosinePolynomial[1];
  const float cosine = static_cast<float>(low_cosine + (x4 * x2) * high_cosine);
  return Turned(sine, cosine, quarters);
}

}  // namespace glibc
}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_GLIBC_H_

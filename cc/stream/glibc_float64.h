// The float64 logarithm, sine and cosine that glibc computes on processors with
// FMA instructions, to the bit, for the arguments of TensorFlow's normal
// deviates.
//
// log is that of Arm's optimized-routines (math/log.c), which glibc has used
// since 2.28; sin and cos are those of IBM's Accurate Mathematical Library.
// Products and sums are fused where written.

#ifndef TF_VSINIT_CC_STREAM_GLIBC_FLOAT64_H_
#define TF_VSINIT_CC_STREAM_GLIBC_FLOAT64_H_

#include <cmath>
#include <cstdint>

#include "cc/stream/glibc.h"
#include "cc/stream/glibc_float64_tables.h"
#include "cc/stream/portability.h"

namespace tf_vsinit {
namespace glibc {

// The bits of 0.6875, the first number of the table's 128 intervals.
inline constexpr uint64_t kLog64FirstBits = 0x3FE6000000000000;
// From here to 1, the logarithm is a polynomial in u - 1.
inline constexpr double kLog64NearOne = 1 - 0x1p-4;
// log(1 + r), the coefficient of r^2 first. The coefficients are macros as
// well, because device code cannot refer to an array of the host.
// clang-format off
#define TF_VSINIT_GLIBC_LOG64_POLYNOMIAL \
  -0x1.0000000000001p-1, 0x1.555555551305bp-2, -0x1.fffffffeb459p-3, \
  0x1.999b324f10111p-3, -0x1.55575e506c89fp-3
#define TF_VSINIT_GLIBC_LOG64_NEAR_ONE_POLYNOMIAL \
  -0x1p-1, 0x1.5555555555577p-2, -0x1.ffffffffffdcbp-3, \
  0x1.999999995dd0cp-3, -0x1.55555556745a7p-3, 0x1.24924a344de3p-3, \
  -0x1.fffffa4423d65p-4, 0x1.c7184282ad6cap-4, -0x1.999eb43b068ffp-4, \
  0x1.78182f7afd085p-4, -0x1.5521375d145cdp-4
// clang-format on
inline constexpr double kLog64Polynomial[] = {TF_VSINIT_GLIBC_LOG64_POLYNOMIAL};
inline constexpr double kLog64NearOnePolynomial[] = {
    TF_VSINIT_GLIBC_LOG64_NEAR_ONE_POLYNOMIAL};
// log(2): the product of the first part and an exponent is exact.
inline constexpr double kLn2High = 0x1.62e42fefa38p-1;
inline constexpr double kLn2Low = 0x1.ef35793c7673p-45;

// log(u), u in [0.9375, 1).
TF_VSINIT_HOST_DEVICE inline double LogNearOne(double u) {
  constexpr double c[11] = {TF_VSINIT_GLIBC_LOG64_NEAR_ONE_POLYNOMIAL};
  const double r = u - 1.0;
  const double r2 = r * r;
  const double r3 = r * r2;
  const auto quadratic = [&](int first) {
    return FusedMultiplyAdd(r2, c[first + 2],
                            FusedMultiplyAdd(r, c[first + 1], c[first]));
  };
  double sum = FusedMultiplyAdd(r3, c[10], quadratic(7));
  sum = FusedMultiplyAdd(r3, sum, quadratic(4));
  sum = FusedMultiplyAdd(r3, sum, quadratic(1));
  // r + c[0] r^2 as the sum of two numbers, from the upper half of r's bits.
  const double shifted = r * 0x1p27;
  const double r_high = (r + shifted) - shifted;
  const double r_low = r - r_high;
  const double square = r_high * r_high * c[0];
  const double high = r + square;
  double low = (r - high) + square;
  low = FusedMultiplyAdd(c[0] * r_low, r_high + r, low);
  return FusedMultiplyAdd(r3, sum, low) + high;
}

// log(u), u in (0, 1) and normal.
TF_VSINIT_HOST_DEVICE inline double Log(double u) {
  struct alignas(16) Row {
    double reciprocal, logarithm;
  };
  static constexpr Row kRows[128] = {TF_VSINIT_GLIBC_LOG64_ROWS};
  if (u >= kLog64NearOne) return LogNearOne(u);
  const uint64_t offset = BitCast<uint64_t>(u) - kLog64FirstBits;
  const Row row = kRows[(offset >> 45) & 127];
  // u = z 2^k.
  const double k = static_cast<double>(static_cast<int64_t>(offset) >> 52);
  const double z =
      BitCast<double>((offset & 0xFFFFFFFFFFFFFu) + kLog64FirstBits);
  constexpr double c[5] = {TF_VSINIT_GLIBC_LOG64_POLYNOMIAL};
  const double r = FusedMultiplyAdd(z, row.reciprocal, -1.0);
  const double base = FusedMultiplyAdd(k, kLn2High, row.logarithm);
  const double high = base + r;
  const double low = FusedMultiplyAdd(k, kLn2Low, (base - high) + r);
  const double r2 = r * r;
  const double sum = FusedMultiplyAdd(r2, FusedMultiplyAdd(r, c[4], c[3]),
                                      FusedMultiplyAdd(r, c[2], c[1]));
  return FusedMultiplyAdd(r * r2, sum, FusedMultiplyAdd(r2, c[0], low)) + high;
}

// ---------------------------------------------------------------------------

// sin(x) = x + x^3 (...), the lowest coefficient first, below this |x|.
inline constexpr double kSine64PolynomialBelow = 0.126;
// clang-format off
#define TF_VSINIT_GLIBC_SINE64_POLYNOMIAL \
  -0x1.5555555555555p-3, 0x1.1111111110ecep-7, -0x1.a01a019db08b8p-13, \
  0x1.71de27b9a7ed9p-19, -0x1.addffc2fcdf59p-26
// clang-format on
inline constexpr double kSine64Polynomial[] = {
    TF_VSINIT_GLIBC_SINE64_POLYNOMIAL};
// For the distance from a multiple of 1 / 128: sin(x) as above, and
// 1 - cos(x) = x^2 (...).
inline constexpr double kSine64Short[2] = {-0x1.5555555555515p-3,
                                           0x1.11110e829872fp-7};
inline constexpr double kVersine64[3] = {0.5, -0x1.5555555555535p-5,
                                         0x1.6c16bedd9e239p-10};
// Adding it leaves a multiple of 1 / 128 in the lowest bits.
inline constexpr double kBigSinCos64 = 0x1.8p45;

// The sine and the cosine of a multiple of 1 / 128.
struct alignas(16) SinCos64Row {
  double sine, sine_rest, cosine, cosine_rest;
};
TF_VSINIT_HOST_DEVICE inline SinCos64Row SinCos64RowOf(double multiple) {
  static constexpr SinCos64Row kRows[] = {TF_VSINIT_GLIBC_SINCOS64_ROWS};
  return kRows[BitCast<uint64_t>(multiple) & 127];
}

// sin(x + dx), |x| up to pi / 4 and a little more.
TF_VSINIT_HOST_DEVICE inline double KernelSine(double x, double dx) {
  if (::fabs(x) < kSine64PolynomialBelow) {
    constexpr double c[5] = {TF_VSINIT_GLIBC_SINE64_POLYNOMIAL};
    const double x2 = x * x;
    double sum = FusedMultiplyAdd(c[4], x2, c[3]);
    sum = FusedMultiplyAdd(sum, x2, c[2]);
    sum = FusedMultiplyAdd(sum, x2, c[1]);
    sum = FusedMultiplyAdd(sum, x2, c[0]);
    sum = FusedMultiplyAdd(sum, x, -0.5 * dx);
    return x + FusedMultiplyAdd(sum, x2, dx);
  }
  if (x < 0) dx = -dx;
  const double multiple = kBigSinCos64 + ::fabs(x);
  const double d = ::fabs(x) - (multiple - kBigSinCos64);
  const double d2 = d * d;
  const double sine =
      d +
      FusedMultiplyAdd(
          d * d2, FusedMultiplyAdd(d2, kSine64Short[1], kSine64Short[0]), dx);
  const double versine = FusedMultiplyAdd(
      d, dx,
      d2 * FusedMultiplyAdd(d2,
                            FusedMultiplyAdd(d2, kVersine64[2], kVersine64[1]),
                            kVersine64[0]));
  const SinCos64Row row = SinCos64RowOf(multiple);
  double rest = FusedMultiplyAdd(sine, row.cosine_rest, row.sine_rest);
  rest = FusedMultiplyAdd(-row.sine, versine, rest);
  rest = FusedMultiplyAdd(row.cosine, sine, rest);
  return ::copysign(row.sine + rest, x);
}

// cos(x + dx), likewise.
TF_VSINIT_HOST_DEVICE inline double KernelCosine(double x, double dx) {
  if (x < 0) dx = -dx;
  const double multiple = kBigSinCos64 + ::fabs(x);
  const double d = (::fabs(x) - (multiple - kBigSinCos64)) + dx;
  const double d2 = d * d;
  const double sine = FusedMultiplyAdd(
      d * d2, FusedMultiplyAdd(d2, kSine64Short[1], kSine64Short[0]), d);
  const double versine =
      d2 * FusedMultiplyAdd(d2,
                            FusedMultiplyAdd(d2, kVersine64[2], kVersine64[1]),
                            kVersine64[0]);
  const SinCos64Row row = SinCos64RowOf(multiple);
  double rest = FusedMultiplyAdd(-sine, row.sine_rest, row.cosine_rest);
  rest = FusedMultiplyAdd(-row.cosine, versine, rest);
  rest = FusedMultiplyAdd(-row.sine, sine, rest);
  return row.cosine + rest;
}

// The angle minus a number of quarter turns, as the sum of two float64, once
// for the sine and once for the cosine.
struct ReducedAngle {
  double sine_x, sine_dx, cosine_x, cosine_dx;
  uint32_t quarters;
};

// An angle below kReduceFrom is not reduced. One below kReduceFullyFrom is
// reduced by one quarter turn.
inline constexpr double kReduceFrom = 0x1.b6p-1;
inline constexpr double kReduceFullyFrom = 0x1.368fdp+1;
// pi / 2 as a sum of two numbers, and of four. A product of a small integer and
// one of the first three of these is exact.
inline constexpr double kHalfPiHigh = 0x1.921fb54442d18p+0;
inline constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;
inline constexpr double kHalfPiParts[4] = {
    0x1.921fb58p+0, -0x1.dde973cp-27, -0x1.cb3b398p-55, -0x1.d747f23e32ed7p-83};

// v in [0, 2 pi].
TF_VSINIT_HOST_DEVICE inline ReducedAngle Reduce(double v) {
  if (v < kReduceFrom) return {v, 0, v, 0, 0};
  if (v < kReduceFullyFrom) {
    const double x = v - kHalfPiHigh;
    const double sine_x = x - kHalfPiLow;
    return {sine_x, (x - sine_x) - kHalfPiLow, x, -kHalfPiLow, 1};
  }
  constexpr double kMagic = 0x1.8p52;
  const double shifted =
      FusedMultiplyAdd(v, 0x1.45f306dc9c883p-1, kMagic);  // v times 2 / pi
  const double n = shifted - kMagic;
  const double y = FusedMultiplyAdd(-n, kHalfPiParts[1],
                                    FusedMultiplyAdd(-n, kHalfPiParts[0], v));
  const double z = FusedMultiplyAdd(-n, kHalfPiParts[2], y);
  const double z_rest = FusedMultiplyAdd(-n, kHalfPiParts[2], y - z);
  const double x = FusedMultiplyAdd(-n, kHalfPiParts[3], z);
  const double dx = z_rest + FusedMultiplyAdd(-n, kHalfPiParts[3], z - x);
  return {x, dx, x, dx, static_cast<uint32_t>(BitCast<uint64_t>(shifted)) & 7};
}

// sin(v) and cos(v), v in [0, 2 pi].
TF_VSINIT_HOST_DEVICE inline SineCosine<double> SinCos(double v) {
  const ReducedAngle angle = Reduce(v);
  const double sine = KernelSine(angle.sine_x, angle.sine_dx);
  const double cosine = KernelCosine(angle.cosine_x, angle.cosine_dx);
  return Turned(sine, cosine, angle.quarters);
}

}  // namespace glibc
}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_GLIBC_FLOAT64_H_

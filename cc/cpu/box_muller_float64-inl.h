// The float64 normal deviates of cc/stream/tensorflow_deviates.h, in vectors.
// Each vector operation does what one operation in cc/stream/glibc_float64.h
// does; what depends on a condition there is computed for both outcomes.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_BOX_MULLER_FLOAT64_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_BOX_MULLER_FLOAT64_INL_H_
#undef TF_VSINIT_CC_CPU_BOX_MULLER_FLOAT64_INL_H_
#else
#define TF_VSINIT_CC_CPU_BOX_MULLER_FLOAT64_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "cc/cpu/distributions-inl.h"
#include "cc/cpu/float64_tables.h"
#include "cc/cpu/rows-inl.h"
#include "cc/cpu/vectors-inl.h"
#include "cc/stream/glibc_float64.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

HWY_INLINE VF64 Splat(double value) { return hn::Set(df64, value); }

// ---------------------------------------------------------------------------
// The logarithm.

HWY_INLINE VF64 LogNearOne(VF64 u) {
  const double(&c)[11] = glibc::kLog64NearOnePolynomial;
  const VF64 r = hn::Sub(u, Splat(1.0));
  const VF64 r2 = hn::Mul(r, r);
  const VF64 r3 = hn::Mul(r, r2);
  const auto quadratic = [&](int first) HWY_ATTR {
    return hn::MulAdd(r2, Splat(c[first + 2]),
                      hn::MulAdd(r, Splat(c[first + 1]), Splat(c[first])));
  };
  VF64 sum = hn::MulAdd(r3, Splat(c[10]), quadratic(7));
  sum = hn::MulAdd(r3, sum, quadratic(4));
  sum = hn::MulAdd(r3, sum, quadratic(1));
  const VF64 shifted = hn::Mul(r, Splat(0x1p27));
  const VF64 r_high = hn::Sub(hn::Add(r, shifted), shifted);
  const VF64 r_low = hn::Sub(r, r_high);
  const VF64 square = hn::Mul(hn::Mul(r_high, r_high), Splat(c[0]));
  const VF64 high = hn::Add(r, square);
  VF64 low = hn::Add(hn::Sub(r, high), square);
  low = hn::MulAdd(hn::Mul(Splat(c[0]), r_low), hn::Add(r_high, r), low);
  return hn::Add(hn::MulAdd(r3, sum, low), high);
}

HWY_INLINE VF64 Log(VF64 u) {
  const VU64 offset =
      hn::Sub(hn::BitCast(du64, u), hn::Set(du64, glibc::kLog64FirstBits));
  VF64 row[2];
  LookUpRows(kGlibc64Rows.log,
             hn::And(hn::ShiftRight<45>(offset), hn::Set(du64, 127)), row);
  // The exponent, not negative: u is above 2^-64.
  const VU64 two52 = hn::Set(du64, 0x4330000000000000u);
  const VU64 k64 =
      hn::ShiftRight<52>(hn::Add(offset, hn::Set(du64, uint64_t{64} << 52)));
  const VF64 k =
      hn::Sub(hn::BitCast(df64, hn::Or(k64, two52)), Splat(0x1p52 + 64));
  const VF64 z = hn::BitCast(
      df64, hn::Add(hn::And(offset, hn::Set(du64, 0xFFFFFFFFFFFFFu)),
                    hn::Set(du64, glibc::kLog64FirstBits)));
  const double(&c)[5] = glibc::kLog64Polynomial;
  const VF64 r = hn::MulSub(z, row[0], Splat(1.0));
  const VF64 base = hn::MulAdd(k, Splat(glibc::kLn2High), row[1]);
  const VF64 high = hn::Add(base, r);
  const VF64 low =
      hn::MulAdd(k, Splat(glibc::kLn2Low), hn::Add(hn::Sub(base, high), r));
  const VF64 r2 = hn::Mul(r, r);
  const VF64 sum = hn::MulAdd(r2, hn::MulAdd(r, Splat(c[4]), Splat(c[3])),
                              hn::MulAdd(r, Splat(c[2]), Splat(c[1])));
  const VF64 far = hn::Add(
      hn::MulAdd(hn::Mul(r, r2), sum, hn::MulAdd(r2, Splat(c[0]), low)), high);
  return hn::IfThenElse(hn::Ge(u, Splat(glibc::kLog64NearOne)), LogNearOne(u),
                        far);
}

// ---------------------------------------------------------------------------
// The sine and the cosine of x + dx.

// What both need of an angle that is not negative.
struct NearMultiple {
  HWY_INLINE NearMultiple(VF64 x, VF64 dx_for_cosine) {
    const VF64 big = Splat(glibc::kBigSinCos64);
    const VF64 multiple = hn::Add(big, x);
    d = hn::Add(hn::Sub(x, hn::Sub(multiple, big)), dx_for_cosine);
    d2 = hn::Mul(d, d);
    d3_short = hn::MulAdd(d2, Splat(glibc::kSine64Short[1]),
                          Splat(glibc::kSine64Short[0]));
    const double(&c)[3] = glibc::kVersine64;
    versine = hn::Mul(
        d2,
        hn::MulAdd(d2, hn::MulAdd(d2, Splat(c[2]), Splat(c[1])), Splat(c[0])));
    LookUpRows(kGlibc64Rows.sincos,
               hn::And(hn::BitCast(du64, multiple), hn::Set(du64, 127)), row);
  }
  VF64 d, d2, d3_short, versine;
  VF64 row[4];  // sine, its rest, cosine, its rest
};

// dx with the sign of x taken into account.
HWY_INLINE VF64 AwayFromZero(VF64 x, VF64 dx) {
  const VU64 sign =
      hn::And(hn::BitCast(du64, x), hn::Set(du64, uint64_t{1} << 63));
  return hn::BitCast(df64, hn::Xor(hn::BitCast(du64, dx), sign));
}

HWY_INLINE VF64 KernelSine(VF64 x, VF64 dx) {
  const VF64 magnitude = hn::Abs(x);
  const VF64 away = AwayFromZero(x, dx);
  const NearMultiple near(magnitude, hn::Zero(df64));
  const VF64 sine = hn::Add(
      near.d, hn::MulAdd(hn::Mul(near.d, near.d2), near.d3_short, away));
  const VF64 versine = hn::MulAdd(near.d, away, near.versine);
  VF64 rest = hn::MulAdd(sine, near.row[3], near.row[1]);
  rest = hn::NegMulAdd(near.row[0], versine, rest);
  rest = hn::MulAdd(near.row[2], sine, rest);
  const VF64 far = hn::CopySignToAbs(hn::Add(near.row[0], rest), x);

  const double(&c)[5] = glibc::kSine64Polynomial;
  const VF64 x2 = hn::Mul(x, x);
  VF64 sum = hn::MulAdd(Splat(c[4]), x2, Splat(c[3]));
  sum = hn::MulAdd(sum, x2, Splat(c[2]));
  sum = hn::MulAdd(sum, x2, Splat(c[1]));
  sum = hn::MulAdd(sum, x2, Splat(c[0]));
  sum = hn::MulAdd(sum, x, hn::Mul(Splat(-0.5), dx));
  const VF64 small = hn::Add(x, hn::MulAdd(sum, x2, dx));
  return hn::IfThenElse(hn::Lt(magnitude, Splat(glibc::kSine64PolynomialBelow)),
                        small, far);
}

HWY_INLINE VF64 KernelCosine(VF64 x, VF64 dx) {
  const NearMultiple near(hn::Abs(x), AwayFromZero(x, dx));
  const VF64 sine = hn::MulAdd(hn::Mul(near.d, near.d2), near.d3_short, near.d);
  VF64 rest = hn::NegMulAdd(sine, near.row[1], near.row[3]);
  rest = hn::NegMulAdd(near.row[2], near.versine, rest);
  rest = hn::NegMulAdd(near.row[0], sine, rest);
  return hn::Add(near.row[2], rest);
}

// ---------------------------------------------------------------------------
// The sine and the cosine of v in [0, 2 pi].

struct ReducedAngles {
  VF64 sine_x, sine_dx, cosine_x, cosine_dx;
  VU64 quarters;
};

HWY_INLINE ReducedAngles Reduce(VF64 v) {
  // By one quarter turn.
  const VF64 x1 = hn::Sub(v, Splat(glibc::kHalfPiHigh));
  const VF64 sine_x1 = hn::Sub(x1, Splat(glibc::kHalfPiLow));
  const VF64 sine_dx1 = hn::Sub(hn::Sub(x1, sine_x1), Splat(glibc::kHalfPiLow));
  // By the nearest number of quarter turns.
  const VF64 magic = Splat(0x1.8p52);
  const VF64 shifted = hn::MulAdd(v, Splat(0x1.45f306dc9c883p-1), magic);
  const VF64 n = hn::Sub(shifted, magic);
  const double(&parts)[4] = glibc::kHalfPiParts;
  const VF64 y =
      hn::NegMulAdd(n, Splat(parts[1]), hn::NegMulAdd(n, Splat(parts[0]), v));
  const VF64 z = hn::NegMulAdd(n, Splat(parts[2]), y);
  const VF64 z_rest = hn::NegMulAdd(n, Splat(parts[2]), hn::Sub(y, z));
  const VF64 x = hn::NegMulAdd(n, Splat(parts[3]), z);
  const VF64 dx =
      hn::Add(z_rest, hn::NegMulAdd(n, Splat(parts[3]), hn::Sub(z, x)));

  const auto none = hn::Lt(v, Splat(glibc::kReduceFrom));
  const auto at_most_one = hn::Lt(v, Splat(glibc::kReduceFullyFrom));
  const auto choose = [&](VF64 if_none, VF64 if_one, VF64 if_any) HWY_ATTR {
    return hn::IfThenElse(none, if_none,
                          hn::IfThenElse(at_most_one, if_one, if_any));
  };
  const VF64 zero = hn::Zero(df64);
  return {choose(v, sine_x1, x), choose(zero, sine_dx1, dx), choose(v, x1, x),
          choose(zero, Splat(-glibc::kHalfPiLow), dx),
          hn::BitCast(du64, choose(magic, Splat(0x1.8p52 + 1), shifted))};
}

HWY_INLINE void SinCos(VF64 v, VF64& sine, VF64& cosine) {
  const ReducedAngles angle = Reduce(v);
  const VF64 sin = KernelSine(angle.sine_x, angle.sine_dx);
  const VF64 cos = KernelCosine(angle.cosine_x, angle.cosine_dx);
  const VF64 odd = hn::BitCast(df64, hn::ShiftLeft<63>(angle.quarters));
  // Bit 1 of the number of quarters is the sign of the sine, bit 1 of the next
  // number that of the cosine.
  const auto with_sign = [](VF64 value, VU64 number) HWY_ATTR {
    const VU64 sign =
        hn::And(hn::ShiftLeft<62>(number), hn::Set(du64, uint64_t{1} << 63));
    return hn::BitCast(df64, hn::Xor(hn::BitCast(du64, value), sign));
  };
  sine = with_sign(hn::IfNegativeThenElse(odd, cos, sin), angle.quarters);
  cosine = with_sign(hn::IfNegativeThenElse(odd, sin, cos),
                     hn::Add(angle.quarters, hn::Set(du64, 1)));
}

// ---------------------------------------------------------------------------

// The normal deviates of pairs of 64-bit words.
HWY_INLINE void BoxMuller(VU64 radius_words, VU64 angle_words, VF64& first,
                          VF64& second) {
  const VF64 u = hn::Max(UniformDeviate(radius_words), Splat(1e-7));
  const VF64 radius = hn::Sqrt(hn::Mul(Splat(-2.0), Log(u)));
  VF64 sine, cosine;
  SinCos(hn::Mul(UniformDeviate(angle_words), Splat(0x1.921fb54442d18p+2)),
         sine, cosine);
  first = hn::Mul(sine, radius);
  second = hn::Mul(cosine, radius);
}

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

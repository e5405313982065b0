// The float32 normal deviates of cc/stream/tensorflow_deviates.h, in vectors.
//
// Sums are fused here and in another order than there. That changes some
// float64 numbers, but no float32 result: box_muller_test.cc tries all 2^23
// radii and angles.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_BOX_MULLER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_BOX_MULLER_INL_H_
#undef TF_VSINIT_CC_CPU_BOX_MULLER_INL_H_
#else
#define TF_VSINIT_CC_CPU_BOX_MULLER_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "cc/cpu/distributions-inl.h"
#include "cc/cpu/log_tables.h"
#include "cc/cpu/rows-inl.h"
#include "cc/cpu/vectors-inl.h"
#include "cc/stream/glibc.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// float64 vectors as one of float32.
HWY_INLINE VF32 Narrowed(VF64 lower, VF64 upper) {
  const hn::Half<DF32> half;
  return hn::Combine(df32, hn::DemoteTo(half, upper),
                     hn::DemoteTo(half, lower));
}

// 2^52 plus the low kBits bits of every lane.
template <int kBits>
HWY_INLINE VF64 Two52Plus(VU64 words) {
  return hn::BitCast(df64, hn::OrAnd(hn::Set(du64, 0x4330000000000000u), words,
                                     hn::Set(du64, (1u << kBits) - 1)));
}

// ---------------------------------------------------------------------------
// The logarithm of a fraction m / 2^23, times -2. The interval of m / 2^23
// gives a point c; m r is close to 1, and `base` is -2 log(c).

#if HWY_TARGET == HWY_AVX3

// Two registers hold a column of the table of one octave, and m is brought into
// that octave.
HWY_INLINE void LookUpLog(VF64& m, VF64& r, VF64& base) {
  const VU64 bits = hn::BitCast(du64, m);
  const VU64 offset =
      hn::Sub(bits, hn::Set(du64, kLogFirstBits64 + (uint64_t{23} << 52)));
  const VU64 exponent = hn::And(offset, hn::Set(du64, uint64_t{0xFFF} << 52));
  m = hn::BitCast(df64, hn::Sub(bits, exponent));
  const auto look_up = [&](const double* column) HWY_ATTR {
    return VF64{_mm512_permutex2var_pd(hn::Load(df64, column).raw,
                                       hn::ShiftRight<48>(offset).raw,
                                       hn::Load(df64, column + 8).raw)};
  };
  r = look_up(kLogColumns.reciprocal);
  // The exponent k of m / 2^23 as k 2^52.
  const VF64 scaled_k =
      hn::ConvertTo(df64, hn::BitCast(hn::RebindToSigned<DU64>(), exponent));
  base = hn::MulAdd(scaled_k, hn::Set(df64, -2 * glibc::kLn2 * 0x1p-52),
                    look_up(kLogColumns.minus_twice_log));
}

#else

// The table of all octaves needs no arithmetic with the exponent.
HWY_INLINE void LookUpLog(VF64& m, VF64& r, VF64& base) {
  const VU64 offset =
      hn::Sub(hn::BitCast(du64, m), hn::Set(du64, kLogFirstBits64));
  VF64 columns[2];
  LookUpRows(kLogRows.row, hn::ShiftRight<48>(offset), columns);
  r = columns[0];
  base = columns[1];
}

#endif

// -2 log(m / 2^23) of integers m, for several vectors in step.
template <size_t kCount>
HWY_INLINE void MinusTwiceLogsInStep(const VF64* HWY_RESTRICT m,
                                     VF64* HWY_RESTRICT logs) {
  const double(&c)[3] = glibc::kLogPolynomial;
  constexpr double kTimesMinus2[] = {-2, -2 * c[0], -2 * c[1], -2 * c[2]};
  VF64 x[kCount], base[kCount];
  HWY_UNROLL(8)
  for (size_t i = 0; i < kCount; ++i) {
    // TensorFlow puts 1e-7 in the place of zero.
    VF64 u = hn::Max(m[i], hn::Set(df64, 0x1p23 * double{1e-7f}));
    VF64 r;
    LookUpLog(u, r, base[i]);
    x[i] = hn::MulSub(u, r, hn::Set(df64, 1.0));
  }
  HornerInStep<kCount>(ConstantsOf(df64, kTimesMinus2), x, logs);
  HWY_UNROLL(8)
  for (size_t i = 0; i < kCount; ++i) {
    logs[i] = hn::MulAdd(logs[i], x[i], base[i]);
  }
}

// ---------------------------------------------------------------------------
// m / 2^23 turns, where `two52_plus_m` is 2^52 + m: the nearest number of
// quarter turns, in the lowest bits of a lane, and the sine and the cosine of
// the rest.

template <size_t kCount>
HWY_INLINE void SinesAndCosinesInStep(const VF64* HWY_RESTRICT two52_plus_m,
                                      VU64* HWY_RESTRICT quarters,
                                      VF64* HWY_RESTRICT sines,
                                      VF64* HWY_RESTRICT cosines) {
  const double(&c)[4] = glibc::kCosinePolynomial;
  constexpr double kCosine[] = {1, c[0], c[1], c[2], c[3]};
  constexpr double kStep = 4 * 0x1p-23 * glibc::kHalfPi;
  constexpr double kMagic = 0x1.8p52;
  VF64 x[kCount], x2[kCount];
  HWY_UNROLL(8)
  for (size_t i = 0; i < kCount; ++i) {
    const VF64 m = two52_plus_m[i];
    // The angle, rounded to float32. None is halfway between two floats.
    const VF64 angle =
        hn::MulAdd(m, hn::Set(df64, kStep), hn::Set(df64, -0x1p52 * kStep));
    const VF64 v =
        hn::BitCast(df64, hn::And(hn::Add(hn::BitCast(du64, angle),
                                          hn::Set(du64, uint64_t{1} << 28)),
                                  hn::Set(du64, ~uint64_t{0} << 29)));
    const VF64 number =
        hn::MulAdd(m, hn::Set(df64, 0x1p-21), hn::Set(df64, kMagic - 0x1p31));
    quarters[i] = hn::BitCast(du64, number);
    x[i] = hn::NegMulAdd(hn::Sub(number, hn::Set(df64, kMagic)),
                         hn::Set(df64, glibc::kHalfPi), v);
    x2[i] = hn::Mul(x[i], x[i]);
  }
  HornerInStep<kCount>(ConstantsOf(df64, glibc::kSinePolynomial), x2, sines);
  HornerInStep<kCount>(ConstantsOf(df64, kCosine), x2, cosines);
  HWY_UNROLL(8)
  for (size_t i = 0; i < kCount; ++i) {
    sines[i] = hn::MulAdd(sines[i], hn::Mul(x[i], x2[i]), x[i]);
  }
}

// Changes the sign where the highest bit of `sign` is set. Its other bits must
// be zero.
HWY_INLINE VF32 WithSignChanged(VF32 value, VU32 sign) {
  return hn::Xor(value, hn::BitCast(df32, sign));
}

// ---------------------------------------------------------------------------

// The normal deviates of pairs of words, which are in the low halves of 64-bit
// lanes. Every two vectors of words make one vector of deviates: the lanes of
// the first, then those of the second.
template <size_t kCount>
HWY_INLINE void BoxMullerInStep(const VU64* HWY_RESTRICT radius_words,
                                const VU64* HWY_RESTRICT angle_words,
                                VF32* HWY_RESTRICT first,
                                VF32* HWY_RESTRICT second) {
  VF64 m[kCount], logs[kCount], sines[kCount], cosines[kCount];
  VU64 quarters[kCount];
  HWY_UNROLL(8)
  for (size_t i = 0; i < kCount; ++i) {
    m[i] = hn::Sub(Two52Plus<23>(radius_words[i]), hn::Set(df64, 0x1p52));
  }
  MinusTwiceLogsInStep<kCount>(m, logs);
  HWY_UNROLL(8)
  for (size_t i = 0; i < kCount; ++i) m[i] = Two52Plus<23>(angle_words[i]);
  SinesAndCosinesInStep<kCount>(m, quarters, sines, cosines);
  const VU32 sign_bit = hn::Set(du32, 1u << 31);
  HWY_UNROLL(8)
  for (size_t i = 0; i < kCount; i += 2) {
    const VU32 number = hn::ConcatEven(du32, hn::BitCast(du32, quarters[i + 1]),
                                       hn::BitCast(du32, quarters[i]));
    // An odd number of quarter turns swaps the sine and the cosine, and changes
    // the sign of the new cosine.
    const VU32 odd = hn::ShiftLeft<31>(number);
    const VF32 sine = Narrowed(sines[i], sines[i + 1]);
    const VF32 cosine = Narrowed(cosines[i], cosines[i + 1]);
    const auto if_odd = [&](VF32 yes, VF32 no) HWY_ATTR {
      return hn::IfNegativeThenElse(hn::BitCast(df32, odd), yes, no);
    };
    // Half a turn changes both signs.
    const VF32 radius =
        WithSignChanged(hn::Sqrt(Narrowed(logs[i], logs[i + 1])),
                        hn::And(hn::ShiftLeft<30>(number), sign_bit));
    first[i / 2] = hn::Mul(if_odd(cosine, sine), radius);
    second[i / 2] = hn::Mul(if_odd(WithSignChanged(sine, odd), cosine), radius);
  }
}

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

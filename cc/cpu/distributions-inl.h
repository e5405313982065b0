// The standard deviates of cc/stream/distributions.h, in vectors. Each vector
// operation does what one operation there does.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_DISTRIBUTIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_DISTRIBUTIONS_INL_H_
#undef TF_VSINIT_CC_CPU_DISTRIBUTIONS_INL_H_
#else
#define TF_VSINIT_CC_CPU_DISTRIBUTIONS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "cc/cpu/tables.h"
#include "cc/cpu/vectors-inl.h"
#include "cc/stream/distributions.h"
#include "cc/stream/normal_coefficients.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// ---------------------------------------------------------------------------
// Polynomials.

// The coefficients of a polynomial, the same in every lane.
template <class D, size_t kCount>
struct Constants {
  static constexpr size_t kTerms = kCount;
  HWY_INLINE hn::Vec<D> Term(size_t term, size_t /*vector*/) const {
    return hn::Set(D(), c[term]);
  }
  const hn::TFromD<D> (&c)[kCount];
};

template <class D, size_t kCount>
HWY_INLINE Constants<D, kCount> ConstantsOf(D,
                                            const hn::TFromD<D> (&c)[kCount]) {
  return {c};
}

// c[0] + x (c[1] + x (c[2] + ...)) by Horner's rule, fused, for kCount vectors
// in step.
template <size_t kCount, class Coefficients, class V>
HWY_INLINE void HornerInStep(const Coefficients& c, const V* HWY_RESTRICT x,
                             V* HWY_RESTRICT sums) {
  constexpr size_t kTerms = Coefficients::kTerms;
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) sums[i] = c.Term(kTerms - 1, i);
  HWY_UNROLL(32)
  for (size_t term = 2; term <= kTerms; ++term) {
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; ++i) {
      sums[i] = hn::MulAdd(sums[i], x[i], c.Term(kTerms - term, i));
    }
  }
}

// ---------------------------------------------------------------------------
// Tables.

// Fills every lane with copies of its sign bit.
HWY_INLINE VU32 SpreadSign(VU32 words) {
  return hn::BitCast(
      du32, hn::ShiftRight<31>(hn::BitCast(hn::RebindToSigned<DU32>(), words)));
}
HWY_INLINE VU64 SpreadSign(VU64 words) {
  return hn::BitCast(du64, hn::BroadcastSignBit(
                               hn::BitCast(hn::RebindToSigned<DU64>(), words)));
}

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
// Indices for TableLookupLanes. The instruction ignores all but their low bits;
// debug builds of Highway require the others to be clear.
HWY_INLINE auto LaneIndices(VU32 row) {
#if HWY_IS_DEBUG_BUILD
  row = hn::And(row, hn::Set(du32, uint32_t{hn::MaxLanes(df32) - 1}));
#endif
  return hn::IndicesFromVec(df32, row);
}
#endif

// The entries of a column, each from the row that the low four bits of its lane
// number.
template <int kColumns>
HWY_INLINE VF32 LookUp(const Columns<kColumns>& columns, int column, VU32 row) {
#if HWY_TARGET == HWY_AVX3
  return hn::TableLookupLanes(hn::Load(df32, columns.value[column]),
                              LaneIndices(row));
#elif HWY_TARGET == HWY_AVX2
  const auto indices = LaneIndices(row);
  const VU32 second_half = SpreadSign(hn::ShiftLeft<28>(row));
  const VF32 value =
      hn::TableLookupLanes(hn::Load(df32, columns.value[column]), indices);
  const VU32 change = hn::BitCast(
      du32,
      hn::TableLookupLanes(
          hn::BitCast(df32, hn::Load(du32, columns.change[column])), indices));
  return hn::BitCast(
      df32, hn::Xor(hn::BitCast(du32, value), hn::And(change, second_half)));
#else
  const VU32 index = hn::And(row, hn::Set(du32, 15u));
  return hn::GatherIndex(df32, columns.value[column],
                         hn::BitCast(hn::RebindToSigned<DU32>(), index));
#endif
}

// Hides from the compiler which table this is. Otherwise it keeps the columns
// in registers throughout the loop, and spills the words of the blocks.
template <int kColumns>
HWY_INLINE const Columns<kColumns>& Opaque(const Columns<kColumns>& columns) {
  const Columns<kColumns>* pointer = &columns;
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  asm("" : "+r"(pointer));
#endif
  return *pointer;
}

// Coefficients from the columns of a table, `kFirst` on, in a row for each
// lane.
template <int kFirst, int kColumns>
struct TableCoefficients {
  static constexpr size_t kTerms = kColumns - kFirst;
  HWY_INLINE VF32 Term(size_t term, size_t vector) const {
    return LookUp(columns, kFirst + static_cast<int>(term), rows[vector]);
  }
  const Columns<kColumns>& columns;
  const VU32* rows;
};

// ---------------------------------------------------------------------------
// Uniform deviates.

HWY_INLINE VF32 UniformDeviate(VU32 words) {
  const VU32 one = hn::Set(du32, 0x3F800000u);
  return hn::Sub(
      hn::BitCast(df32, hn::OrAnd(one, words, hn::Set(du32, 0x7FFFFFu))),
      hn::Set(df32, 1.0f));
}
HWY_INLINE VF64 UniformDeviate(VU64 words) {
  const VU64 one = hn::Set(du64, 0x3FF0000000000000u);
  return hn::Sub(
      hn::BitCast(df64, hn::OrAnd(one, words, hn::Set(du64, 0xFFFFFFFFFFFFFu))),
      hn::Set(df64, 1.0));
}

// ---------------------------------------------------------------------------
// Normal deviates of float32.
//
// The functions below compute -z, whose sign bit is that of the word: z itself
// would take one more operation, and multiplying by -stddev takes none.

// (bits + 1/2) / 2^31.
HWY_INLINE VF32 Fraction31(VU32 bits) {
  return hn::MulAdd(
      hn::ConvertTo(df32, hn::BitCast(hn::RebindToSigned<DU32>(), bits)),
      hn::Set(df32, 0x1p-31f), hn::Set(df32, 0x1p-32f));
}

// `magnitude`, which is positive, with the sign bit of `words`.
HWY_INLINE VF32 WithSignOf(VU32 words, VF32 magnitude) {
  return hn::BitCast(df32, hn::OrAnd(hn::BitCast(du32, magnitude), words,
                                     hn::Set(du32, 0x80000000u)));
}
HWY_INLINE VF64 WithSignOf(VU64 words, VF64 magnitude) {
  return hn::BitCast(df64, hn::OrAnd(hn::BitCast(du64, magnitude), words,
                                     hn::Set(du64, 0x8000000000000000u)));
}

template <size_t kCount>
HWY_INLINE void NegatedTruncatedDeviates(const VU32* HWY_RESTRICT words,
                                         VF32* HWY_RESTRICT deviates) {
  const Columns<7>& columns = Opaque(kTruncatedColumns);
  VF32 x[kCount];
  VU32 row[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const VU32 distance =
        hn::Xor3(words[i], SpreadSign(words[i]), hn::Set(du32, 0x7FFFFFFFu));
    x[i] = Fraction31(distance);
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const VF32 u = hn::MulAdd(x[i], x[i], hn::Set(df32, kRowOffset));
    const VF32 sum = hn::MulAdd(u, u, hn::Set(df32, kRowMagic));
    row[i] = hn::BitCast(du32, sum);
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    x[i] = hn::Sub(x[i], LookUp(columns, 0, row[i]));
  }
  HornerInStep<kCount>(TableCoefficients<1, 7>{columns, row}, x, deviates);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    deviates[i] = WithSignOf(words[i], deviates[i]);
  }
}

template <size_t kCount>
HWY_INLINE void NegatedUntruncatedDeviates(const VU32* HWY_RESTRICT words,
                                           VF32* HWY_RESTRICT deviates) {
  constexpr float kLog2[] = {TF_VSINIT_F32_LOG2};
  const Columns<6>& columns = Opaque(kUntruncatedColumns);
  VU32 tail[kCount], k[kCount];
  VF32 f[kCount], x[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    tail[i] = hn::Xor(words[i], SpreadSign(words[i]));
    const VF32 doubled_tail = Fraction31(tail[i]);
    const VF32 v =
        hn::Mul(doubled_tail, hn::Sub(hn::Set(df32, 2.0f), doubled_tail));
    const VU32 bits = hn::BitCast(du32, v);
    k[i] = hn::ShiftRight<23>(hn::Sub(hn::Set(du32, kSqrt2Bits32), bits));
    f[i] = hn::Sub(hn::BitCast(df32, hn::Add(bits, hn::ShiftLeft<23>(k[i]))),
                   hn::Set(df32, 1.0f));
  }
  HornerInStep<kCount>(ConstantsOf(df32, kLog2), f, x);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const VF32 odd =
        hn::ConvertTo(df32, hn::BitCast(hn::RebindToSigned<DU32>(),
                                        hn::And(k[i], hn::Set(du32, 1u))));
    x[i] = hn::NegMulAdd(f[i], x[i], odd);
    k[i] = hn::ShiftRight<1>(k[i]);
  }
  HornerInStep<kCount>(TableCoefficients<0, 6>{columns, k}, x, deviates);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const VF32 t = Fraction31(hn::Xor(tail[i], hn::Set(du32, 0x7FFFFFFFu)));
    deviates[i] = WithSignOf(words[i], hn::Mul(t, deviates[i]));
  }
}

// ---------------------------------------------------------------------------
// Normal deviates of float64.

// Converts integers below 2^52.
HWY_INLINE VF64 SmallToDouble(VU64 integers) {
  const VU64 two52 = hn::Set(du64, 0x4330000000000000u);
  return hn::Sub(hn::BitCast(df64, hn::Or(integers, two52)),
                 hn::BitCast(df64, two52));
}

// (bits + 1/2) / 2^63 for bits < 2^63, as an exact sum of two numbers.
struct Fraction63 {
  explicit HWY_INLINE Fraction63(VU64 bits) {
    const VU64 two21 = hn::Set(du64, 0x4140000000000000u);
    const VU64 two_minus11 = hn::Set(du64, 0x3F40000000000000u);
    high = hn::Sub(hn::BitCast(df64, hn::Or(hn::ShiftRight<32>(bits), two21)),
                   hn::BitCast(df64, two21));
    low = hn::Sub(hn::BitCast(df64, hn::OrAnd(two_minus11, bits,
                                              hn::Set(du64, 0xFFFFFFFFu))),
                  hn::Set(df64, 0x1p-11 - 0x1p-64));
  }
  // The fraction, and one minus it, each rounded once.
  HWY_INLINE VF64 Rounded() const { return hn::Add(high, low); }
  HWY_INLINE VF64 OneMinus() const {
    return hn::Sub(hn::Sub(hn::Set(df64, 1.0), high), low);
  }

  VF64 high;  // a multiple of 2^-31
  VF64 low;   // an odd multiple of 2^-64, below 2^-31
};

// p(x) / q(x) of kCount vectors in step.
template <size_t kCount, size_t kTermsP, size_t kTermsQ>
HWY_INLINE void Ratios(const double (&p)[kTermsP], const double (&q)[kTermsQ],
                       const VF64* HWY_RESTRICT x, VF64* HWY_RESTRICT ratios) {
  VF64 numerator[kCount], denominator[kCount];
  HornerInStep<kCount>(ConstantsOf(df64, p), x, numerator);
  HornerInStep<kCount>(ConstantsOf(df64, q), x, denominator);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    ratios[i] = hn::Div(numerator[i], denominator[i]);
  }
}

template <size_t kCount>
HWY_INLINE void NegatedTruncatedDeviates(const VU64* HWY_RESTRICT words,
                                         VF64* HWY_RESTRICT deviates) {
  constexpr double kP[] = {TF_VSINIT_F64_TRUNCATED_P};
  constexpr double kQ[] = {TF_VSINIT_F64_TRUNCATED_Q};
  VF64 t[kCount], v[kCount], ratios[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    t[i] = Fraction63(hn::Xor3(words[i], SpreadSign(words[i]),
                               hn::Set(du64, 0x7FFFFFFFFFFFFFFFu)))
               .Rounded();
    v[i] = hn::NegMulAdd(t[i], t[i], hn::Set(df64, 1.0));
  }
  Ratios<kCount>(kP, kQ, v, ratios);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const VF64 factor = hn::MulAdd(v[i], ratios[i], hn::Set(df64, 2.0));
    deviates[i] = WithSignOf(words[i], hn::Mul(t[i], factor));
  }
}

// sqrt(-2 ln(x)) of kCount vectors in step.
template <size_t kCount>
HWY_INLINE void RootsOfMinusTwiceLn(const VF64* HWY_RESTRICT x,
                                    VF64* HWY_RESTRICT roots) {
  constexpr double kTwiceLn[] = {TF_VSINIT_F64_TWICE_LN};
  VU64 k[kCount];
  VF64 f[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const VU64 bits = hn::BitCast(du64, x[i]);
    k[i] = hn::ShiftRight<52>(hn::Sub(hn::Set(du64, kSqrt2Bits64), bits));
    f[i] = hn::Sub(hn::BitCast(df64, hn::Add(bits, hn::ShiftLeft<52>(k[i]))),
                   hn::Set(df64, 1.0));
  }
  HornerInStep<kCount>(ConstantsOf(df64, kTwiceLn), f, roots);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    roots[i] = hn::Sqrt(hn::MulSub(SmallToDouble(k[i]),
                                   hn::Set(df64, TF_VSINIT_F64_TWICE_LN_2),
                                   hn::Mul(f[i], roots[i])));
  }
}

// The deviates of all lanes as if they were in the centre. Byte i of `in_tail`
// gets a bit for each lane of vector i that is in the tail.
template <size_t kCount>
HWY_INLINE void NegatedCentralDeviates(const VU64* HWY_RESTRICT words,
                                       VF64* HWY_RESTRICT deviates,
                                       uint8_t* HWY_RESTRICT in_tail) {
  constexpr double kP[] = {TF_VSINIT_F64_CENTRAL_P};
  constexpr double kQ[] = {TF_VSINIT_F64_CENTRAL_Q};
  VF64 t[kCount], v[kCount], ratios[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Fraction63 tail(hn::Xor(words[i], SpreadSign(words[i])));
    hn::StoreMaskBits(
        df64, hn::Lt(tail.Rounded(), hn::Set(df64, TF_VSINIT_F64_TAIL_BELOW)),
        in_tail + i);
    t[i] = tail.OneMinus();
    v[i] = hn::NegMulAdd(t[i], t[i], hn::Set(df64, 1.0));
  }
  Ratios<kCount>(kP, kQ, v, ratios);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const VF64 factor = hn::MulAdd(hn::Mul(t[i], t[i]), ratios[i],
                                   hn::Set(df64, TF_VSINIT_F64_SQRT_HALF_PI));
    deviates[i] = WithSignOf(words[i], hn::Mul(t[i], factor));
  }
}

// The deviates of lanes in the tail.
template <size_t kCount>
HWY_INLINE void NegatedTailDeviates(const VU64* HWY_RESTRICT words,
                                    VF64* HWY_RESTRICT deviates) {
  constexpr double kP[] = {TF_VSINIT_F64_TAIL_P};
  constexpr double kQ[] = {TF_VSINIT_F64_TAIL_Q};
  VF64 doubled_tail[kCount], r[kCount], ratios[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    doubled_tail[i] =
        Fraction63(hn::Xor(words[i], SpreadSign(words[i]))).Rounded();
  }
  RootsOfMinusTwiceLn<kCount>(doubled_tail, r);
  Ratios<kCount>(kP, kQ, r, ratios);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    deviates[i] = WithSignOf(words[i], hn::Add(r[i], ratios[i]));
  }
}

// Computes all lanes as if they were in the centre, then gathers those in the
// tail, about one in seven, and computes them again.
template <size_t kCount>
HWY_INLINE void NegatedUntruncatedDeviates(const VU64* HWY_RESTRICT words,
                                           VF64* HWY_RESTRICT deviates) {
  constexpr size_t kLanes = hn::MaxLanes(du64);
  constexpr size_t kStep = 4;
  constexpr size_t kTailStep = 2;
  HWY_ALIGN uint64_t all_words[kCount * kLanes];
  HWY_ALIGN double all_deviates[kCount * kLanes];
  HWY_ALIGN uint64_t tail_words[(kCount + kTailStep) * kLanes];
  HWY_ALIGN double tail_deviates[kTailStep * kLanes];
  uint8_t positions[kCount * kLanes];
  uint64_t in_tail[(kCount + 7) / 8] = {};

  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    hn::Store(words[i], du64, all_words + i * kLanes);
  }
  // Unrolled, this loop would need more vectors than there are registers.
  HWY_UNROLL(1)
  for (size_t i = 0; i < kCount; i += kStep) {
    VU64 some_words[kStep];
    VF64 central[kStep];
    HWY_UNROLL(12)
    for (size_t j = 0; j < kStep; ++j) {
      some_words[j] = hn::Load(du64, all_words + (i + j) * kLanes);
    }
    NegatedCentralDeviates<kStep>(some_words, central,
                                  reinterpret_cast<uint8_t*>(in_tail) + i);
    HWY_UNROLL(12)
    for (size_t j = 0; j < kStep; ++j) {
      hn::Store(central[j], df64, all_deviates + (i + j) * kLanes);
    }
  }
  size_t count = 0;
  for (size_t part = 0; part < (kCount + 7) / 8; ++part) {
    for (uint64_t bits = in_tail[part]; bits != 0; bits &= bits - 1) {
      const size_t bit = hwy::Num0BitsBelowLS1Bit_Nonzero64(bits);
      const size_t position = (8 * part + bit / 8) * kLanes + bit % 8;
      tail_words[count] = all_words[position];
      positions[count] = static_cast<uint8_t>(position);
      ++count;
    }
  }
  // Pads the last vectors.
  HWY_UNROLL(2)
  for (size_t j = 0; j < kTailStep; ++j) {
    hn::StoreU(hn::Zero(du64), du64, tail_words + count + j * kLanes);
  }
  for (size_t done = 0; done < count; done += kTailStep * kLanes) {
    VU64 some_words[kTailStep];
    VF64 some_deviates[kTailStep];
    HWY_UNROLL(2)
    for (size_t j = 0; j < kTailStep; ++j) {
      some_words[j] = hn::Load(du64, tail_words + done + j * kLanes);
    }
    NegatedTailDeviates<kTailStep>(some_words, some_deviates);
    HWY_UNROLL(2)
    for (size_t j = 0; j < kTailStep; ++j) {
      hn::Store(some_deviates[j], df64, tail_deviates + j * kLanes);
    }
    const size_t some = std::min(count - done, kTailStep * kLanes);
    for (size_t j = 0; j < some; ++j) {
      all_deviates[positions[done + j]] = tail_deviates[j];
    }
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    deviates[i] = hn::Load(df64, all_deviates + i * kLanes);
  }
}

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

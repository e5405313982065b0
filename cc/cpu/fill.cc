// The stream in SIMD: one source for every instruction set, dispatched at run
// time. Each vector operation mirrors one operation of cc/stream, so that every
// target gives the bits of ElementAt.

#include "cc/cpu/fill.h"

// SVE's vectors have no compile-time size and cannot be kept in arrays; every
// SVE machine also runs NEON. AVX3_DL adds nothing that is used here, and
// without FMA (SSSE3, SSE4) there is only the scalar path.
// Highways after 1.0.3 know more kinds of AVX-512, to the same end; to this one
// a name it does not know must be nothing.
#define HWY_DISABLED_TARGETS                                             \
  (HWY_SSSE3 | HWY_AVX3_DL | TF_VSINIT_NEWER_AVX3 | HWY_SVE | HWY_SVE2 | \
   HWY_SVE_256 | HWY_SVE2_128)
#include "hwy/detect_targets.h"
#if defined(HWY_AVX3_ZEN4) && defined(HWY_AVX3_SPR)
#define TF_VSINIT_NEWER_AVX3 (HWY_AVX3_ZEN4 | HWY_AVX3_SPR)
#else
#define TF_VSINIT_NEWER_AVX3 0
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cc/cpu/fill.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes first: the headers below are read once per target.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/floating_point.h"
#include "cc/stream/normal_coefficients.h"
#include "cc/stream/philox.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

#ifndef TF_VSINIT_CC_CPU_FILL_TABLES_
#define TF_VSINIT_CC_CPU_FILL_TABLES_

namespace tf_vsinit {

// A table of 16 rows, one array per column so that a column fits one register
// of AVX-512. AVX2 looks up among 8: a row of the first half, and the bits to
// change in it for the row 8 further on.
template <int kColumns>
struct Columns {
  alignas(64) float value[kColumns][16];
  alignas(32) uint32_t change[kColumns][8];
};

template <int kColumns>
constexpr Columns<kColumns> Transposed(const float (&rows)[16][kColumns]) {
  Columns<kColumns> columns{};
  for (int column = 0; column < kColumns; ++column) {
    for (int row = 0; row < 16; ++row) {
      columns.value[column][row] = rows[row][column];
    }
    for (int row = 0; row < 8; ++row) {
      columns.change[column][row] =
          __builtin_bit_cast(uint32_t, rows[row][column]) ^
          __builtin_bit_cast(uint32_t, rows[row + 8][column]);
    }
  }
  return columns;
}

inline constexpr float kTruncatedRows[16][7] = {TF_VSINIT_F32_TRUNCATED_ROWS};
inline constexpr float kUntruncatedRows[16][6] = {
    TF_VSINIT_F32_UNTRUNCATED_ROWS};
inline constexpr Columns<7> kTruncatedColumns = Transposed(kTruncatedRows);
inline constexpr Columns<6> kUntruncatedColumns = Transposed(kUntruncatedRows);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_FILL_TABLES_

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {

#if HWY_NATIVE_FMA && HWY_TARGET != HWY_SCALAR

namespace hn = hwy::HWY_NAMESPACE;

using TagWords = hn::ScalableTag<uint32_t>;
using TagLanes = hn::ScalableTag<uint64_t>;
using TagFloat = hn::ScalableTag<float>;
using TagDouble = hn::ScalableTag<double>;
using Words = hn::Vec<TagWords>;
using Lanes = hn::Vec<TagLanes>;
using Floats = hn::Vec<TagFloat>;
using Doubles = hn::Vec<TagDouble>;

constexpr TagWords kWords;
constexpr TagLanes kLanes;
constexpr TagFloat kFloats;
constexpr TagDouble kDoubles;

// Philox blocks side by side in a vector, one per 64-bit lane, and vectors
// worked on together so that their multiplications overlap.
constexpr size_t kBlocksPerVector = hn::MaxLanes(kLanes);
constexpr size_t kVectors = HWY_TARGET == HWY_AVX3 ? 6 : 4;
// Vectors of words whose normal deviates are computed in step.
constexpr size_t kInStep = HWY_TARGET == HWY_AVX3 ? 6 : 2;
constexpr size_t kBlocksPerGroup = kBlocksPerVector * kVectors;

// ---------------------------------------------------------------------------
// Standard deviates, as in cc/stream/distributions.h.

template <class Tag, size_t kCount>
HWY_INLINE hn::Vec<Tag> PolynomialOf(Tag tag,
                                     const hn::TFromD<Tag> (&c)[kCount],
                                     hn::Vec<Tag> x) {
  auto sum = hn::Set(tag, c[kCount - 1]);
  HWY_UNROLL(32)
  for (size_t i = 2; i <= kCount; ++i) {
    sum = hn::MulAdd(sum, x, hn::Set(tag, c[kCount - i]));
  }
  return sum;
}

// The sign bit of every lane, spread over the lane.
HWY_INLINE Words SpreadSign(Words words) {
  return hn::BitCast(kWords, hn::ShiftRight<31>(hn::BitCast(
                                 hn::RebindToSigned<TagWords>(), words)));
}
HWY_INLINE Lanes SpreadSign(Lanes words) {
  return hn::BitCast(kLanes, hn::BroadcastSignBit(hn::BitCast(
                                 hn::RebindToSigned<TagLanes>(), words)));
}

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
// Lane numbers for TableLookupLanes. The instruction reads their low bits only;
// debug builds of Highway want the others clear.
HWY_INLINE auto LaneIndices(Words row) {
#if HWY_IS_DEBUG_BUILD
  row = hn::And(row, hn::Set(kWords, uint32_t{hn::MaxLanes(kFloats) - 1}));
#endif
  return hn::IndicesFromVec(kFloats, row);
}
#endif

// The entries of a column in the rows that the low four bits of the lanes name.
template <int kColumns>
HWY_INLINE Floats LookUp(const Columns<kColumns>& columns, int column,
                         Words row) {
#if HWY_TARGET == HWY_AVX3
  return hn::TableLookupLanes(hn::Load(kFloats, columns.value[column]),
                              LaneIndices(row));
#elif HWY_TARGET == HWY_AVX2
  const auto indices = LaneIndices(row);
  const Words second_half = SpreadSign(hn::ShiftLeft<28>(row));
  const Floats value =
      hn::TableLookupLanes(hn::Load(kFloats, columns.value[column]), indices);
  const Words change = hn::BitCast(
      kWords,
      hn::TableLookupLanes(
          hn::BitCast(kFloats, hn::Load(kWords, columns.change[column])),
          indices));
  return hn::BitCast(kFloats, hn::Xor(hn::BitCast(kWords, value),
                                      hn::And(change, second_half)));
#else
  const Words index = hn::And(row, hn::Set(kWords, 15u));
  return hn::GatherIndex(kFloats, columns.value[column],
                         hn::BitCast(hn::RebindToSigned<TagWords>(), index));
#endif
}

// A table the compiler knows nothing about. Otherwise it keeps the columns in
// registers over the loop, and spills the words of the blocks.
template <int kColumns>
HWY_INLINE const Columns<kColumns>& Opaque(const Columns<kColumns>& columns) {
  const Columns<kColumns>* pointer = &columns;
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  asm("" : "+r"(pointer));
#endif
  return *pointer;
}

// (bits + 1/2) / 2^31.
HWY_INLINE Floats Fraction31(Words bits) {
  return hn::MulAdd(
      hn::ConvertTo(kFloats, hn::BitCast(hn::RebindToSigned<TagWords>(), bits)),
      hn::Set(kFloats, 0x1p-31f), hn::Set(kFloats, 0x1p-32f));
}

// A float with the sign bit of `words` put in.
HWY_INLINE Floats WithSignOf(Words words, Floats magnitude) {
  return hn::BitCast(kFloats, hn::OrAnd(hn::BitCast(kWords, magnitude), words,
                                        hn::Set(kWords, 0x80000000u)));
}
HWY_INLINE Doubles WithSignOf(Lanes words, Doubles magnitude) {
  return hn::BitCast(kDoubles, hn::OrAnd(hn::BitCast(kLanes, magnitude), words,
                                         hn::Set(kLanes, 0x8000000000000000u)));
}

HWY_INLINE Floats UniformDeviate(Words words) {
  const Words one = hn::Set(kWords, 0x3F800000u);
  return hn::Sub(
      hn::BitCast(kFloats, hn::OrAnd(one, words, hn::Set(kWords, 0x7FFFFFu))),
      hn::Set(kFloats, 1.0f));
}
HWY_INLINE Doubles UniformDeviate(Lanes words) {
  const Lanes one = hn::Set(kLanes, 0x3FF0000000000000u);
  return hn::Sub(
      hn::BitCast(kDoubles,
                  hn::OrAnd(one, words, hn::Set(kLanes, 0xFFFFFFFFFFFFFu))),
      hn::Set(kDoubles, 1.0));
}

// The normal deviates below come out as -z: positive where the word's sign bit
// is clear would cost an operation more, and multiplying by -stddev is free.

// They are computed for several vectors in step, because one vector's
// operations mostly wait for each other.

template <size_t kCount>
HWY_INLINE void NegatedTruncatedDeviates(const Words* HWY_RESTRICT words,
                                         Floats* HWY_RESTRICT deviates) {
  const Columns<7>& columns = Opaque(kTruncatedColumns);
  Floats x[kCount];
  Words row[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Words distance =
        hn::Xor3(words[i], SpreadSign(words[i]), hn::Set(kWords, 0x7FFFFFFFu));
    x[i] = Fraction31(distance);
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Floats u = hn::MulAdd(x[i], x[i], hn::Set(kFloats, kRowOffset));
    const Floats sum = hn::MulAdd(u, u, hn::Set(kFloats, kRowMagic));
    row[i] = hn::BitCast(kWords, sum);
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    x[i] = hn::Sub(x[i], LookUp(columns, 0, row[i]));
    deviates[i] = LookUp(columns, 6, row[i]);
  }
  HWY_UNROLL(8)
  for (int column = 5; column >= 1; --column) {
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; ++i) {
      deviates[i] =
          hn::MulAdd(deviates[i], x[i], LookUp(columns, column, row[i]));
    }
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    deviates[i] = WithSignOf(words[i], deviates[i]);
  }
}

template <size_t kCount>
HWY_INLINE void NegatedUntruncatedDeviates(const Words* HWY_RESTRICT words,
                                           Floats* HWY_RESTRICT deviates) {
  constexpr float kLog2[] = {TF_VSINIT_F32_LOG2};
  constexpr size_t kTerms = sizeof(kLog2) / sizeof(float);
  const Columns<6>& columns = Opaque(kUntruncatedColumns);
  Words tail[kCount], k[kCount];
  Floats f[kCount], x[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    tail[i] = hn::Xor(words[i], SpreadSign(words[i]));
    const Floats doubled_tail = Fraction31(tail[i]);
    const Floats v =
        hn::Mul(doubled_tail, hn::Sub(hn::Set(kFloats, 2.0f), doubled_tail));
    const Words bits = hn::BitCast(kWords, v);
    k[i] = hn::ShiftRight<23>(hn::Sub(hn::Set(kWords, kSqrt2Bits32), bits));
    f[i] = hn::Sub(hn::BitCast(kFloats, hn::Add(bits, hn::ShiftLeft<23>(k[i]))),
                   hn::Set(kFloats, 1.0f));
    x[i] = hn::Set(kFloats, kLog2[kTerms - 1]);
  }
  HWY_UNROLL(16)
  for (size_t term = 2; term <= kTerms; ++term) {
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; ++i) {
      x[i] = hn::MulAdd(x[i], f[i], hn::Set(kFloats, kLog2[kTerms - term]));
    }
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Floats odd =
        hn::ConvertTo(kFloats, hn::BitCast(hn::RebindToSigned<TagWords>(),
                                           hn::And(k[i], hn::Set(kWords, 1u))));
    x[i] = hn::NegMulAdd(f[i], x[i], odd);
    k[i] = hn::ShiftRight<1>(k[i]);
    deviates[i] = LookUp(columns, 5, k[i]);
  }
  HWY_UNROLL(8)
  for (int column = 4; column >= 0; --column) {
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; ++i) {
      deviates[i] =
          hn::MulAdd(deviates[i], x[i], LookUp(columns, column, k[i]));
    }
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Floats t = Fraction31(hn::Xor(tail[i], hn::Set(kWords, 0x7FFFFFFFu)));
    deviates[i] = WithSignOf(words[i], hn::Mul(t, deviates[i]));
  }
}

// Integers below 2^52 as doubles.
HWY_INLINE Doubles SmallToDouble(Lanes integers) {
  const Lanes two52 = hn::Set(kLanes, 0x4330000000000000u);
  return hn::Sub(hn::BitCast(kDoubles, hn::Or(integers, two52)),
                 hn::BitCast(kDoubles, two52));
}

// (bits + 1/2) / 2^63 for bits < 2^63 as a sum of two parts, both exact.
struct Fraction63 {
  explicit HWY_INLINE Fraction63(Lanes bits) {
    const Lanes two21 = hn::Set(kLanes, 0x4140000000000000u);
    const Lanes two_minus11 = hn::Set(kLanes, 0x3F40000000000000u);
    high =
        hn::Sub(hn::BitCast(kDoubles, hn::Or(hn::ShiftRight<32>(bits), two21)),
                hn::BitCast(kDoubles, two21));
    low = hn::Sub(
        hn::BitCast(kDoubles,
                    hn::OrAnd(two_minus11, bits, hn::Set(kLanes, 0xFFFFFFFFu))),
        hn::Set(kDoubles, 0x1p-11 - 0x1p-64));
  }
  // The fraction, and one minus it, each rounded once.
  HWY_INLINE Doubles Rounded() const { return hn::Add(high, low); }
  HWY_INLINE Doubles OneMinus() const {
    return hn::Sub(hn::Sub(hn::Set(kDoubles, 1.0), high), low);
  }

  Doubles high;  // a multiple of 2^-31
  Doubles low;   // an odd multiple of 2^-64, below 2^-31
};

// p(x) / q(x) of several vectors in step.
template <size_t kCount, size_t kTermsP, size_t kTermsQ>
HWY_INLINE void Ratios(const double (&p)[kTermsP], const double (&q)[kTermsQ],
                       const Doubles* HWY_RESTRICT x,
                       Doubles* HWY_RESTRICT ratios) {
  Doubles numerator[kCount], denominator[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    numerator[i] = hn::Set(kDoubles, p[kTermsP - 1]);
    denominator[i] = hn::Set(kDoubles, q[kTermsQ - 1]);
  }
  HWY_UNROLL(16)
  for (size_t term = 2; term <= kTermsP; ++term) {
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; ++i) {
      numerator[i] =
          hn::MulAdd(numerator[i], x[i], hn::Set(kDoubles, p[kTermsP - term]));
    }
  }
  HWY_UNROLL(16)
  for (size_t term = 2; term <= kTermsQ; ++term) {
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; ++i) {
      denominator[i] = hn::MulAdd(denominator[i], x[i],
                                  hn::Set(kDoubles, q[kTermsQ - term]));
    }
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    ratios[i] = hn::Div(numerator[i], denominator[i]);
  }
}

template <size_t kCount>
HWY_INLINE void NegatedTruncatedDeviates(const Lanes* HWY_RESTRICT words,
                                         Doubles* HWY_RESTRICT deviates) {
  constexpr double kP[] = {TF_VSINIT_F64_TRUNCATED_P};
  constexpr double kQ[] = {TF_VSINIT_F64_TRUNCATED_Q};
  Doubles t[kCount], v[kCount], ratios[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    t[i] = Fraction63(hn::Xor3(words[i], SpreadSign(words[i]),
                               hn::Set(kLanes, 0x7FFFFFFFFFFFFFFFu)))
               .Rounded();
    v[i] = hn::NegMulAdd(t[i], t[i], hn::Set(kDoubles, 1.0));
  }
  Ratios<kCount>(kP, kQ, v, ratios);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Doubles factor = hn::MulAdd(v[i], ratios[i], hn::Set(kDoubles, 2.0));
    deviates[i] = WithSignOf(words[i], hn::Mul(t[i], factor));
  }
}

// sqrt(-2 ln(x)) of several vectors in step.
template <size_t kCount>
HWY_INLINE void RootsOfMinusTwiceLn(const Doubles* HWY_RESTRICT x,
                                    Doubles* HWY_RESTRICT roots) {
  constexpr double kTwiceLn[] = {TF_VSINIT_F64_TWICE_LN};
  constexpr size_t kTerms = sizeof(kTwiceLn) / sizeof(double);
  Lanes k[kCount];
  Doubles f[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Lanes bits = hn::BitCast(kLanes, x[i]);
    k[i] = hn::ShiftRight<52>(hn::Sub(hn::Set(kLanes, kSqrt2Bits64), bits));
    f[i] =
        hn::Sub(hn::BitCast(kDoubles, hn::Add(bits, hn::ShiftLeft<52>(k[i]))),
                hn::Set(kDoubles, 1.0));
    roots[i] = hn::Set(kDoubles, kTwiceLn[kTerms - 1]);
  }
  HWY_UNROLL(32)
  for (size_t term = 2; term <= kTerms; ++term) {
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; ++i) {
      roots[i] = hn::MulAdd(roots[i], f[i],
                            hn::Set(kDoubles, kTwiceLn[kTerms - term]));
    }
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    roots[i] = hn::Sqrt(hn::MulSub(SmallToDouble(k[i]),
                                   hn::Set(kDoubles, TF_VSINIT_F64_TWICE_LN_2),
                                   hn::Mul(f[i], roots[i])));
  }
}

// The deviates of the centre, and the bits of the lanes that are in the tail.
template <size_t kCount>
HWY_INLINE void NegatedCentralDeviates(const Lanes* HWY_RESTRICT words,
                                       Doubles* HWY_RESTRICT deviates,
                                       uint8_t* HWY_RESTRICT in_tail) {
  constexpr double kP[] = {TF_VSINIT_F64_CENTRAL_P};
  constexpr double kQ[] = {TF_VSINIT_F64_CENTRAL_Q};
  Doubles t[kCount], v[kCount], ratios[kCount];
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Fraction63 tail(hn::Xor(words[i], SpreadSign(words[i])));
    hn::StoreMaskBits(
        kDoubles,
        hn::Lt(tail.Rounded(), hn::Set(kDoubles, TF_VSINIT_F64_TAIL_BELOW)),
        in_tail + i);
    t[i] = tail.OneMinus();
    v[i] = hn::NegMulAdd(t[i], t[i], hn::Set(kDoubles, 1.0));
  }
  Ratios<kCount>(kP, kQ, v, ratios);
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    const Doubles factor =
        hn::MulAdd(hn::Mul(t[i], t[i]), ratios[i],
                   hn::Set(kDoubles, TF_VSINIT_F64_SQRT_HALF_PI));
    deviates[i] = WithSignOf(words[i], hn::Mul(t[i], factor));
  }
}

// The deviates of the tail.
template <size_t kCount>
HWY_INLINE void NegatedTailDeviates(const Lanes* HWY_RESTRICT words,
                                    Doubles* HWY_RESTRICT deviates) {
  constexpr double kP[] = {TF_VSINIT_F64_TAIL_P};
  constexpr double kQ[] = {TF_VSINIT_F64_TAIL_Q};
  Doubles doubled_tail[kCount], r[kCount], ratios[kCount];
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

// All lanes as if they were in the centre first; then those in the tail, about
// one in seven, together and over again.
template <size_t kCount>
HWY_INLINE void NegatedUntruncatedDeviates(const Lanes* HWY_RESTRICT words,
                                           Doubles* HWY_RESTRICT deviates) {
  constexpr size_t kLaneCount = hn::MaxLanes(kLanes);
  constexpr size_t kStep = 4;
  constexpr size_t kTailStep = 2;
  HWY_ALIGN uint64_t all_words[kCount * kLaneCount];
  HWY_ALIGN double all_deviates[kCount * kLaneCount];
  HWY_ALIGN uint64_t tail_words[(kCount + kTailStep) * kLaneCount];
  HWY_ALIGN double tail_deviates[kTailStep * kLaneCount];
  uint8_t positions[kCount * kLaneCount];
  uint64_t in_tail[(kCount + 7) / 8] = {};

  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    hn::Store(words[i], kLanes, all_words + i * kLaneCount);
  }
  // Unrolled, it would have more vectors in use than there are registers.
  HWY_UNROLL(1)
  for (size_t i = 0; i < kCount; i += kStep) {
    Lanes some_words[kStep];
    Doubles central[kStep];
    HWY_UNROLL(12)
    for (size_t j = 0; j < kStep; ++j) {
      some_words[j] = hn::Load(kLanes, all_words + (i + j) * kLaneCount);
    }
    NegatedCentralDeviates<kStep>(some_words, central,
                                  reinterpret_cast<uint8_t*>(in_tail) + i);
    HWY_UNROLL(12)
    for (size_t j = 0; j < kStep; ++j) {
      hn::Store(central[j], kDoubles, all_deviates + (i + j) * kLaneCount);
    }
  }
  size_t count = 0;
  for (size_t part = 0; part < (kCount + 7) / 8; ++part) {
    // A byte for each vector, a bit for each lane.
    for (uint64_t bits = in_tail[part]; bits != 0; bits &= bits - 1) {
      const size_t bit = hwy::Num0BitsBelowLS1Bit_Nonzero64(bits);
      const size_t position = (8 * part + bit / 8) * kLaneCount + bit % 8;
      tail_words[count] = all_words[position];
      positions[count] = static_cast<uint8_t>(position);
      ++count;
    }
  }
  // What is computed beside the last of them is not used.
  HWY_UNROLL(2)
  for (size_t j = 0; j < kTailStep; ++j) {
    hn::StoreU(hn::Zero(kLanes), kLanes, tail_words + count + j * kLaneCount);
  }
  for (size_t done = 0; done < count; done += kTailStep * kLaneCount) {
    Lanes some_words[kTailStep];
    Doubles some_deviates[kTailStep];
    HWY_UNROLL(2)
    for (size_t j = 0; j < kTailStep; ++j) {
      some_words[j] = hn::Load(kLanes, tail_words + done + j * kLaneCount);
    }
    NegatedTailDeviates<kTailStep>(some_words, some_deviates);
    HWY_UNROLL(2)
    for (size_t j = 0; j < kTailStep; ++j) {
      hn::Store(some_deviates[j], kDoubles, tail_deviates + j * kLaneCount);
    }
    const size_t some = std::min(count - done, kTailStep * kLaneCount);
    for (size_t j = 0; j < some; ++j) {
      all_deviates[positions[done + j]] = tail_deviates[j];
    }
  }
  HWY_UNROLL(12)
  for (size_t i = 0; i < kCount; ++i) {
    deviates[i] = hn::Load(kDoubles, all_deviates + i * kLaneCount);
  }
}

// ---------------------------------------------------------------------------
// Scaling: r (limit - -limit) + -limit for a uniform, z stddev for a normal.

// The operations that bring a 16-bit uniform into its range.
template <typename T>
class UniformClamp {
 public:
  explicit HWY_INLINE UniformClamp(float limit)
      : UniformClamp(UniformRange<T>(limit)) {}
  HWY_INLINE Floats Apply(Floats values) const {
    return hn::Min(hn::Max(values, low_), high_);
  }

 private:
  explicit HWY_INLINE UniformClamp(const UniformRange<T>& range)
      : low_(hn::Set(kFloats, range.low)),
        high_(hn::Set(kFloats, range.high)) {}
  Floats low_;
  Floats high_;
};

template <Distribution kDistribution, class Tag, typename T>
class Scaler {
 public:
  using Real = hn::TFromD<Tag>;
  explicit HWY_INLINE Scaler(double limit_or_stddev)
      : factor_(hn::Set(Tag(), Factor(static_cast<Real>(limit_or_stddev)))),
        negated_limit_(hn::Set(Tag(), -static_cast<Real>(limit_or_stddev))),
        clamp_(static_cast<Real>(limit_or_stddev)) {}

  // Scales the deviates of kCount vectors of words.
  template <size_t kCount, class V>
  HWY_INLINE void Apply(const V* HWY_RESTRICT words,
                        hn::Vec<Tag>* HWY_RESTRICT values) const {
    if constexpr (kDistribution == Distribution::kUniform) {
      HWY_UNROLL(12)
      for (size_t i = 0; i < kCount; ++i) {
        values[i] = clamp_.Apply(hn::Add(
            hn::Mul(UniformDeviate(words[i]), factor_), negated_limit_));
      }
    } else {
      NegatedNormals<kCount>(words, values);
      HWY_UNROLL(12)
      for (size_t i = 0; i < kCount; ++i) {
        values[i] = hn::Mul(values[i], factor_);
      }
    }
  }

 private:
  template <size_t kCount, class V>
  static HWY_INLINE void NegatedNormals(const V* HWY_RESTRICT words,
                                        hn::Vec<Tag>* HWY_RESTRICT deviates) {
    constexpr bool kTruncated = kDistribution == Distribution::kTruncatedNormal;
    // Those of float64 see to it themselves when they are not truncated.
    constexpr bool kAtOnce = !kTruncated && sizeof(Real) == 8;
    constexpr size_t kStep = kAtOnce ? kCount : kInStep;
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; i += kStep) {
      if constexpr (kTruncated) {
        NegatedTruncatedDeviates<kStep>(words + i, deviates + i);
      } else {
        NegatedUntruncatedDeviates<kStep>(words + i, deviates + i);
      }
    }
  }

  static Real Factor(Real limit_or_stddev) {
    return kDistribution == Distribution::kUniform
               ? limit_or_stddev - -limit_or_stddev
               : -limit_or_stddev;
  }

  // float32 and float64 need no clamp.
  struct NoClamp {
    explicit HWY_INLINE NoClamp(Real) {}
    HWY_INLINE hn::Vec<Tag> Apply(hn::Vec<Tag> values) const { return values; }
  };

  hn::Vec<Tag> factor_;
  hn::Vec<Tag> negated_limit_;
  std::conditional_t<sizeof(T) == 2, UniformClamp<T>, NoClamp> clamp_;
};

// ---------------------------------------------------------------------------
// Keys.

// Round keys, and what else a seed fixes.
class RoundKeys {
 public:
  explicit RoundKeys(const StreamKey& stream) : stream_(stream) {
    uint32_t key0 = stream.key[0], key1 = stream.key[1];
    for (int round = 0; round < kPhiloxRounds; ++round) {
      std::fill_n(keys_[2 * round], hn::MaxLanes(kWords), key0);
      std::fill_n(keys_[2 * round + 1], hn::MaxLanes(kWords), key1);
      key0 += kPhiloxWeyl0;
      key1 += kPhiloxWeyl1;
    }
    const int last = kPhiloxRounds - 1;
    std::fill_n(last_keys_[0], kBlocksPerVector, uint64_t{Scalar0(last)} << 32);
    std::fill_n(last_keys_[1], kBlocksPerVector, uint64_t{Scalar1(last)} << 32);
  }

  const StreamKey& stream() const { return stream_; }
  HWY_INLINE Lanes Key0(int round) const { return Get(2 * round); }
  HWY_INLINE Lanes Key1(int round) const { return Get(2 * round + 1); }
  // Those of the last round, in the high halves of the lanes alone.
  HWY_INLINE Lanes LastKey0() const { return hn::Load(kLanes, last_keys_[0]); }
  HWY_INLINE Lanes LastKey1() const { return hn::Load(kLanes, last_keys_[1]); }
  uint32_t Scalar0(int round) const { return keys_[2 * round][0]; }
  uint32_t Scalar1(int round) const { return keys_[2 * round + 1][0]; }

 private:
  HWY_INLINE Lanes Get(int row) const {
    return hn::BitCast(kLanes, hn::Load(kWords, keys_[row]));
  }
  StreamKey stream_;
  HWY_ALIGN uint32_t keys_[2 * kPhiloxRounds][hn::MaxLanes(kWords)];
  HWY_ALIGN uint64_t last_keys_[2][kBlocksPerVector];
};

// ---------------------------------------------------------------------------
// Storage: how the words of a block are paired for the arithmetic, and how the
// results lie in memory. p0 and p1 are the last round's products, x1 and x3 the
// words before it (in the low halves of their lanes).

HWY_INLINE void StoreBytes(Floats values, bool stream,
                           float* HWY_RESTRICT out) {
  if (stream) {
    hn::Stream(values, kFloats, out);
  } else {
    hn::StoreU(values, kFloats, out);
  }
}

// In every 128 bits: the lower pairs of two vectors, each pair the other way
// round. Highway has no name for the one instruction of x86 that does it.
HWY_INLINE Floats SwappedLowerPairs(Floats a, Floats b) {
#if HWY_TARGET == HWY_AVX3
  return Floats{_mm512_shuffle_ps(a.raw, b.raw, _MM_SHUFFLE(0, 1, 0, 1))};
#elif HWY_TARGET == HWY_AVX2
  return Floats{_mm256_shuffle_ps(a.raw, b.raw, _MM_SHUFFLE(0, 1, 0, 1))};
#else
  return hn::BitCast(
      kFloats,
      hn::InterleaveLower(kLanes, hn::BitCast(kLanes, hn::Shuffle2301(a)),
                          hn::BitCast(kLanes, hn::Shuffle2301(b))));
#endif
}

// The upper pairs likewise.
HWY_INLINE Floats SwappedUpperPairs(Floats a, Floats b) {
#if HWY_TARGET == HWY_AVX3
  return Floats{_mm512_shuffle_ps(a.raw, b.raw, _MM_SHUFFLE(2, 3, 2, 3))};
#elif HWY_TARGET == HWY_AVX2
  return Floats{_mm256_shuffle_ps(a.raw, b.raw, _MM_SHUFFLE(2, 3, 2, 3))};
#else
  return hn::BitCast(
      kFloats,
      hn::InterleaveUpper(kLanes, hn::BitCast(kLanes, hn::Shuffle2301(a)),
                          hn::BitCast(kLanes, hn::Shuffle2301(b))));
#endif
}

// `product`, whose high half gets the low half of `word` and the key in.
HWY_INLINE Lanes WithHighXored(Lanes product, Lanes word, Lanes key) {
  return hn::Xor3(product, hn::ShiftLeft<32>(word), key);
}

// Lanes whose low halves come from one vector and high halves from another.
HWY_INLINE Words LowAndHigh(Lanes low, Lanes high) {
  return hn::OddEven(hn::BitCast(kWords, high), hn::BitCast(kWords, low));
}

template <Distribution kDistribution, typename T>
struct Storage;

template <Distribution kDistribution>
struct Storage<kDistribution, float> {
  using Scale = Scaler<kDistribution, TagFloat, float>;
  using Input = Words;
  using Output = Floats;
  static constexpr bool kAlternate = true;
  // Words 1 and 0, 3 and 2.
  static HWY_INLINE void Pair(Lanes p0, Lanes p1, Lanes x1, Lanes x3,
                              const RoundKeys& keys,
                              Words* HWY_RESTRICT words) {
    words[0] = hn::BitCast(kWords, WithHighXored(p1, x1, keys.LastKey0()));
    words[1] = hn::BitCast(kWords, WithHighXored(p0, x3, keys.LastKey1()));
  }
  // The lanes hold blocks in the order b0 b4 b1 b5 ...
  static HWY_INLINE void Write(Floats first, Floats second, bool stream,
                               uint8_t* HWY_RESTRICT out) {
    float* to = reinterpret_cast<float*>(out);
    StoreBytes(SwappedLowerPairs(first, second), stream, to);
    StoreBytes(SwappedUpperPairs(first, second), stream,
               to + hn::Lanes(kFloats));
  }
};

template <Distribution kDistribution>
struct Storage<kDistribution, double> {
  using Scale = Scaler<kDistribution, TagDouble, double>;
  using Input = Lanes;
  using Output = Doubles;
  static constexpr bool kAlternate = true;
  static HWY_INLINE void Pair(Lanes p0, Lanes p1, Lanes x1, Lanes x3,
                              const RoundKeys& keys,
                              Lanes* HWY_RESTRICT words) {
    words[0] = WithHighXored(p1, x1, keys.LastKey0());
    words[1] = WithHighXored(p0, x3, keys.LastKey1());
  }
  // The lanes hold blocks in the order b0 b4 b1 b5 ...
  static HWY_INLINE void Write(Doubles first, Doubles second, bool stream,
                               uint8_t* HWY_RESTRICT out) {
    float* to = reinterpret_cast<float*>(out);
    StoreBytes(
        hn::BitCast(kFloats, hn::InterleaveLower(kDoubles, first, second)),
        stream, to);
    StoreBytes(
        hn::BitCast(kFloats, hn::InterleaveUpper(kDoubles, first, second)),
        stream, to + hn::Lanes(kFloats));
  }
};

// 16-bit types pair words 0 with 2 and 1 with 3: a block is then one lane.
template <Distribution kDistribution, typename T>
struct Storage {
  using Scale = Scaler<kDistribution, TagFloat, T>;
  using Input = Words;
  using Output = Floats;
  static constexpr bool kAlternate = false;
  static HWY_INLINE void Pair(Lanes p0, Lanes p1, Lanes x1, Lanes x3,
                              const RoundKeys& keys,
                              Words* HWY_RESTRICT words) {
    const Lanes word0 =
        hn::Xor3(hn::ShiftRight<32>(p1), x1, keys.Key0(kPhiloxRounds - 1));
    const Lanes word2 = WithHighXored(p0, x3, keys.LastKey1());
    words[0] = LowAndHigh(word0, word2);
    words[1] = LowAndHigh(p1, hn::ShiftLeft<32>(p0));
  }
  static HWY_INLINE void Write(Floats even, Floats odd, bool stream,
                               uint8_t* HWY_RESTRICT out) {
    StoreBytes(hn::BitCast(kFloats, Packed(T(), even, odd)), stream,
               reinterpret_cast<float*>(out));
  }

 private:
  static HWY_INLINE Words Packed(Half, Floats even, Floats odd) {
    return hn::Or(HalfBits(even), hn::ShiftLeft<16>(HalfBits(odd)));
  }
  static HWY_INLINE Words Packed(Bfloat16, Floats even, Floats odd) {
    return hn::OrAnd(hn::ShiftRight<16>(RoundedUp(even)), RoundedUp(odd),
                     hn::Set(kWords, 0xFFFF0000u));
  }

  static HWY_INLINE Words HalfBits(Floats values) {
    const hn::Rebind<hwy::float16_t, TagFloat> halves;
    const hn::Rebind<uint16_t, TagFloat> half_bits;
    return hn::PromoteTo(kWords,
                         hn::BitCast(half_bits, hn::DemoteTo(halves, values)));
  }

  // The bfloat16 is in the high half.
  static HWY_INLINE Words RoundedUp(Floats values) {
    const Words bits = hn::BitCast(kWords, values);
    // A tie is rounded up where the bit above is set: there, the lowest bit
    // makes it more than a tie.
    const Words no_tie =
        hn::OrAnd(bits, hn::ShiftRight<16>(bits), hn::Set(kWords, 1u));
    return hn::Add(no_tie, hn::Set(kWords, 0x7FFFu));
  }
};

// ---------------------------------------------------------------------------
// Philox over many blocks.

// Consecutive blocks from `low` on, in the lane order the storage wants.
template <bool kAlternate>
class ConsecutiveBlocks {
 public:
  explicit HWY_INLINE ConsecutiveBlocks(uint32_t low) {
    HWY_ALIGN uint64_t order[kBlocksPerVector];
    for (size_t lane = 0; lane < kBlocksPerVector; ++lane) {
      order[lane] =
          low +
          (kAlternate ? (lane % 2) * (kBlocksPerVector / 2) + lane / 2 : lane);
    }
    next_ = hn::Load(kLanes, order);
  }
  // The low counter words of the vector `vector` of the current group.
  HWY_INLINE Lanes Counters(size_t vector) const {
    return hn::Add(next_, hn::Set(kLanes, vector * kBlocksPerVector));
  }
  HWY_INLINE void NextGroup() {
    next_ = hn::Add(next_, hn::Set(kLanes, kBlocksPerGroup));
  }

 private:
  Lanes next_;
};

// Blocks from a list of low counter words.
template <bool kAlternate>
class ListedBlocks {
 public:
  explicit HWY_INLINE ListedBlocks(const uint32_t* HWY_RESTRICT low)
      : next_(low) {}
  HWY_INLINE Lanes Counters(size_t vector) const {
    const hn::Rebind<uint32_t, TagLanes> half;
    const Lanes natural = hn::PromoteTo(
        kLanes, hn::LoadU(half, next_ + vector * kBlocksPerVector));
    if constexpr (kAlternate && kBlocksPerVector > 2) {
      HWY_ALIGN uint64_t order[kBlocksPerVector];
      for (size_t lane = 0; lane < kBlocksPerVector; ++lane) {
        order[lane] = (lane % 2) * (kBlocksPerVector / 2) + lane / 2;
      }
      return hn::TableLookupLanes(natural, hn::SetTableIndices(kLanes, order));
    } else {
      return natural;
    }
  }
  HWY_INLINE void NextGroup() { next_ += kBlocksPerGroup; }

 private:
  const uint32_t* HWY_RESTRICT next_;
};

// Writes `groups` groups of blocks, whose counters share the word `high`.
template <class Store, class Source, class Scale>
HWY_INLINE void WriteBlocks(const RoundKeys& keys, uint32_t high, Source source,
                            size_t groups, const Scale& scale, bool stream,
                            uint8_t* HWY_RESTRICT out) {
  constexpr size_t kVectorBytes =
      kBlocksPerVector * (Store::kAlternate ? 16 : 8);
  const Words multiplier0 = hn::Set(kWords, kPhiloxMultiplier0);
  const Words multiplier1 = hn::Set(kWords, kPhiloxMultiplier1);
  const auto times = [](Lanes x, Words multiplier) HWY_ATTR {
    return hn::MulEven(hn::BitCast(kWords, x), multiplier);
  };
  // In the first two rounds, the words that do not depend on the block's low
  // counter word are the same for all.
  const StreamKey& stream_key = keys.stream();
  const uint64_t round0_product1 =
      uint64_t{kPhiloxMultiplier1} * stream_key.counter_high[0];
  const uint32_t round1_x0 =
      static_cast<uint32_t>(round0_product1 >> 32) ^ high ^ keys.Scalar0(0);
  const uint64_t round1_product0 = uint64_t{kPhiloxMultiplier0} * round1_x0;
  const Lanes round0_x2 =
      hn::Set(kLanes, stream_key.counter_high[1] ^ keys.Scalar1(0));
  const Lanes round1_x0_part =
      hn::Set(kLanes, static_cast<uint32_t>(round0_product1) ^ keys.Scalar0(1));
  const Lanes round1_x2_part = hn::Set(
      kLanes, static_cast<uint32_t>(round1_product0 >> 32) ^ keys.Scalar1(1));
  const Lanes round1_x3 =
      hn::Set(kLanes, static_cast<uint32_t>(round1_product0));

  for (size_t group = 0; group < groups; ++group) {
    Lanes x0[kVectors], x1[kVectors], x2[kVectors], x3[kVectors];
    HWY_UNROLL(kVectors)
    for (size_t i = 0; i < kVectors; ++i) {
      const Lanes p0 = times(source.Counters(i), multiplier0);
      const Lanes p1 =
          times(hn::Xor(hn::ShiftRight<32>(p0), round0_x2), multiplier1);
      x0[i] = hn::Xor(hn::ShiftRight<32>(p1), round1_x0_part);
      x1[i] = p1;
      x2[i] = hn::Xor(p0, round1_x2_part);
      x3[i] = round1_x3;
    }
    source.NextGroup();
    HWY_UNROLL(kPhiloxRounds)
    for (int round = 2; round < kPhiloxRounds - 1; ++round) {
      const Lanes k0 = keys.Key0(round);
      const Lanes k1 = keys.Key1(round);
      HWY_UNROLL(kVectors)
      for (size_t i = 0; i < kVectors; ++i) {
        const Lanes p0 = times(x0[i], multiplier0);
        const Lanes p1 = times(x2[i], multiplier1);
        x0[i] = hn::Xor3(hn::ShiftRight<32>(p1), x1[i], k0);
        x1[i] = p1;
        x2[i] = hn::Xor3(hn::ShiftRight<32>(p0), x3[i], k1);
        x3[i] = p0;
      }
    }
    typename Store::Input words[2 * kVectors];
    HWY_UNROLL(kVectors)
    for (size_t i = 0; i < kVectors; ++i) {
      Store::Pair(times(x0[i], multiplier0), times(x2[i], multiplier1), x1[i],
                  x3[i], keys, words + 2 * i);
    }
    typename Store::Output values[2 * kVectors];
    scale.template Apply<2 * kVectors>(words, values);
    HWY_UNROLL(kVectors)
    for (size_t i = 0; i < kVectors; ++i) {
      Store::Write(values[2 * i], values[2 * i + 1], stream, out);
      out += kVectorBytes;
    }
  }
}

// ---------------------------------------------------------------------------
// From blocks to elements.

// Draws runs of elements: the blocks inside a long run go straight to memory,
// short runs and ragged ends are gathered into batches of blocks first.
template <Distribution kDistribution, typename T>
class Filler {
 public:
  Filler(const Sampler& sampler, bool stream)
      : keys_(sampler.key), scale_(sampler.limit_or_stddev), stream_(stream) {}

  void Fill(const Box& box, uint64_t begin, uint64_t end, T* out) {
    if (begin == end) return;
    Box::Cursor cursor(box, begin);
    while (begin < end) {
      const Run run = cursor.run();
      const uint64_t count =
          std::min({run.count, end - begin, kToWrap - run.first % kToWrap});
      if (count >= kDirect) {
        FillRun(run.first, count, out);
      } else {
        Gather(run.first, count, out);
      }
      cursor.Advance(count);
      out += count;
      begin += count;
    }
    Flush();
    if (stream_) hwy::FlushStream();
  }

 private:
  using Store = Storage<kDistribution, T>;
  static constexpr uint64_t kPerBlock = ElementTraits<T>::kPerBlock;
  static constexpr uint64_t kBlockBytes = kPerBlock * sizeof(T);
  static constexpr size_t kBatchBlocks = 16 * kBlocksPerGroup;
  // Elements in a run that is not gathered.
  static constexpr uint64_t kDirect = 4 * kBlocksPerGroup * kPerBlock;
  // Elements from one wrap of the low counter word to the next; no run that is
  // filled or gathered goes across.
  static constexpr uint64_t kToWrap = (uint64_t{1} << 32) * kPerBlock;

  struct Piece {
    T* out;
    uint32_t offset;  // of its first element in the batch
    uint32_t count;
  };

  void FillRun(uint64_t first, uint64_t count, T* out) {
    uint64_t head = (kPerBlock - first % kPerBlock) % kPerBlock;
    bool stream = stream_;
    if (stream) {
      const uint64_t address = reinterpret_cast<uintptr_t>(out + head);
      constexpr uint64_t kAlignment = hn::MaxLanes(kFloats) * sizeof(float);
      const uint64_t gap = (kAlignment - address % kAlignment) % kAlignment;
      stream = gap % kBlockBytes == 0;
      if (stream) head += gap / sizeof(T);
    }
    Gather(first, head, out);
    first += head;
    count -= head;
    out += head;
    const uint64_t block = first / kPerBlock;
    const uint64_t groups = count / (kPerBlock * kBlocksPerGroup);
    WriteBlocks<Store>(
        keys_, static_cast<uint32_t>(block >> 32),
        ConsecutiveBlocks<Store::kAlternate>(static_cast<uint32_t>(block)),
        groups, scale_, stream, reinterpret_cast<uint8_t*>(out));
    const uint64_t done = groups * kBlocksPerGroup * kPerBlock;
    Gather(first + done, count - done, out + done);
  }

  // Puts a run on the list of what the next flush draws.
  void Gather(uint64_t first, uint64_t count, T* out) {
    while (count > 0) {
      const uint64_t block = first / kPerBlock;
      const uint32_t high = static_cast<uint32_t>(block >> 32);
      if (blocks_ == kBatchBlocks || (blocks_ > 0 && high != high_)) Flush();
      high_ = high;
      const uint64_t skip = first % kPerBlock;
      const uint64_t wanted = (skip + count + kPerBlock - 1) / kPerBlock;
      const uint64_t blocks =
          std::min(wanted, uint64_t{kBatchBlocks} - blocks_);
      const uint64_t some = std::min(count, blocks * kPerBlock - skip);
      pieces_[piece_count_++] = {
          out, static_cast<uint32_t>(blocks_ * kPerBlock + skip),
          static_cast<uint32_t>(some)};
      for (uint64_t i = 0; i < blocks; ++i) {
        low_[blocks_ + i] = static_cast<uint32_t>(block + i);
      }
      blocks_ += blocks;
      first += some;
      count -= some;
      out += some;
    }
  }

  void Flush() {
    if (blocks_ == 0) return;
    const size_t groups = (blocks_ + kBlocksPerGroup - 1) / kBlocksPerGroup;
    std::fill(low_ + blocks_, low_ + groups * kBlocksPerGroup, 0u);
    WriteBlocks<Store>(keys_, high_, ListedBlocks<Store::kAlternate>(low_),
                       groups, scale_, /*stream=*/false,
                       reinterpret_cast<uint8_t*>(values_));
    for (size_t i = 0; i < piece_count_; ++i) {
      CopyOut(values_ + pieces_[i].offset, pieces_[i].count, pieces_[i].out);
    }
    blocks_ = 0;
    piece_count_ = 0;
  }

  // Copies a piece to where it goes: past the caches if it fills vectors there.
  void CopyOut(const T* values, size_t count, T* out) {
    constexpr size_t kVectorBytes = hn::MaxLanes(kFloats) * sizeof(float);
    const size_t bytes = count * sizeof(T);
    if (!stream_ || reinterpret_cast<uintptr_t>(out) % kVectorBytes != 0 ||
        bytes % kVectorBytes != 0) {
      memcpy(out, values, bytes);
      return;
    }
    const uint8_t* from = reinterpret_cast<const uint8_t*>(values);
    uint8_t* to = reinterpret_cast<uint8_t*>(out);
    for (size_t at = 0; at < bytes; at += kVectorBytes) {
      const auto vector =
          hn::LoadU(kFloats, reinterpret_cast<const float*>(from + at));
      hn::Stream(vector, kFloats, reinterpret_cast<float*>(to + at));
    }
  }

  const RoundKeys keys_;
  const typename Store::Scale scale_;
  const bool stream_;
  uint32_t high_ = 0;
  size_t blocks_ = 0;
  size_t piece_count_ = 0;
  uint32_t low_[kBatchBlocks];
  Piece pieces_[kBatchBlocks];
  HWY_ALIGN T values_[kBatchBlocks * kPerBlock];
};

#else  // HWY_NATIVE_FMA

// Without FMA instructions each fused operation is a library call, and SIMD
// would not pay: the scalar truth itself.
template <Distribution kDistribution, typename T>
class Filler {
 public:
  Filler(const Sampler& sampler, bool /*stream*/) : sampler_(sampler) {}

  void Fill(const Box& box, uint64_t begin, uint64_t end, T* out) {
    if (begin == end) return;
    Box::Cursor cursor(box, begin);
    while (begin < end) {
      const Run run = cursor.run();
      const uint64_t count = std::min(run.count, end - begin);
      for (uint64_t i = 0; i < count; ++i) {
        out[i] = ElementAt<T>(sampler_, run.first + i);
      }
      cursor.Advance(count);
      out += count;
      begin += count;
    }
  }

 private:
  const Sampler sampler_;
};

#endif  // HWY_NATIVE_FMA

template <typename T>
void FillType(const Sampler& sampler, const Box& box, uint64_t begin,
              uint64_t end, void* out, bool stream) {
  T* to = static_cast<T*>(out);
  switch (sampler.distribution) {
    case Distribution::kUniform:
      Filler<Distribution::kUniform, T>(sampler, stream)
          .Fill(box, begin, end, to);
      return;
    case Distribution::kTruncatedNormal:
      Filler<Distribution::kTruncatedNormal, T>(sampler, stream)
          .Fill(box, begin, end, to);
      return;
    case Distribution::kUntruncatedNormal:
      Filler<Distribution::kUntruncatedNormal, T>(sampler, stream)
          .Fill(box, begin, end, to);
      return;
  }
}

void FillTarget(const Sampler& sampler, ElementType type, const Box& box,
                uint64_t begin, uint64_t end, void* out, bool stream) {
  switch (type) {
    case ElementType::kHalf:
      return FillType<Half>(sampler, box, begin, end, out, stream);
    case ElementType::kBfloat16:
      return FillType<Bfloat16>(sampler, box, begin, end, out, stream);
    case ElementType::kFloat:
      return FillType<float>(sampler, box, begin, end, out, stream);
    case ElementType::kDouble:
      return FillType<double>(sampler, box, begin, end, out, stream);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tf_vsinit {

HWY_EXPORT(FillTarget);

namespace {

std::string NameOf(int64_t target) {
  const std::string name = hwy::TargetName(target);
  return name == "SSE4" || name == "EMU128" || name == "SCALAR" ? "scalar"
                                                                : name;
}

}  // namespace

void FillBox(const Sampler& sampler, ElementType type, const Box& box,
             uint64_t begin, uint64_t end, void* out, Reuse reuse) {
  const StandardFloatingPoint standard;
  HWY_DYNAMIC_DISPATCH(FillTarget)
  (sampler, type, box, begin, end, out, reuse == Reuse::kNotSoon);
}

double NanosecondsPerElement(const Sampler& sampler, ElementType type) {
  // Asking the processor what it can do takes longer than a small tensor.
  static const double simd = InstructionSet() == "scalar" ? 40.0 : 1.0;
  const double width = type == ElementType::kDouble ? 4.0 : 1.0;
  const double kind = sampler.distribution == Distribution::kUniform ? 0.4
                      : sampler.distribution == Distribution::kTruncatedNormal
                          ? 0.6
                          : 0.8;
  return simd * width * kind;
}

std::string InstructionSet() { return InstructionSets().front(); }

std::vector<std::string> InstructionSets() {
  std::vector<std::string> names;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    const std::string name = NameOf(target);
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

bool UseInstructionSet(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  int64_t chosen = name.empty() ? hwy::SupportedTargets() : 0;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (NameOf(target) == name) chosen = target;
  }
  if (chosen == 0) return false;
  if (!name.empty()) hwy::SetSupportedTargetsForTest(chosen);
  hwy::GetChosenTarget().Update(chosen);
  return true;
}

}  // namespace tf_vsinit
#endif  // HWY_ONCE

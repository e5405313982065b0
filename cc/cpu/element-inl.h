// From words to the elements of a type: scaling, the order of lanes, stores.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_ELEMENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_ELEMENT_INL_H_
#undef TF_VSINIT_CC_CPU_ELEMENT_INL_H_
#else
#define TF_VSINIT_CC_CPU_ELEMENT_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cc/cpu/block_order.h"
#include "cc/cpu/distributions-inl.h"
#include "cc/cpu/philox-inl.h"
#include "cc/cpu/vectors-inl.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/philox.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// ---------------------------------------------------------------------------
// Scaling, as in cc/stream/element.h.

// Brings uniforms of a 16-bit type into their range.
template <typename T>
class UniformClamp {
 public:
  explicit HWY_INLINE UniformClamp(float limit)
      : UniformClamp(UniformRange<T>(limit)) {}
  HWY_INLINE VF32 Apply(VF32 values) const {
    return hn::Min(hn::Max(values, low_), high_);
  }

 private:
  explicit HWY_INLINE UniformClamp(const UniformRange<T>& range)
      : low_(hn::Set(df32, range.low)), high_(hn::Set(df32, range.high)) {}

  VF32 low_;
  VF32 high_;
};

// Uniforms of the wider types need no clamp.
struct NoClamp {
  template <typename Real>
  explicit HWY_INLINE NoClamp(Real /*limit*/) {}
  template <class V>
  HWY_INLINE V Apply(V values) const {
    return values;
  }
};

// Turns words into values of type T that are not yet rounded to 16 bits.
template <Distribution kDistribution, typename T>
class VectorScaling {
 public:
  using Real = typename ElementTraits<T>::Real;
  using D = hn::ScalableTag<Real>;
  using V = hn::Vec<D>;

  explicit HWY_INLINE VectorScaling(double limit_or_stddev)
      : factor_(hn::Set(D(), Factor(static_cast<Real>(limit_or_stddev)))),
        minus_limit_(hn::Set(D(), -static_cast<Real>(limit_or_stddev))),
        clamp_(static_cast<Real>(limit_or_stddev)) {}

  // Makes kCount vectors of values from as many vectors of words.
  template <size_t kCount, class Words>
  HWY_INLINE void Apply(const Words* HWY_RESTRICT words,
                        V* HWY_RESTRICT values) const {
    if constexpr (kDistribution == Distribution::kUniform) {
      HWY_UNROLL(12)
      for (size_t i = 0; i < kCount; ++i) {
        values[i] = clamp_.Apply(
            hn::Add(hn::Mul(UniformDeviate(words[i]), factor_), minus_limit_));
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
  template <size_t kCount, class Words>
  static HWY_INLINE void NegatedNormals(const Words* HWY_RESTRICT words,
                                        V* HWY_RESTRICT deviates) {
    constexpr bool kTruncated = kDistribution == Distribution::kTruncatedNormal;
    // Untruncated float64 normals gather the tail from all vectors.
    constexpr bool kAtOnce = !kTruncated && sizeof(Real) == 8;
    constexpr size_t kStep = kAtOnce ? kCount : kVectorsInStep;
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

  V factor_;
  V minus_limit_;
  std::conditional_t<sizeof(T) == 2, UniformClamp<T>, NoClamp> clamp_;
};

// ---------------------------------------------------------------------------
// Stores.

HWY_INLINE void StoreVector(VF32 values, bool non_temporal,
                            float* HWY_RESTRICT out) {
  if (non_temporal) {
    hn::Stream(values, df32, out);
  } else {
    hn::StoreU(values, df32, out);
  }
}

// In every 128 bits: the lower pair of lanes of `a` and the lower pair of `b`,
// each swapped. Highway has no name for the x86 instruction that does this.
HWY_INLINE VF32 SwappedLowerPairs(VF32 a, VF32 b) {
#if HWY_TARGET == HWY_AVX3
  return VF32{_mm512_shuffle_ps(a.raw, b.raw, _MM_SHUFFLE(0, 1, 0, 1))};
#elif HWY_TARGET == HWY_AVX2
  return VF32{_mm256_shuffle_ps(a.raw, b.raw, _MM_SHUFFLE(0, 1, 0, 1))};
#else
  return hn::BitCast(
      df32, hn::InterleaveLower(du64, hn::BitCast(du64, hn::Shuffle2301(a)),
                                hn::BitCast(du64, hn::Shuffle2301(b))));
#endif
}

// The same for the upper pairs.
HWY_INLINE VF32 SwappedUpperPairs(VF32 a, VF32 b) {
#if HWY_TARGET == HWY_AVX3
  return VF32{_mm512_shuffle_ps(a.raw, b.raw, _MM_SHUFFLE(2, 3, 2, 3))};
#elif HWY_TARGET == HWY_AVX2
  return VF32{_mm256_shuffle_ps(a.raw, b.raw, _MM_SHUFFLE(2, 3, 2, 3))};
#else
  return hn::BitCast(
      df32, hn::InterleaveUpper(du64, hn::BitCast(du64, hn::Shuffle2301(a)),
                                hn::BitCast(du64, hn::Shuffle2301(b))));
#endif
}

// `product` with the low half of `word`, and the key, xored into its high half.
HWY_INLINE VU64 WithHighXored(VU64 product, VU64 word, VU64 key) {
  return hn::Xor3(product, hn::ShiftLeft<32>(word), key);
}

// Lanes with the low halves of one vector and the high halves of another.
HWY_INLINE VU32 LowAndHigh(VU64 low, VU64 high) {
  return hn::OddEven(hn::BitCast(du32, high), hn::BitCast(du32, low));
}

// ---------------------------------------------------------------------------
// The layout of each element type. LastRound computes the last round of Philox
// and leaves the words of each block paired for the arithmetic, in two vectors;
// Write puts the values in the order of the
// stream. Order is that of the blocks in the lanes.

// The 16-bit types: the four elements of a block fill one 64-bit lane.
template <typename T>
struct ElementLayout {
  using Words = VU32;
  using Order = NaturalOrder;

  // Words 0 and 2 of each block, and words 1 and 3.
  static HWY_INLINE void LastRound(const GroupWords& group, size_t vector,
                                   const RoundKeys& keys,
                                   VU32* HWY_RESTRICT words) {
    const VU64 p0 = Times0(group.x0[vector]);
    const VU64 p1 = Times1(group.x2[vector]);
    const VU64 word0 = hn::Xor3(hn::ShiftRight<32>(p1), group.x1[vector],
                                keys.Key0(kPhiloxRounds - 1));
    const VU64 word2 = WithHighXored(p0, group.x3[vector], keys.LastKey1());
    words[0] = LowAndHigh(word0, word2);
    words[1] = LowAndHigh(p1, hn::ShiftLeft<32>(p0));
  }
  static HWY_INLINE void Write(VF32 even, VF32 odd, bool non_temporal,
                               uint8_t* HWY_RESTRICT out) {
    StoreVector(hn::BitCast(df32, Packed(T(), even, odd)), non_temporal,
                reinterpret_cast<float*>(out));
  }

 private:
  static HWY_INLINE VU32 Packed(Half, VF32 even, VF32 odd) {
    return hn::Or(HalfBits(even), hn::ShiftLeft<16>(HalfBits(odd)));
  }
  static HWY_INLINE VU32 Packed(Bfloat16, VF32 even, VF32 odd) {
    return hn::OrAnd(hn::ShiftRight<16>(RoundedToHighHalf(even)),
                     RoundedToHighHalf(odd), hn::Set(du32, 0xFFFF0000u));
  }

  // Rounds to float16, to nearest even; the bits are in the low half of a lane.
  static HWY_INLINE VU32 HalfBits(VF32 values) {
    const hn::Rebind<hwy::float16_t, DF32> halves;
    const hn::Rebind<uint16_t, DF32> half_bits;
    return hn::PromoteTo(du32,
                         hn::BitCast(half_bits, hn::DemoteTo(halves, values)));
  }

  // Leaves the nearest bfloat16 in the high half of each lane.
  static HWY_INLINE VU32 RoundedToHighHalf(VF32 values) {
    const VU32 bits = hn::BitCast(du32, values);
    // A tie goes up if the lowest bit of the high half is set: with that bit
    // at the bottom as well, it is more than a tie.
    const VU32 no_tie =
        hn::OrAnd(bits, hn::ShiftRight<16>(bits), hn::Set(du32, 1u));
    return hn::Add(no_tie, hn::Set(du32, 0x7FFFu));
  }
};

template <>
struct ElementLayout<float> {
  using Words = VU32;
  using Order = BlockOrder<kBlocksPerVector / 2, 2>;

  // Words 1 and 0 of each block, and words 3 and 2.
  static HWY_INLINE void LastRound(const GroupWords& group, size_t vector,
                                   const RoundKeys& keys,
                                   VU32* HWY_RESTRICT words) {
    const VU64 p0 = Times0(group.x0[vector]);
    const VU64 p1 = Times1(group.x2[vector]);
    words[0] =
        hn::BitCast(du32, WithHighXored(p1, group.x1[vector], keys.LastKey0()));
    words[1] =
        hn::BitCast(du32, WithHighXored(p0, group.x3[vector], keys.LastKey1()));
  }
  static HWY_INLINE void Write(VF32 first, VF32 second, bool non_temporal,
                               uint8_t* HWY_RESTRICT out) {
    float* to = reinterpret_cast<float*>(out);
    StoreVector(SwappedLowerPairs(first, second), non_temporal, to);
    StoreVector(SwappedUpperPairs(first, second), non_temporal,
                to + hn::Lanes(df32));
  }
};

template <>
struct ElementLayout<double> {
  using Words = VU64;
  using Order = BlockOrder<kBlocksPerVector / 2, 2>;

  // Words 0 and 1 of each block as one number, and words 2 and 3.
  static HWY_INLINE void LastRound(const GroupWords& group, size_t vector,
                                   const RoundKeys& keys,
                                   VU64* HWY_RESTRICT words) {
    const VU64 p0 = Times0(group.x0[vector]);
    const VU64 p1 = Times1(group.x2[vector]);
    words[0] = WithHighXored(p1, group.x1[vector], keys.LastKey0());
    words[1] = WithHighXored(p0, group.x3[vector], keys.LastKey1());
  }
  static HWY_INLINE void Write(VF64 first, VF64 second, bool non_temporal,
                               uint8_t* HWY_RESTRICT out) {
    float* to = reinterpret_cast<float*>(out);
    StoreVector(hn::BitCast(df32, hn::InterleaveLower(df64, first, second)),
                non_temporal, to);
    StoreVector(hn::BitCast(df32, hn::InterleaveUpper(df64, first, second)),
                non_temporal, to + hn::Lanes(df32));
  }
};

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

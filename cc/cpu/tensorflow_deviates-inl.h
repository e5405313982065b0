// The deviates of the TensorFlow stream, block by block into memory.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_TENSORFLOW_DEVIATES_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_TENSORFLOW_DEVIATES_INL_H_
#undef TF_VSINIT_CC_CPU_TENSORFLOW_DEVIATES_INL_H_
#else
#define TF_VSINIT_CC_CPU_TENSORFLOW_DEVIATES_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "cc/cpu/block_order.h"
#include "cc/cpu/box_muller-inl.h"
#include "cc/cpu/box_muller_float64-inl.h"
#include "cc/cpu/element-inl.h"
#include "cc/cpu/philox-inl.h"
#include "cc/cpu/vectors-inl.h"
#include "cc/stream/sampler.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// The blocks are taken two vectors at a time.
constexpr size_t kBlocksPerPair = 2 * kBlocksPerVector;
static_assert(kVectorsPerGroup % 2 == 0, "vectors are taken in pairs");

// The normal deviates of a pair of vectors of blocks.
template <typename Real>
class PairDeviates;

// Two vectors of blocks make four vectors of float32 deviates, one for each
// word.
template <>
class PairDeviates<float> {
 public:
  // Store wants the blocks in this order. It transposes matrices of four lanes
  // in every 128 bits.
  using Order = BlockOrder<kBlocksPerPair / 4, 4>;

  HWY_INLINE PairDeviates(const GroupWords& group, size_t vector,
                          const RoundKeys& keys) {
    // Words 0 of both vectors, then words 2; words 1, then words 3.
    VU64 radius_words[4], angle_words[4];
    constexpr int kLast = kPhiloxRounds - 1;
    HWY_UNROLL(2)
    for (size_t i = 0; i < 2; ++i) {
      const VU64 p0 = Times0(group.x0[vector + i]);
      const VU64 p1 = Times1(group.x2[vector + i]);
      radius_words[i] = hn::Xor3(hn::ShiftRight<32>(p1), group.x1[vector + i],
                                 keys.Key0(kLast));
      angle_words[i] = p1;
      radius_words[2 + i] = hn::Xor3(hn::ShiftRight<32>(p0),
                                     group.x3[vector + i], keys.Key1(kLast));
      angle_words[2 + i] = p0;
    }
    VF32 first[2], second[2];
    BoxMullerInStep<4>(radius_words, angle_words, first, second);
    d_[0] = first[0];
    d_[1] = second[0];
    d_[2] = first[1];
    d_[3] = second[1];
  }

  // Writes the deviates of one block after those of the other.
  HWY_INLINE void Store(float* HWY_RESTRICT out) const {
    const auto wide = [](VF32 v) HWY_ATTR { return hn::BitCast(du64, v); };
    const VU64 lower01 = wide(hn::InterleaveLower(df32, d_[0], d_[1]));
    const VU64 upper01 = wide(hn::InterleaveUpper(df32, d_[0], d_[1]));
    const VU64 lower23 = wide(hn::InterleaveLower(df32, d_[2], d_[3]));
    const VU64 upper23 = wide(hn::InterleaveUpper(df32, d_[2], d_[3]));
    const auto store = [&](size_t vector, VU64 values) HWY_ATTR {
      hn::Store(hn::BitCast(df32, values), df32,
                out + vector * hn::Lanes(df32));
    };
    store(0, hn::InterleaveLower(du64, lower01, lower23));
    store(1, hn::InterleaveUpper(du64, lower01, lower23));
    store(2, hn::InterleaveLower(du64, upper01, upper23));
    store(3, hn::InterleaveUpper(du64, upper01, upper23));
  }

  // A bit for each block, in the order of the lanes, that has a deviate outside
  // two standard deviations.
  HWY_INLINE uint32_t Rejecting() const {
    const VF32 largest = hn::Max(hn::Max(hn::Abs(d_[0]), hn::Abs(d_[1])),
                                 hn::Max(hn::Abs(d_[2]), hn::Abs(d_[3])));
    uint8_t bits[8] = {};
    hn::StoreMaskBits(df32, hn::Ge(largest, hn::Set(df32, 2.0f)), bits);
    return bits[0] | uint32_t{bits[1]} << 8;
  }

 private:
  VF32 d_[4];
};

// Each vector of blocks makes two vectors of float64 deviates.
template <>
class PairDeviates<double> {
 public:
  using Order = BlockOrder<kBlocksPerVector / 2, 2>;

  HWY_INLINE PairDeviates(const GroupWords& group, size_t vector,
                          const RoundKeys& keys) {
    HWY_UNROLL(2)
    for (size_t i = 0; i < 2; ++i) {
      VU64 words[2];
      ElementLayout<double>::LastRound(group, vector + i, keys, words);
      BoxMuller(words[0], words[1], d_[i][0], d_[i][1]);
    }
  }

  HWY_INLINE void Store(double* HWY_RESTRICT out) const {
    HWY_UNROLL(2)
    for (size_t i = 0; i < 2; ++i) {
      hn::Store(hn::InterleaveLower(df64, d_[i][0], d_[i][1]), df64, out);
      out += hn::Lanes(df64);
      hn::Store(hn::InterleaveUpper(df64, d_[i][0], d_[i][1]), df64, out);
      out += hn::Lanes(df64);
    }
  }

  HWY_INLINE uint32_t Rejecting() const {
    uint32_t all_bits = 0;
    HWY_UNROLL(2)
    for (size_t i = 0; i < 2; ++i) {
      const VF64 largest = hn::Max(hn::Abs(d_[i][0]), hn::Abs(d_[i][1]));
      uint8_t bits[8] = {};
      hn::StoreMaskBits(df64, hn::Ge(largest, hn::Set(df64, 2.0)), bits);
      all_bits |= uint32_t{bits[0]} << i * kBlocksPerVector;
    }
    return all_bits;
  }

 private:
  VF64 d_[2][2];
};

// Writes the normal deviates of `groups` groups of blocks, which the source has
// in the order of PairDeviates. `high` is the high counter word, if all blocks
// of the source share it.
// Calls visit(first, deviates) for each pair of vectors, from block `first` on.
template <typename Real, class Source, class Visit>
HWY_INLINE void WriteNormalDeviates(const RoundKeys& keys, uint32_t high,
                                    Source source, size_t groups,
                                    const Visit& visit,
                                    Real* HWY_RESTRICT out) {
  constexpr size_t kPerBlock = ElementTraits<Real>::kPerBlock;
  const EarlyRounds early_rounds(keys, high);
  for (size_t group = 0; group < groups; ++group) {
    GroupWords group_words;
    early_rounds.Apply(source, group_words);
    source.NextGroup();
    HWY_UNROLL(4)
    for (size_t i = 0; i < kVectorsPerGroup; i += 2) {
      const PairDeviates<Real> pair(group_words, i, keys);
      const size_t first = group * kBlocksPerGroup + i * kBlocksPerVector;
      pair.Store(out + kPerBlock * first);
      visit(first, pair);
    }
  }
}

// Lists the blocks that have a deviate outside two standard deviations.
class RejectingBlocks {
 public:
  explicit HWY_INLINE RejectingBlocks(uint32_t* HWY_RESTRICT list)
      : list_(list) {}
  template <typename Real>
  HWY_INLINE void Add(size_t first, const PairDeviates<Real>& pair) {
    using Order = typename PairDeviates<Real>::Order;
    const uint32_t bits = pair.Rejecting();
    // Without branches: none could be predicted.
    HWY_UNROLL(16)
    for (size_t place = 0; place < kBlocksPerPair; ++place) {
      list_[count_] = static_cast<uint32_t>(first + Order::Block(place));
      count_ += bits >> place & 1;
    }
  }
  size_t count() const { return count_; }

 private:
  uint32_t* HWY_RESTRICT list_;
  size_t count_ = 0;
};

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

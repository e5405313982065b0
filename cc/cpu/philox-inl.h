// Philox for the blocks of a group: round keys, the counters of the blocks, and
// all rounds but the last.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_PHILOX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_PHILOX_INL_H_
#undef TF_VSINIT_CC_CPU_PHILOX_INL_H_
#else
#define TF_VSINIT_CC_CPU_PHILOX_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "cc/cpu/block_order.h"
#include "cc/cpu/vectors-inl.h"
#include "cc/stream/philox.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// The round keys of a stream's key.
class RoundKeys {
 public:
  explicit RoundKeys(const StreamKey& key) : stream_key_(key) {
    uint32_t key0 = key.key[0], key1 = key.key[1];
    for (int round = 0; round < kPhiloxRounds; ++round) {
      // Not by std::fill_n: with -O3 and AVX2, gcc 12.2 mixes up the rows.
      hn::Store(hn::Set(du32, key0), du32, keys_[2 * round]);
      hn::Store(hn::Set(du32, key1), du32, keys_[2 * round + 1]);
      key0 += kPhiloxWeyl0;
      key1 += kPhiloxWeyl1;
    }
    const int last = kPhiloxRounds - 1;
    hn::Store(hn::Set(du64, uint64_t{Scalar0(last)} << 32), du64,
              last_keys_[0]);
    hn::Store(hn::Set(du64, uint64_t{Scalar1(last)} << 32), du64,
              last_keys_[1]);
  }

  const StreamKey& stream_key() const { return stream_key_; }
  // A round's keys in both halves of every lane.
  HWY_INLINE VU64 Key0(int round) const { return Get(2 * round); }
  HWY_INLINE VU64 Key1(int round) const { return Get(2 * round + 1); }
  // The last round's keys in the high half of every lane; the low half is zero.
  HWY_INLINE VU64 LastKey0() const { return hn::Load(du64, last_keys_[0]); }
  HWY_INLINE VU64 LastKey1() const { return hn::Load(du64, last_keys_[1]); }
  uint32_t Scalar0(int round) const { return keys_[2 * round][0]; }
  uint32_t Scalar1(int round) const { return keys_[2 * round + 1][0]; }

 private:
  HWY_INLINE VU64 Get(int row) const {
    return hn::BitCast(du64, hn::Load(du32, keys_[row]));
  }

  StreamKey stream_key_;
  HWY_ALIGN uint32_t keys_[2 * kPhiloxRounds][hn::MaxLanes(du32)];
  HWY_ALIGN uint64_t last_keys_[2][kBlocksPerVector];
};

// ---------------------------------------------------------------------------
// Sources of blocks: the counters of one group after the other. Order is a
// BlockOrder.

// Every kStride-th block, from the low counter word `low` on. All have the same
// high counter word.
template <class Order, uint64_t kStride = 1>
class ConsecutiveBlocks {
 public:
  static constexpr bool kSharesHigh = true;

  explicit HWY_INLINE ConsecutiveBlocks(uint32_t low) {
    HWY_UNROLL(2)
    for (size_t i = 0; i < kVectors; ++i) {
      HWY_ALIGN uint64_t counters[kBlocksPerVector];
      for (size_t lane = 0; lane < kBlocksPerVector; ++lane) {
        counters[lane] =
            low + kStride * Order::Block(i * kBlocksPerVector + lane);
      }
      next_[i] = hn::Load(du64, counters);
    }
  }
  // The low counter words of vector `vector` of the current group.
  HWY_INLINE VU64 Counters(size_t vector) const {
    const size_t blocks = vector / kVectors * kVectors * kBlocksPerVector;
    return hn::Add(next_[vector % kVectors], hn::Set(du64, kStride * blocks));
  }
  HWY_INLINE void NextGroup() {
    HWY_UNROLL(2)
    for (size_t i = 0; i < kVectors; ++i) {
      next_[i] = hn::Add(next_[i], hn::Set(du64, kStride * kBlocksPerGroup));
    }
  }

 private:
  // The number of vectors after which the order repeats.
  static constexpr size_t kVectors =
      HWY_MAX(Order::kPeriod, kBlocksPerVector) / kBlocksPerVector;
  static_assert(kVectorsPerGroup % kVectors == 0, "every group is alike");

  VU64 next_[kVectors];
};

// Blocks from a list. Order is applied to each vector of it.
template <class Order>
class ListedBlocks {
 public:
  static constexpr bool kSharesHigh = false;

  explicit HWY_INLINE ListedBlocks(const uint64_t* HWY_RESTRICT blocks)
      : next_(blocks) {}
  // The counters of vector `vector` of the current group, both words.
  HWY_INLINE VU64 Counters(size_t vector) const {
    const VU64 listed = hn::Load(du64, next_ + vector * kBlocksPerVector);
    if constexpr (Order::kIsIdentity) {
      return listed;
    } else {
      static_assert(Order::kPeriod == kBlocksPerVector, "within a vector");
      const auto lanes = hn::SetTableIndices(
          du64, kFirstBlocks<Order, kBlocksPerVector>.block);
      return hn::TableLookupLanes(listed, lanes);
    }
  }
  HWY_INLINE void NextGroup() { next_ += kBlocksPerGroup; }

 private:
  const uint64_t* HWY_RESTRICT next_;
};

// ---------------------------------------------------------------------------
// Rounds.

// A multiplier of Philox times the low half of every lane.
HWY_INLINE VU64 Times0(VU64 x) {
  return hn::MulEven(hn::BitCast(du32, x), hn::Set(du32, kPhiloxMultiplier0));
}
HWY_INLINE VU64 Times1(VU64 x) {
  return hn::MulEven(hn::BitCast(du32, x), hn::Set(du32, kPhiloxMultiplier1));
}

// The four words of the blocks of a group, each in the low half of its lane.
struct GroupWords {
  // gcc compiles an implicit constructor without the target's attributes, and
  // cannot inline Highway's constructors of NEON vectors into it.
  HWY_INLINE GroupWords() {}

  VU64 x0[kVectorsPerGroup], x1[kVectorsPerGroup];
  VU64 x2[kVectorsPerGroup], x3[kVectorsPerGroup];
};

// All rounds but the last.
class EarlyRounds {
 public:
  // `high` is the high counter word of sources whose blocks share it.
  HWY_INLINE EarlyRounds(const RoundKeys& keys, uint32_t high) : keys_(keys) {
    // In the first two rounds, some words are the same for all blocks: those
    // that depend on neither counter word, or on the high one if it is shared.
    const StreamKey& key = keys.stream_key();
    const uint64_t round0_product1 =
        uint64_t{kPhiloxMultiplier1} * key.counter_high[0];
    const uint32_t round1_x0_part =
        static_cast<uint32_t>(round0_product1 >> 32) ^ keys.Scalar0(0);
    const uint64_t round1_product0 =
        uint64_t{kPhiloxMultiplier0} * (round1_x0_part ^ high);
    round0_x2_ = hn::Set(du64, key.counter_high[1] ^ keys.Scalar1(0));
    round1_x0_part_ = hn::Set(du64, round1_x0_part);
    round2_x0_part_ =
        hn::Set(du64, static_cast<uint32_t>(round0_product1) ^ keys.Scalar0(1));
    round2_x2_part_ = hn::Set(
        du64, static_cast<uint32_t>(round1_product0 >> 32) ^ keys.Scalar1(1));
    round2_x3_ = hn::Set(du64, static_cast<uint32_t>(round1_product0));
  }

  template <class Source>
  HWY_INLINE void Apply(const Source& source, GroupWords& words) const {
    HWY_UNROLL(kVectorsPerGroup)
    for (size_t i = 0; i < kVectorsPerGroup; ++i) {
      const VU64 counters = source.Counters(i);
      const VU64 p0 = Times0(counters);
      const VU64 p1 = Times1(hn::Xor(hn::ShiftRight<32>(p0), round0_x2_));
      words.x0[i] = hn::Xor(hn::ShiftRight<32>(p1), round2_x0_part_);
      words.x1[i] = p1;
      if constexpr (Source::kSharesHigh) {
        words.x2[i] = hn::Xor(p0, round2_x2_part_);
        words.x3[i] = round2_x3_;
      } else {
        const VU64 high = hn::ShiftRight<32>(counters);
        const VU64 round1_p0 = Times0(hn::Xor(high, round1_x0_part_));
        words.x2[i] =
            hn::Xor3(hn::ShiftRight<32>(round1_p0), p0, keys_.Key1(1));
        words.x3[i] = round1_p0;
      }
    }
    HWY_UNROLL(kPhiloxRounds)
    for (int round = 2; round < kPhiloxRounds - 1; ++round) {
      const VU64 k0 = keys_.Key0(round);
      const VU64 k1 = keys_.Key1(round);
      HWY_UNROLL(kVectorsPerGroup)
      for (size_t i = 0; i < kVectorsPerGroup; ++i) {
        const VU64 p0 = Times0(words.x0[i]);
        const VU64 p1 = Times1(words.x2[i]);
        words.x0[i] = hn::Xor3(hn::ShiftRight<32>(p1), words.x1[i], k0);
        words.x1[i] = p1;
        words.x2[i] = hn::Xor3(hn::ShiftRight<32>(p0), words.x3[i], k1);
        words.x3[i] = p0;
      }
    }
  }

 private:
  const RoundKeys& keys_;
  VU64 round0_x2_;
  VU64 round1_x0_part_;
  VU64 round2_x0_part_;
  VU64 round2_x2_part_;
  VU64 round2_x3_;
};

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

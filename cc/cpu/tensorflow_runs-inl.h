// From runs of elements of the TensorFlow stream to tuples, which are the
// elements that one block has words for.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_TENSORFLOW_RUNS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_TENSORFLOW_RUNS_INL_H_
#undef TF_VSINIT_CC_CPU_TENSORFLOW_RUNS_INL_H_
#else
#define TF_VSINIT_CC_CPU_TENSORFLOW_RUNS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cc/cpu/block_order.h"
#include "cc/cpu/chosen_lanes.h"
#include "cc/cpu/gathered_runs.h"
#include "cc/cpu/philox-inl.h"
#include "cc/cpu/tensorflow_deviates-inl.h"
#include "cc/cpu/tensorflow_scaling-inl.h"
#include "cc/cpu/vectors-inl.h"
#include "cc/stream/box.h"
#include "cc/stream/tensorflow_element.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// Fills the runs of a box with normals, some tuples at a time: deviates are
// replaced and scaled while they are in the caches. The whole groups of long
// runs are drawn directly; short runs and ragged ends are gathered first.
template <bool kTruncated, typename T>
class TensorFlowNormalFiller {
 public:
  TensorFlowNormalFiller(const Sampler& sampler, bool non_temporal)
      : keys_(sampler.key),
        scaling_(sampler.limit_or_stddev),
        non_temporal_(non_temporal) {}

  void Fill(const Box& box, uint64_t begin, uint64_t end, T* out) {
    if (begin == end) return;
    Box::Cursor cursor(box, begin);
    while (begin < end) {
      const Run run = cursor.run();
      const uint64_t count = std::min(run.count, end - begin);
      uint64_t some = WriteConsecutive(run.first, count, out);
      if (some == 0) some = gathered_.Add(run.first, count, out);
      if (some == 0) {
        WriteGathered();
        continue;
      }
      cursor.Advance(some);
      out += some;
      begin += some;
    }
    WriteGathered();
    if (non_temporal_) hwy::FlushStream();
  }

 private:
  using Real = typename ElementTraits<T>::Real;
  using Order = typename PairDeviates<Real>::Order;
  static constexpr size_t kPerTuple = ElementTraits<T>::kPerBlock;
  static constexpr size_t kLanes = hn::MaxLanes(df32);
  // 12 KiB of deviates.
  static constexpr size_t kMaxTuples = 768;
  static constexpr size_t kMaxGroups = kMaxTuples / kBlocksPerGroup;
  static_assert(kMaxTuples % kBlocksPerGroup == 0, "whole groups");
  // The least number of groups of a long run. In fewer, few tuples need a
  // replacement, and most of a group of replacements would be wasted.
  static constexpr size_t kLongRunGroups = kMaxGroups / 2;
  static constexpr uint64_t kBlocksPerTuple =
      kTruncated ? kBlocksPerTruncatedTuple<T> : 1;
  // Tuples from one wrap of the low counter word to the next.
  static constexpr uint64_t kTuplesPerWrap =
      (uint64_t{1} << 32) / kBlocksPerTuple;
  using Runs = GatheredRuns<T, kMaxTuples, kBlocksPerTuple, Order>;

  // Writes whole groups of a long run, as many as the buffers hold and the low
  // counter word allows. Returns the number of elements, which is zero if the
  // run must be gathered.
  uint64_t WriteConsecutive(uint64_t first, uint64_t count, T* out) {
    const uint64_t skip = first % kPerTuple;
    const uint64_t first_tuple = first / kPerTuple;
    const uint64_t to_wrap = kTuplesPerWrap - first_tuple % kTuplesPerWrap;
    const uint64_t tuples = std::min((skip + count) / kPerTuple, to_wrap);
    const size_t groups =
        std::min<uint64_t>(tuples / kBlocksPerGroup, kMaxGroups);
    if (groups < kLongRunGroups) return 0;
    const uint64_t first_block = first_tuple * kBlocksPerTuple;
    Draw(ConsecutiveBlocks<Order, kBlocksPerTuple>(
             static_cast<uint32_t>(first_block)),
         static_cast<uint32_t>(first_block >> 32), groups,
         [&](uint64_t tuple) { return first_block + tuple * kBlocksPerTuple; });
    const uint64_t some = groups * kBlocksPerGroup * kPerTuple - skip;
    scaling_.Write(deviates_ + skip, some, non_temporal_, out);
    return some;
  }

  void WriteGathered() {
    if (gathered_.empty()) return;
    const size_t groups = gathered_.PadTo(kBlocksPerGroup) / kBlocksPerGroup;
    Draw(ListedBlocks<NaturalOrder>(gathered_.blocks()), /*high=*/0, groups,
         [&](uint64_t tuple) { return gathered_.BlockOf(tuple); });
    for (const auto& run : gathered_) {
      scaling_.Write(deviates_ + run.offset, run.count, non_temporal_, run.out);
    }
    gathered_.Clear();
  }

  // Draws the deviates of `groups` groups of tuples. `block_of` gives the first
  // block of each tuple.
  template <class Source, class BlockOf>
  void Draw(const Source& source, uint32_t high, size_t groups,
            const BlockOf& block_of) {
    RejectingBlocks rejecting(rejecting_);
    WriteNormalDeviates(
        keys_, high, source, groups,
        [&](size_t first, const PairDeviates<Real>& pair) HWY_ATTR {
          if constexpr (kTruncated) rejecting.Add(first, pair);
        },
        deviates_);
    if constexpr (kTruncated) Replace(rejecting.count(), block_of);
  }

  // Replaces the rejected deviates of `count` tuples: moves the others to the
  // front of the tuple, and fills it up with deviates of the next block.
  template <class BlockOf>
  void Replace(size_t count, const BlockOf& block_of) {
    const size_t groups = (count + kBlocksPerGroup - 1) / kBlocksPerGroup;
    for (size_t i = 0; i < groups * kBlocksPerGroup; ++i) {
      next_blocks_[Order::Position(i)] =
          i < count ? block_of(rejecting_[i]) + 1 : 0;
    }
    WriteNormalDeviates(
        keys_, /*high=*/0, ListedBlocks<NaturalOrder>(next_blocks_), groups,
        [](size_t, const PairDeviates<Real>&) {}, next_deviates_);
    for (size_t i = 0; i < count; ++i) {
      Real* deviates = deviates_ + kPerTuple * rejecting_[i];
      if (!KeepInside(next_deviates_ + kPerTuple * i, deviates)) {
        ReplaceFromFurtherBlocks(block_of(rejecting_[i]), deviates);
      }
    }
  }

  // Fills a tuple with the first deviates inside two standard deviations, from
  // its own and then from those of the next block. At least one of its own must
  // be outside. Returns whether there are enough; if not, the tuple's contents
  // are unspecified.
  static HWY_INLINE bool KeepInside(const float* HWY_RESTRICT next,
                                    float* HWY_RESTRICT deviates) {
    const hn::FixedTag<float, 4> d;
    const hn::FixedTag<uint8_t, 16> bytes;
    size_t count = 0;
    const auto chosen = [&](const float* from) HWY_ATTR {
      const auto all = hn::Load(d, from);
      const auto inside = hn::Lt(hn::Abs(all), hn::Set(d, 2.0f));
      uint8_t bits[8];
      hn::StoreMaskBits(d, inside, bits);
      const ChosenLanes& lanes = kChosenLanes[count][bits[0] & 15];
      count += hn::CountTrue(d, inside);
      return hn::TableLookupBytesOr0(hn::BitCast(bytes, all),
                                     hn::Load(bytes, lanes.bytes));
    };
    const auto own = chosen(deviates);
    const auto others = chosen(next);
    hn::Store(hn::BitCast(d, hn::Or(own, others)), d, deviates);
    return count >= kPerTuple;
  }

  static HWY_INLINE bool KeepInside(const double* HWY_RESTRICT next,
                                    double* HWY_RESTRICT deviates) {
    double inside[2 * kPerTuple] = {};
    size_t count = 0;
    for (const double deviate : {deviates[0], deviates[1], next[0], next[1]}) {
      inside[count] = deviate;
      count += -2.0 < deviate && deviate < 2.0;
    }
    memcpy(deviates, inside, kPerTuple * sizeof(double));
    return count >= kPerTuple;
  }

  // One tuple in a hundred thousand needs more than two blocks; in float64, one
  // in three thousand.
  void ReplaceFromFurtherBlocks(uint64_t block, Real* deviates) const {
    const NormalTuple<T> normals(keys_.stream_key(), /*truncated=*/true,
                                 block / kBlocksPerTruncatedTuple<T>);
    memcpy(deviates, normals.deviate, kPerTuple * sizeof(Real));
  }

  const RoundKeys keys_;
  const TensorFlowNormalScaling<T> scaling_;
  const bool non_temporal_;
  Runs gathered_;
  // The scaling reads up to a vector beyond the end.
  HWY_ALIGN Real deviates_[kMaxTuples * kPerTuple + kLanes];
  // For truncated normals.
  HWY_ALIGN uint32_t rejecting_[kMaxTuples];
  HWY_ALIGN uint64_t next_blocks_[kMaxTuples];
  HWY_ALIGN Real next_deviates_[kMaxTuples * kPerTuple];
};

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

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

#include "cc/cpu/gathered_runs.h"
#include "cc/cpu/lanes_to_front.h"
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

// Fills the runs of a box with normals. All runs are gathered: deviates are
// replaced and scaled while they are in the caches.
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
      const uint64_t some =
          gathered_.Add(run.first, std::min(run.count, end - begin), out);
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
  static_assert(kMaxTuples % kBlocksPerGroup == 0, "whole groups");
  using Runs =
      GatheredRuns<T, kMaxTuples, kTruncated ? kBlocksPerTruncatedTuple<T> : 1,
                   Order>;

  void WriteGathered() {
    if (gathered_.empty()) return;
    const size_t groups = gathered_.PadTo(kBlocksPerGroup) / kBlocksPerGroup;
    RejectingBlocks rejecting(rejecting_);
    WriteNormalDeviates(
        keys_, gathered_.blocks(), groups,
        [&](size_t first, const PairDeviates<Real>& pair) HWY_ATTR {
          if constexpr (kTruncated) rejecting.Add(first, pair);
        },
        deviates_);
    if constexpr (kTruncated) Replace(rejecting.count());
    for (const auto& run : gathered_) {
      scaling_.Write(deviates_ + run.offset, run.count, non_temporal_, run.out);
    }
    gathered_.Clear();
  }

  // Replaces the rejected deviates of `count` tuples: moves the others to the
  // front of the tuple, and fills it up with deviates of the next block.
  void Replace(size_t count) {
    const size_t groups = (count + kBlocksPerGroup - 1) / kBlocksPerGroup;
    for (size_t i = 0; i < groups * kBlocksPerGroup; ++i) {
      next_blocks_[Order::Position(i)] =
          i < count ? gathered_.BlockOf(rejecting_[i]) + 1 : 0;
    }
    WriteNormalDeviates(
        keys_, next_blocks_, groups, [](size_t, const PairDeviates<Real>&) {},
        next_deviates_);
    for (size_t i = 0; i < count; ++i) {
      Real* deviates = deviates_ + kPerTuple * rejecting_[i];
      Real inside[2 * kPerTuple];
      const size_t first = KeepInside(deviates, inside);
      const size_t second =
          KeepInside(next_deviates_ + kPerTuple * i, inside + first);
      if (first + second >= kPerTuple) {
        memcpy(deviates, inside, kPerTuple * sizeof(Real));
      } else {
        ReplaceFromFurtherBlocks(rejecting_[i], deviates);
      }
    }
  }

  // Copies the deviates that are inside two standard deviations, and returns
  // their number. What follows them in `inside` can be anything.
  static HWY_INLINE size_t KeepInside(const float* HWY_RESTRICT deviates,
                                      float* HWY_RESTRICT inside) {
    const hn::FixedTag<float, 4> d;
    const hn::FixedTag<uint8_t, 16> bytes;
    const auto all = hn::Load(d, deviates);
    uint8_t bits[8];
    hn::StoreMaskBits(d, hn::Lt(hn::Abs(all), hn::Set(d, 2.0f)), bits);
    const LanesToFront& move = kLanesToFront[bits[0] & 15];
    const auto moved = hn::TableLookupBytes(hn::BitCast(bytes, all),
                                            hn::Load(bytes, move.bytes));
    hn::StoreU(hn::BitCast(d, moved), d, inside);
    return move.count;
  }

  static HWY_INLINE size_t KeepInside(const double* HWY_RESTRICT deviates,
                                      double* HWY_RESTRICT inside) {
    size_t count = 0;
    for (size_t i = 0; i < kPerTuple; ++i) {
      inside[count] = deviates[i];
      count += -2.0 < deviates[i] && deviates[i] < 2.0;
    }
    return count;
  }

  // One tuple in a hundred thousand needs more than two blocks; in float64, one
  // in three thousand.
  void ReplaceFromFurtherBlocks(size_t tuple, Real* deviates) const {
    const NormalTuple<T> normals(
        keys_.stream_key(), /*truncated=*/true,
        gathered_.BlockOf(tuple) / kBlocksPerTruncatedTuple<T>);
    memcpy(deviates, normals.deviate, kPerTuple * sizeof(Real));
  }

  const RoundKeys keys_;
  const TensorFlowNormalScaling<T> scaling_;
  const bool non_temporal_;
  Runs gathered_;
  // RejectingBlocks writes, and the scaling reads, a vector beyond the end.
  HWY_ALIGN Real deviates_[kMaxTuples * kPerTuple + kLanes];
  // For truncated normals.
  HWY_ALIGN uint32_t rejecting_[kMaxTuples + kLanes];
  HWY_ALIGN uint64_t next_blocks_[kMaxTuples];
  HWY_ALIGN Real next_deviates_[kMaxTuples * kPerTuple];
};

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

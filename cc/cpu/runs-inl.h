// From runs of elements to groups of blocks.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_RUNS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_RUNS_INL_H_
#undef TF_VSINIT_CC_CPU_RUNS_INL_H_
#else
#define TF_VSINIT_CC_CPU_RUNS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cc/cpu/block_order.h"
#include "cc/cpu/element-inl.h"
#include "cc/cpu/gathered_runs.h"
#include "cc/cpu/philox-inl.h"
#include "cc/cpu/vectors-inl.h"
#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// Writes the elements of `groups` groups of blocks. `high` is the high counter
// word, if all blocks of the source share it.
template <typename T, class Source, class Scaling>
HWY_INLINE void WriteGroups(const RoundKeys& keys, uint32_t high, Source source,
                            size_t groups, const Scaling& scaling,
                            bool non_temporal, uint8_t* HWY_RESTRICT out) {
  using Layout = ElementLayout<T>;
  constexpr size_t kBytesPerVector =
      kBlocksPerVector * ElementTraits<T>::kPerBlock * sizeof(T);
  const EarlyRounds early_rounds(keys, high);
  for (size_t group = 0; group < groups; ++group) {
    GroupWords group_words;
    early_rounds.Apply(source, group_words);
    source.NextGroup();
    typename Layout::Words words[2 * kVectorsPerGroup];
    HWY_UNROLL(kVectorsPerGroup)
    for (size_t i = 0; i < kVectorsPerGroup; ++i) {
      Layout::LastRound(group_words, i, keys, words + 2 * i);
    }
    typename Scaling::V values[2 * kVectorsPerGroup];
    scaling.template Apply<2 * kVectorsPerGroup>(words, values);
    HWY_UNROLL(kVectorsPerGroup)
    for (size_t i = 0; i < kVectorsPerGroup; ++i) {
      Layout::Write(values[2 * i], values[2 * i + 1], non_temporal, out);
      out += kBytesPerVector;
    }
  }
}

// Fills the runs of a box with what a scaling makes of their words. The whole
// groups inside a long run go straight to memory; short runs and ragged ends
// are gathered first.
template <typename T, class Scaling>
class RunFiller {
 public:
  RunFiller(const Sampler& sampler, bool non_temporal)
      : keys_(sampler.key),
        scaling_(sampler.limit_or_stddev),
        non_temporal_(non_temporal) {}

  void Fill(const Box& box, uint64_t begin, uint64_t end, T* out) {
    if (begin == end) return;
    Box::Cursor cursor(box, begin);
    while (begin < end) {
      const Run run = cursor.run();
      const uint64_t to_wrap = kPerWrap - run.first % kPerWrap;
      const uint64_t count = std::min({run.count, end - begin, to_wrap});
      if (count >= kLongRun) {
        FillLongRun(run.first, count, out);
      } else {
        Gather(run.first, count, out);
      }
      cursor.Advance(count);
      out += count;
      begin += count;
    }
    WriteGathered();
    if (non_temporal_) hwy::FlushStream();
  }

 private:
  using Layout = ElementLayout<T>;
  static constexpr uint64_t kPerBlock = ElementTraits<T>::kPerBlock;
  static constexpr uint64_t kBlockBytes = kPerBlock * sizeof(T);
  static constexpr size_t kMaxGathered = 16 * kBlocksPerGroup;
  // Elements from one wrap of the low counter word to the next.
  static constexpr uint64_t kPerWrap = (uint64_t{1} << 32) * kPerBlock;
  // The least number of elements of a long run.
  static constexpr uint64_t kLongRun = 4 * kBlocksPerGroup * kPerBlock;

  using Runs =
      GatheredRuns<T, kMaxGathered, /*kBlocksPerTuple=*/1, NaturalOrder>;

  void FillLongRun(uint64_t first, uint64_t count, T* out) {
    // Elements before the first block that is written straight to memory.
    uint64_t head = (kPerBlock - first % kPerBlock) % kPerBlock;
    bool non_temporal = non_temporal_;
    if (non_temporal) {
      const uint64_t address = reinterpret_cast<uintptr_t>(out + head);
      const uint64_t gap =
          (kVectorBytes - address % kVectorBytes) % kVectorBytes;
      non_temporal = gap % kBlockBytes == 0;
      if (non_temporal) head += gap / sizeof(T);
    }
    Gather(first, head, out);
    first += head;
    count -= head;
    out += head;
    const uint64_t block = first / kPerBlock;
    const uint64_t groups = count / (kPerBlock * kBlocksPerGroup);
    WriteGroups<T>(
        keys_, static_cast<uint32_t>(block >> 32),
        ConsecutiveBlocks<typename Layout::Order>(static_cast<uint32_t>(block)),
        groups, scaling_, non_temporal, reinterpret_cast<uint8_t*>(out));
    const uint64_t done = groups * kBlocksPerGroup * kPerBlock;
    Gather(first + done, count - done, out + done);
  }

  // Adds a run to what the next WriteGathered computes.
  void Gather(uint64_t first, uint64_t count, T* out) {
    while (count > 0) {
      const uint64_t some = gathered_.Add(first, count, out);
      if (some == 0) WriteGathered();
      first += some;
      count -= some;
      out += some;
    }
  }

  // Computes the gathered blocks together and copies their runs out.
  void WriteGathered() {
    if (gathered_.empty()) return;
    const size_t groups = gathered_.PadTo(kBlocksPerGroup) / kBlocksPerGroup;
    WriteGroups<T>(keys_, /*high=*/0,
                   ListedBlocks<typename Layout::Order>(gathered_.blocks()),
                   groups, scaling_, /*non_temporal=*/false,
                   reinterpret_cast<uint8_t*>(values_));
    for (const auto& run : gathered_) {
      CopyOut(values_ + run.offset, run.count, run.out);
    }
    gathered_.Clear();
  }

  // Copies elements, with non-temporal stores if they fill whole vectors of the
  // output and may bypass the caches.
  void CopyOut(const T* values, size_t count, T* out) {
    const size_t bytes = count * sizeof(T);
    if (!non_temporal_ ||
        reinterpret_cast<uintptr_t>(out) % kVectorBytes != 0 ||
        bytes % kVectorBytes != 0) {
      memcpy(out, values, bytes);
      return;
    }
    const uint8_t* from = reinterpret_cast<const uint8_t*>(values);
    uint8_t* to = reinterpret_cast<uint8_t*>(out);
    for (size_t at = 0; at < bytes; at += kVectorBytes) {
      const auto vector =
          hn::LoadU(df32, reinterpret_cast<const float*>(from + at));
      hn::Stream(vector, df32, reinterpret_cast<float*>(to + at));
    }
  }

  const RoundKeys keys_;
  const Scaling scaling_;
  const bool non_temporal_;
  Runs gathered_;
  HWY_ALIGN T values_[kMaxGathered * kPerBlock];
};

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

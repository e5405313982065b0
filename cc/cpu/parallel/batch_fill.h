// The boxes of a batch of seeds, cut into units that any thread can fill.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_BATCH_FILL_H_
#define TF_VSINIT_CC_CPU_PARALLEL_BATCH_FILL_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "cc/cpu/fill.h"
#include "cc/cpu/parallel/fresh_memory.h"
#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/element_type.h"
#include "cc/stream/sampler.h"
#include "cc/stream/seeds.h"

namespace tf_vsinit {

// What a fill draws, and the host memory that it goes to.
struct BatchFillArguments {
  Distribution distribution;
  Stream stream;
  double limit_or_stddev;
  ElementType type;
  Box box;      // not empty
  Seeds seeds;  // at least one, in host memory
  void* out;    // the boxes of all seeds, one after the other
};

// Threads may run different units at the same time, in any order.
class BatchFill {
 public:
  explicit BatchFill(BatchFillArguments arguments)
      : arguments_(std::move(arguments)),
        count_(static_cast<int64_t>(arguments_.box.count())),
        units_per_seed_((count_ + kElementsPerUnit - 1) / kElementsPerUnit),
        large_(bytes() >= kBytesOfLarge),
        fresh_(large_ && IsFresh(arguments_.out, bytes())),
        huge_pages_(arguments_.out, fresh_ ? bytes() : 0) {}

  int64_t units() const { return arguments_.seeds.count * units_per_seed_; }

  // A rough estimate, for planning.
  double NanosecondsPerUnit() const {
    return kNanosecondsOfSetUp +
           NanosecondsPerElement(SamplerOf(0), arguments_.type) *
               static_cast<double>(std::min(kElementsPerUnit, count_));
  }

  // Fills units [first, last).
  void Run(int64_t first, int64_t last) const {
    while (first < last) {
      const int64_t seed = first / units_per_seed_;
      const int64_t offset = seed * units_per_seed_;
      const int64_t end = std::min(last, offset + units_per_seed_);
      RunSeed(seed, first - offset, end - offset);
      first = end;
    }
  }

 private:
  // Fills units [first, last) of one seed's box.
  void RunSeed(int64_t seed, int64_t first, int64_t last) const {
    const Sampler sampler = SamplerOf(seed);
    char* const out =
        static_cast<char*>(arguments_.out) + seed * BytesOf(count_);
    if (!fresh_) {
      FillUnits(sampler, first, last, large_ ? Reuse::kNotSoon : Reuse::kSoon,
                out);
      return;
    }
    // By up to a huge page, so that threads seldom wait for the same one.
    const int64_t step = kHugePageBytes / BytesOf(kElementsPerUnit);
    for (int64_t next; first < last; first = next) {
      next = std::min(first + step, last);
      const int64_t begin = first * kElementsPerUnit;
      const int64_t count = std::min(next * kElementsPerUnit, count_) - begin;
      huge_pages_.Provide(out + BytesOf(begin), BytesOf(count));
      // The system has just cleared the pages, so they are in the caches.
      FillUnits(sampler, first, next, Reuse::kSoon, out);
    }
  }

  // Fills units [first, last) of the box at `out`.
  void FillUnits(const Sampler& sampler, int64_t first, int64_t last,
                 Reuse reuse, char* out) const {
    const int64_t begin = first * kElementsPerUnit;
    const int64_t end = std::min(last * kElementsPerUnit, count_);
    FillBox(sampler, arguments_.type, arguments_.box, begin, end,
            out + BytesOf(begin), reuse);
  }

  Sampler SamplerOf(int64_t seed) const {
    return {arguments_.seeds.Key(seed), arguments_.distribution,
            arguments_.limit_or_stddev, arguments_.stream};
  }

  int64_t BytesOf(int64_t elements) const {
    return elements * ElementSize(arguments_.type);
  }
  int64_t bytes() const { return arguments_.seeds.count * BytesOf(count_); }

  // A multiple of every alignment in memory and in the stream, and large enough
  // to make a unit's set-up negligible.
  static constexpr int64_t kElementsPerUnit = 16384;

  // What FillBox takes besides the elements. Measure it with one thread and a
  // batch of 2^20 seeds that draw one element each: 209 ns per seed with AVX2.
  static constexpr double kNanosecondsOfSetUp = 200;

  // Results of this size or more are written with non-temporal stores, if their
  // memory is not fresh: one alone might stay in the caches, but it is usually
  // one of many variables or shards.
  static constexpr int64_t kBytesOfLarge = int64_t{1} << 20;

  BatchFillArguments arguments_;
  int64_t count_;  // elements of the box
  int64_t units_per_seed_;
  bool large_;
  bool fresh_;
  HugePages huge_pages_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_BATCH_FILL_H_

// A fill of host memory, cut into units that any threads may run in any order.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_BATCH_FILL_H_
#define TF_VSINIT_CC_CPU_PARALLEL_BATCH_FILL_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "cc/cpu/fill.h"
#include "cc/cpu/parallel/fresh_memory.h"
#include "cc/stream/box.h"
#include "cc/stream/element.h"

namespace tf_vsinit {

class BatchFill {
 public:
  // Fills `out` with all of `box`, which is not empty, for each sampler in
  // turn. There is at least one, and all draw from the same distribution.
  BatchFill(std::vector<Sampler> samplers, ElementType type, Box box, void* out)
      : samplers_(std::move(samplers)),
        type_(type),
        box_(std::move(box)),
        count_(static_cast<int64_t>(box_.count())),
        units_per_sampler_((count_ + kElementsPerUnit - 1) / kElementsPerUnit),
        out_(static_cast<char*>(out)),
        large_(bytes() >= kBytesPastCaches),
        fresh_(large_ && IsFresh(out, bytes())) {}

  int64_t units() const { return samplers_.size() * units_per_sampler_; }

  double NanosecondsPerUnit() const {
    return kNanosecondsOfSetUp +
           NanosecondsPerElement(samplers_[0], type_) *
               static_cast<double>(std::min(kElementsPerUnit, count_));
  }

  // Fills units [first, last).
  void Run(int64_t first, int64_t last) const {
    while (first < last) {
      const int64_t sampler = first / units_per_sampler_;
      const int64_t offset = sampler * units_per_sampler_;
      const int64_t end = std::min(last, offset + units_per_sampler_);
      RunSampler(sampler, first - offset, end - offset);
      first = end;
    }
  }

 private:
  int64_t bytes() const {
    return samplers_.size() * count_ * ElementSize(type_);
  }

  // Fills units [first, last) of a sampler's own.
  void RunSampler(int64_t sampler, int64_t first, int64_t last) const {
    if (!fresh_) {
      FillUnits(sampler, first, last, large_ ? Reuse::kNotSoon : Reuse::kSoon);
      return;
    }
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t begin = unit * kElementsPerUnit;
      const int64_t count = std::min(kElementsPerUnit, count_ - begin);
      ProvidePages(At(sampler, begin), count * ElementSize(type_));
      // The kernel has just cleared the pages, so they are in the caches.
      FillUnits(sampler, unit, unit + 1, Reuse::kSoon);
    }
  }

  void FillUnits(int64_t sampler, int64_t first, int64_t last,
                 Reuse reuse) const {
    const int64_t begin = first * kElementsPerUnit;
    const int64_t end = std::min(last * kElementsPerUnit, count_);
    FillBox(samplers_[sampler], type_, box_, begin, end, At(sampler, begin),
            reuse);
  }

  // Where a sampler's element at `position` goes.
  char* At(int64_t sampler, int64_t position) const {
    return out_ + (sampler * count_ + position) * ElementSize(type_);
  }

  // Keeps the units aligned in memory and in the stream, and their set-up
  // negligible.
  static constexpr int64_t kElementsPerUnit = 16384;

  // What a unit costs beside its elements, roughly.
  static constexpr double kNanosecondsOfSetUp = 200;

  // From here on a result is written past the caches: alone it might stay in
  // them, but it is mostly one of many variables, or of many shards of one.
  static constexpr int64_t kBytesPastCaches = int64_t{1} << 20;

  std::vector<Sampler> samplers_;
  ElementType type_;
  Box box_;
  int64_t count_;
  int64_t units_per_sampler_;
  char* out_;
  bool large_;
  bool fresh_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_BATCH_FILL_H_

// A fill of host memory, cut into units that any threads may run in any order.

#ifndef TF_VSINIT_CC_OPS_HOST_FILL_H_
#define TF_VSINIT_CC_OPS_HOST_FILL_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "cc/cpu/fill.h"
#include "cc/cpu/fresh_memory.h"
#include "cc/stream/element.h"
#include "cc/stream/slice.h"

namespace tf_vsinit {

class HostFill {
 public:
  // Fills `out` with all of `slice`.
  HostFill(const Sampler& sampler, ElementType type, Slice slice, void* out)
      : sampler_(sampler),
        type_(type),
        slice_(std::move(slice)),
        count_(static_cast<int64_t>(slice_.count())),
        out_(static_cast<char*>(out)),
        large_(count_ * ElementSize(type) >= kBytesPastCaches),
        fresh_(large_ && IsFresh(out, count_ * ElementSize(type))) {}

  int64_t units() const {
    return (count_ + kElementsPerUnit - 1) / kElementsPerUnit;
  }

  double NanosecondsPerUnit() const {
    return NanosecondsPerElement(sampler_, type_) * kElementsPerUnit;
  }

  // Fills units [first, last).
  void Run(int64_t first, int64_t last) const {
    if (!fresh_) {
      FillUnits(first, last, large_ ? Reuse::kNotSoon : Reuse::kSoon);
      return;
    }
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t begin = unit * kElementsPerUnit;
      const int64_t count = std::min(kElementsPerUnit, count_ - begin);
      ProvidePages(out_ + begin * ElementSize(type_),
                   count * ElementSize(type_));
      // The kernel has just cleared the pages, so they are in the caches.
      FillUnits(unit, unit + 1, Reuse::kSoon);
    }
  }

 private:
  void FillUnits(int64_t first, int64_t last, Reuse reuse) const {
    const int64_t begin = first * kElementsPerUnit;
    const int64_t end = std::min(last * kElementsPerUnit, count_);
    FillSlice(sampler_, type_, slice_, begin, end,
              out_ + begin * ElementSize(type_), reuse);
  }

  // Keeps the units aligned in memory and in the stream, and their set-up
  // negligible.
  static constexpr int64_t kElementsPerUnit = 16384;

  // Above this, a result does not stay in the caches whatever is done, and is
  // written past them.
  static constexpr int64_t kBytesPastCaches = int64_t{16} << 20;

  Sampler sampler_;
  ElementType type_;
  Slice slice_;
  int64_t count_;
  char* out_;
  bool large_;
  bool fresh_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_HOST_FILL_H_

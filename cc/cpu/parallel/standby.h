// Threads that stand by for a moment after a fill, to help with the next.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_STANDBY_H_
#define TF_VSINIT_CC_CPU_PARALLEL_STANDBY_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cc/cpu/parallel/shared_fill.h"
#include "cc/cpu/parallel/spin.h"

namespace tf_vsinit {

// Variables, and shards of one, are mostly made one after another, and a second
// thread that has to be woken comes too late to help with a small one.
class Standby {
 public:
  // Has up to `wanted` of the threads that stand by work on the fill, and
  // returns how many.
  int64_t Send(const std::shared_ptr<SharedFill>& fill, int64_t wanted) {
    std::lock_guard<std::mutex> lock(mutex_);
    int64_t sent = 0;
    for (; sent < wanted && !places_.empty(); ++sent) {
      places_.back()->fill = fill;
      places_.back()->is_taken.store(true);
      places_.pop_back();
    }
    return sent;
  }

  // Stands by, and works on what this thread is sent to, until for a moment
  // that was nothing, or `is_wanted_elsewhere` is true, or a shift is over.
  template <typename Predicate>
  void Wait(Predicate is_wanted_elsewhere) {
    const auto end = std::chrono::steady_clock::now() + kShift;
    while (!is_wanted_elsewhere() && std::chrono::steady_clock::now() < end) {
      const auto fill = Next(is_wanted_elsewhere);
      if (fill == nullptr) return;
      fill->RunPieces();
    }
  }

 private:
  // So long at most does other work for the thread wait beside fill after fill.
  static constexpr std::chrono::milliseconds kShift{2};

  // Where a thread stands.
  struct Place {
    std::shared_ptr<SharedFill> fill;
    std::atomic<bool> is_taken{false};
  };

  // The fill that this thread is sent to, or null.
  template <typename Predicate>
  std::shared_ptr<SharedFill> Next(Predicate is_wanted_elsewhere) {
    Place place;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      places_.push_back(&place);
    }
    SpinUntil([&] { return place.is_taken.load() || is_wanted_elsewhere(); });
    std::lock_guard<std::mutex> lock(mutex_);
    places_.erase(std::remove(places_.begin(), places_.end(), &place),
                  places_.end());
    return std::move(place.fill);
  }

  std::mutex mutex_;
  std::vector<Place*> places_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_STANDBY_H_

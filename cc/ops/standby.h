// Threads that stand by for a moment after a fill, to help with the next.

#ifndef TF_VSINIT_CC_OPS_STANDBY_H_
#define TF_VSINIT_CC_OPS_STANDBY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "cc/ops/shared_fill.h"
#include "cc/ops/spin.h"

namespace tf_vsinit {

// Variables, and shards of one, are mostly made one after another, and a second
// thread that has to be woken comes too late to help with a small one.
class Standby {
 public:
  // Has the threads that stand by work on the fill, and returns how many they
  // are. One that has just given up may come too, without being counted.
  int64_t Announce(std::shared_ptr<SharedFill> fill) {
    std::lock_guard<std::mutex> lock(mutex_);
    fill_ = std::move(fill);
    announced_.fetch_add(1);
    return threads_.load();
  }

  // Works on every fill that is announced, until for a moment none was, or one
  // needed no more threads, or `is_in_the_way` is true.
  template <typename Predicate>
  void Wait(Predicate is_in_the_way) {
    int64_t seen = announced_.load();
    threads_.fetch_add(1);
    while (IsAnnounced(seen, is_in_the_way) && Join(&seen)) {
    }
    threads_.fetch_sub(1);
    // One may have counted on this thread when it had made up its mind.
    if (announced_.load() != seen) Join(&seen);
  }

 private:
  // Waits for an announcement after the `seen`-th.
  template <typename Predicate>
  bool IsAnnounced(int64_t seen, Predicate is_in_the_way) const {
    const auto is_announced = [&] { return announced_.load() != seen; };
    return SpinUntil([&] { return is_announced() || is_in_the_way(); }) &&
           is_announced();
  }

  // Works on the last fill announced, and returns whether there was work left.
  bool Join(int64_t* seen) {
    std::shared_ptr<SharedFill> fill;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      *seen = announced_.load();
      fill = fill_;
    }
    return fill->RunPieces() > 0;
  }

  std::atomic<int64_t> threads_{0};
  std::atomic<int64_t> announced_{0};
  std::mutex mutex_;
  std::shared_ptr<SharedFill> fill_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_STANDBY_H_

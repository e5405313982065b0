// Waiting for what will be true in a moment, without sleep.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_SPIN_H_
#define TF_VSINIT_CC_CPU_PARALLEL_SPIN_H_

#include <chrono>

#include "hwy/cache_control.h"

namespace tf_vsinit {

// Waits until `condition` is true, and returns false if a moment was not
// enough.
//
// To wake a sleeping thread takes as long as to draw 0.3 MiB of float32. The
// moment is more than that, and more than Python and TensorFlow take from one
// draw to the next; and so little that other work for the thread can wait.
template <typename Condition>
bool SpinUntil(Condition condition) {
  constexpr std::chrono::microseconds kMoment{100};
  const auto end = std::chrono::steady_clock::now() + kMoment;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    hwy::Pause();
  }
  return true;
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_SPIN_H_

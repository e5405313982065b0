// A fill of host memory in pieces, for whichever threads ask for one.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_SHARED_FILL_H_
#define TF_VSINIT_CC_CPU_PARALLEL_SHARED_FILL_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/spin.h"

namespace tf_vsinit {

class SharedFill {
 public:
  // For at most so many threads.
  SharedFill(BatchFill fill, int64_t threads)
      : fill_(std::move(fill)),
        units_(fill_.units()),
        threads_(std::min(
            threads, static_cast<int64_t>(units_ * fill_.NanosecondsPerUnit() /
                                          kNanosecondsPerThread))),
        units_per_piece_(UnitsPerPiece()),
        pieces_((units_ + units_per_piece_ - 1) / units_per_piece_) {}

  // How many threads the fill is worth; less than 2 for the calling one alone.
  int64_t threads() const { return threads_; }

  // Runs a piece, and returns whether there was one left.
  bool RunPiece() {
    const int64_t piece = next_piece_.fetch_add(1);
    if (piece >= pieces_) return false;
    const int64_t first = piece * units_per_piece_;
    fill_.Run(first, std::min(first + units_per_piece_, units_));
    if (pieces_done_.fetch_add(1) + 1 == pieces_) {
      std::lock_guard<std::mutex> lock(mutex_);
      all_done_.notify_all();
    }
    return true;
  }

  // Runs pieces until none is left, and returns how many.
  int64_t RunPieces() {
    int64_t run = 0;
    while (RunPiece()) ++run;
    return run;
  }

  // Waits until every piece is done.
  void Wait() {
    if (SpinUntil([this] { return IsDone(); })) return;
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [this] { return IsDone(); });
  }

 private:
  // Pieces are as large as lets all threads end together, and no smaller than
  // hides what taking one costs.
  static constexpr int64_t kPiecesPerThread = 16;
  static constexpr double kNanosecondsPerPiece = 20e3;
  // What a thread has to have to do, or waking it does not pay.
  static constexpr double kNanosecondsPerThread = 50e3;

  bool IsDone() const { return pieces_done_.load() == pieces_; }

  int64_t UnitsPerPiece() const {
    if (threads_ < 2) return units_;
    return std::max({int64_t{1},
                     static_cast<int64_t>(kNanosecondsPerPiece /
                                          fill_.NanosecondsPerUnit()),
                     units_ / (kPiecesPerThread * threads_)});
  }

  const BatchFill fill_;
  const int64_t units_;
  const int64_t threads_;
  const int64_t units_per_piece_;
  const int64_t pieces_;
  std::atomic<int64_t> next_piece_{0};
  std::atomic<int64_t> pieces_done_{0};
  std::mutex mutex_;
  std::condition_variable all_done_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_SHARED_FILL_H_

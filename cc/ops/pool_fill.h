// A fill of host memory, shared by the calling thread and those of a pool.

#ifndef TF_VSINIT_CC_OPS_POOL_FILL_H_
#define TF_VSINIT_CC_OPS_POOL_FILL_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "cc/ops/host_fill.h"

namespace tf_vsinit {

// The work of one fill, handed out in pieces to whichever threads ask.
//
// The thread that asked for the fill never waits for one that has not started:
// it takes pieces until none is left, and then waits only for those being
// worked on. So it does not matter whether it is itself a thread of the pool,
// nor whether the pool has a thread to spare, nor how long one takes to wake.
class SharedFill {
 public:
  // For a pool of so many threads.
  SharedFill(HostFill fill, int64_t pool_threads)
      : fill_(std::move(fill)),
        units_(fill_.units()),
        threads_(
            std::min(pool_threads,
                     static_cast<int64_t>(units_ * fill_.NanosecondsPerUnit() /
                                          kNanosecondsPerThread))),
        units_per_piece_(std::max(
            {int64_t{1},
             static_cast<int64_t>(kNanosecondsPerPiece /
                                  fill_.NanosecondsPerUnit()),
             units_ / (kPiecesPerThread * std::max<int64_t>(1, threads_))})) {}

  // How many threads the fill is worth.
  int64_t threads() const { return threads_; }

  // Works until no piece is left to take.
  void Help() {
    int64_t done = 0;
    for (int64_t piece; (piece = next_piece_.fetch_add(1)) < pieces(); ++done) {
      const int64_t first = piece * units_per_piece_;
      fill_.Run(first, std::min(first + units_per_piece_, units_));
    }
    if (done == 0) return;
    std::lock_guard<std::mutex> lock(mutex_);
    pieces_done_ += done;
    if (pieces_done_ == pieces()) all_done_.notify_all();
  }

  // Waits until every piece is done.
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [this] { return pieces_done_ == pieces(); });
  }

 private:
  // Pieces are as large as lets all threads end together, and no smaller than
  // hides what taking one costs.
  static constexpr int64_t kPiecesPerThread = 16;
  static constexpr double kNanosecondsPerPiece = 20e3;
  // What a thread has to have to do, or waking it does not pay.
  static constexpr double kNanosecondsPerThread = 50e3;

  int64_t pieces() const {
    return (units_ + units_per_piece_ - 1) / units_per_piece_;
  }

  const HostFill fill_;
  const int64_t units_;
  const int64_t threads_;
  const int64_t units_per_piece_;
  std::atomic<int64_t> next_piece_{0};
  std::mutex mutex_;
  std::condition_variable all_done_;
  int64_t pieces_done_ = 0;
};

// Fills that are being run in this process. Those that a graph runs at once
// share the processors better by a thread each than by all threads each.
inline std::atomic<int64_t> fills_running{0};

// Runs a fill in this thread and some of a pool of `threads`, which has a
// method Schedule.
template <typename Pool>
void RunInPool(HostFill fill, int64_t threads, Pool& pool) {
  const int64_t running = fills_running.fetch_add(1) + 1;
  const auto work =
      std::make_shared<SharedFill>(std::move(fill), threads / running);
  const int64_t helpers = work->threads() - 1;
  for (int64_t i = 0; i < helpers; ++i) {
    pool.Schedule([work] { work->Help(); });
  }
  work->Help();
  work->Wait();
  fills_running.fetch_sub(1);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_POOL_FILL_H_

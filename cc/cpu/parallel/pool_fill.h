// Running a fill in the calling thread and some of those of a pool.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_POOL_FILL_H_
#define TF_VSINIT_CC_CPU_PARALLEL_POOL_FILL_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/shared_fill.h"
#include "cc/cpu/parallel/standby.h"

namespace tf_vsinit {

// Fills being run in this process, and how many those were when the last one
// began. Fills that a graph runs at once share the processors better by some
// threads each than by all threads each.
inline std::atomic<int64_t> fills_running{0};
inline std::atomic<int64_t> last_fills_running{0};

// Tasks that pools were given for fills and have not begun.
inline std::atomic<int64_t> tasks_waiting{0};

// Threads of this process's pools. Never destroyed, since some may stand by
// while the process ends.
inline Standby& Helpers() {
  static Standby& helpers = *new Standby;
  return helpers;
}

// The task of a pool's thread. One that comes too late to help goes back: a
// pool with other work may have many such tasks.
inline void HelpAndStandBy(SharedFill& fill) {
  tasks_waiting.fetch_sub(1);
  if (fill.RunPieces() == 0) return;
  Helpers().Wait(
      [] { return fills_running.load() > 1 || tasks_waiting.load() > 0; });
}

// The threads that work on a fill.
template <typename Pool>
class Crew {
 public:
  Crew(std::shared_ptr<SharedFill> fill, int64_t pool_threads, Pool& pool)
      : fill_(std::move(fill)), pool_threads_(pool_threads), pool_(pool) {}

  // Lets the crew grow to its share of the pool where so many fills run.
  void GrowToShare(int64_t fills) {
    const int64_t share = std::min(fill_->threads(), pool_threads_ / fills);
    if (threads_ >= share) return;
    threads_ += Helpers().Send(fill_, share - threads_);
    for (; threads_ < share; ++threads_) {
      tasks_waiting.fetch_add(1);
      pool_.Schedule([fill = fill_] { HelpAndStandBy(*fill); });
    }
  }

 private:
  const std::shared_ptr<SharedFill> fill_;
  const int64_t pool_threads_;
  Pool& pool_;
  int64_t threads_ = 1;  // The calling one.
};

// Runs a fill in this thread and some of a pool of `threads`, which has a
// method Schedule.
//
// This thread never waits for one that has not started: it works until no piece
// is left, and then waits only for those being worked on. So it does not matter
// whether it is itself a thread of the pool, nor whether the pool has a thread
// to spare, nor how long one takes to wake.
template <typename Pool>
void RunInPool(BatchFill batch_fill, int64_t threads, Pool& pool) {
  const int64_t running = fills_running.fetch_add(1) + 1;
  // Between two fills of a graph, fewer run for a moment.
  int64_t fills = std::max(running, last_fills_running.exchange(running));
  const auto fill = std::make_shared<SharedFill>(std::move(batch_fill), threads);
  Crew<Pool> crew(fill, threads, pool);
  crew.GrowToShare(fills);
  for (int64_t pieces_with_fewer = 0; fill->RunPiece();) {
    const int64_t now = fills_running.load();
    pieces_with_fewer = now < fills ? pieces_with_fewer + 1 : 0;
    if (pieces_with_fewer == 2) crew.GrowToShare(fills = now);
  }
  fill->Wait();
  fills_running.fetch_sub(1);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_POOL_FILL_H_

// A fill that the calling thread and threads of a pool run together.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_POOL_FILL_H_
#define TF_VSINIT_CC_CPU_PARALLEL_POOL_FILL_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "cc/cpu/parallel/batch_fill.h"

namespace tf_vsinit {

// A fill in chunks of units, for every thread that asks for one.
class SharedFill {
 public:
  // `threads` is how many threads may run it.
  SharedFill(const BatchFill& fill, int64_t threads)
      : fill_(fill),
        units_(fill_.units()),
        threads_(std::min(
            threads, static_cast<int64_t>(units_ * fill_.NanosecondsPerUnit() /
                                          kNanosecondsPerThread))),
        units_per_chunk_(
            threads_ < 2
                ? units_
                : std::max(int64_t{1}, units_ / (kChunksPerThread * threads_))),
        chunks_((units_ + units_per_chunk_ - 1) / units_per_chunk_) {}

  // How many threads the fill is worth. Below 2, the calling thread alone.
  int64_t threads() const { return threads_; }

  // Runs chunks until none is left.
  void RunChunks() {
    for (;;) {
      const int64_t chunk = next_chunk_.fetch_add(1);
      if (chunk >= chunks_) return;
      const int64_t first = chunk * units_per_chunk_;
      fill_.Run(first, std::min(first + units_per_chunk_, units_));
      if (chunks_done_.fetch_add(1) + 1 == chunks_) {
        std::lock_guard<std::mutex> lock(mutex_);
        all_done_.notify_all();
      }
    }
  }

  // Waits until every chunk is done.
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [this] { return chunks_done_.load() == chunks_; });
  }

 private:
  // The last thread ends at most one chunk after the first.
  static constexpr int64_t kChunksPerThread = 16;

  // The least work, as estimated, that a worker is woken for. Measure it with
  // eager draws of float32 uniforms on one thread and on two: 2^18 elements,
  // the smallest fill that is worth two, took 288 us and 217 us with the call.
  static constexpr double kNanosecondsPerThread = 50e3;

  const BatchFill fill_;
  const int64_t units_;
  const int64_t threads_;
  const int64_t units_per_chunk_;
  const int64_t chunks_;
  std::atomic<int64_t> next_chunk_{0};
  std::atomic<int64_t> chunks_done_{0};
  std::mutex mutex_;
  std::condition_variable all_done_;
};

// Runs a fill in this thread and in workers of a pool of `threads` threads,
// which has a method Schedule.
//
// This thread never waits for a task that has not started: it runs chunks until
// none is left, and then waits only for those that workers are running. So it
// may itself be a thread of the pool, the pool may be busy, and a worker may
// take long to wake. A task that starts when no chunk is left returns at once.
template <typename Pool>
void FillInPool(const BatchFill& batch_fill, int64_t threads, Pool& pool) {
  const auto fill = std::make_shared<SharedFill>(batch_fill, threads);
  for (int64_t worker = 1; worker < fill->threads(); ++worker) {
    pool.Schedule([fill] { fill->RunChunks(); });
  }
  fill->RunChunks();
  fill->Wait();
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_POOL_FILL_H_

// A fill has all its values whatever the pool does, and asks for every worker
// that it is worth.

#include "cc/cpu/parallel/pool_fill.h"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "cc/cpu/fill.h"
#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/fresh_memory.h"
#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/element_type.h"
#include "cc/stream/philox.h"
#include "cc/stream/seeds.h"
#include "gtest/gtest.h"

namespace tf_vsinit {
namespace {

// The first is worth two threads, the second a hundred.
constexpr int64_t kSmall = int64_t{1} << 18;
constexpr int64_t kLarge = int64_t{1} << 24;

// A pool of real threads that counts the tasks it was given.
class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }

  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void Schedule(std::function<void()> task) {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
    ++scheduled_;
    changed_.notify_one();
  }

  int64_t scheduled() const { return scheduled_; }

 private:
  void Work() {
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::atomic<int64_t> scheduled_{0};
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

using SeedPair = std::array<int64_t, 2>;

// The bits of elements [first, count) for a seed, drawn by one call.
std::vector<uint32_t> Expected(int64_t seed, int64_t count, int64_t first = 0) {
  const Sampler sampler{DeriveStreamKey(seed, 0), Distribution::kUniform,
                        0.0731};
  std::vector<uint32_t> words(count - first);
  FillBox(sampler, ElementType::kFloat, Box({count}, {0}, {count}), first,
          count, words.data(), Reuse::kSoon);
  return words;
}

// A fill of `size` words for `seeds` that reads them when it runs.
BatchFill FillOf(const Seeds& seeds, size_t size, uint32_t* words) {
  const int64_t count = static_cast<int64_t>(size) / seeds.count;
  return BatchFill({Distribution::kUniform, Stream::kVsinit, 0.0731,
                    ElementType::kFloat, Box({count}, {0}, {count}), seeds,
                    words});
}

// Fills `words` for the seed [seed, 0], with a pool that has so many threads.
void Fill(int64_t seed, int64_t threads, Pool& pool,
          std::vector<uint32_t>* words) {
  const SeedPair pair = {seed, 0};
  FillInPool(FillOf({pair.data(), true, 1}, words->size(), words->data()),
             threads, pool);
}

std::vector<uint32_t> Drawn(int64_t seed, int64_t count, int64_t threads,
                            Pool& pool) {
  std::vector<uint32_t> words(count);
  Fill(seed, threads, pool, &words);
  return words;
}

TEST(PoolFillTest, EveryValueIsDrawnByAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    Pool pool(threads);
    for (const int64_t count : {int64_t{1}, kSmall, kSmall + 1, kLarge}) {
      EXPECT_EQ(Drawn(1, count, threads, pool), Expected(1, count))
          << threads << " threads, " << count << " values";
    }
  }
}

TEST(PoolFillTest, EveryValueIsDrawnWhenManyFillsRunAtOnce) {
  Pool pool(3);
  std::vector<std::thread> callers;
  for (int64_t caller = 0; caller < 4; ++caller) {
    callers.emplace_back([caller, &pool] {
      std::mt19937 random(caller);
      for (int64_t i = 0; i < 100; ++i) {
        const int64_t count = 1 + random() % (2 * kSmall);
        EXPECT_EQ(Drawn(i, count, 3, pool), Expected(i, count));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST(PoolFillTest, EveryValueIsDrawnIntoFreshMemory) {
  // So that units and huge pages begin at different addresses.
  constexpr int64_t kSkipped = 3;
  const SeedPair pair = {1, 0};
  Pool pool(3);
  for (const int64_t count : {kSmall, 9 * kSmall + 1, kLarge}) {
    const size_t bytes = (kSkipped + count) * sizeof(uint32_t);
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    ASSERT_TRUE(IsFresh(memory, bytes));
    uint32_t* const words = static_cast<uint32_t*>(memory) + kSkipped;
    FillInPool(FillOf({pair.data(), true, 1}, count, words), 3, pool);
    EXPECT_EQ(std::vector<uint32_t>(words, words + count), Expected(1, count));
    munmap(memory, bytes);
  }
}

template <typename Integer>
void ExpectABatchIsDrawn(int64_t seeds, int64_t count) {
  std::vector<std::array<Integer, 2>> pairs(seeds);
  std::vector<uint32_t> expected;
  for (int64_t i = 0; i < seeds; ++i) {
    pairs[i] = {static_cast<Integer>(i - 2), 0};
    for (const uint32_t word : Expected(i - 2, count)) expected.push_back(word);
  }
  std::vector<uint32_t> words(seeds * count);
  Pool pool(3);
  FillInPool(FillOf({pairs.data(), sizeof(Integer) == 8, seeds}, words.size(),
                    words.data()),
             3, pool);
  EXPECT_EQ(words, expected) << seeds << " seeds, " << count << " values each";
}

TEST(PoolFillTest, EverySeedOfABatchIsDrawn) {
  for (const auto& [seeds, count] :
       {std::pair<int64_t, int64_t>{10000, 1}, {100, 16385}, {3, kSmall}}) {
    ExpectABatchIsDrawn<int32_t>(seeds, count);
    ExpectABatchIsDrawn<int64_t>(seeds, count);
  }
}

TEST(PoolFillTest, TheCallerDoesNotWaitForAPoolThatRunsNothing) {
  Pool pool(0);
  EXPECT_EQ(Drawn(1, kLarge, 4, pool), Expected(1, kLarge));
  EXPECT_EQ(pool.scheduled(), 3);
}

TEST(PoolFillTest, ItEndsAfterTheLastChunk) {
  Pool pool(1);
  std::vector<uint32_t> words(kSmall);
  for (int64_t i = 0; i < 1000; ++i) {
    const uint32_t last = Expected(i, kSmall, kSmall - 1).back();
    Fill(i, 2, pool, &words);
    ASSERT_EQ(words.back(), last) << "fill " << i;
  }
}

TEST(PoolFillTest, AFillTooSmallForTwoThreadsAsksForNoWorker) {
  Pool pool(2);
  Drawn(1, 1000, 2, pool);
  EXPECT_EQ(pool.scheduled(), 0);
}

// The first fill runs from start to end inside the second one's Schedule.
TEST(PoolFillTest, AFillAsksForEveryWorkerWhileOthersRun) {
  struct NestingPool {
    Pool inner{0};
    int64_t scheduled = 0;
    void Schedule(std::function<void()>) {
      ++scheduled;
      Drawn(2, kLarge, 4, inner);
    }
  } pool;
  std::vector<uint32_t> words(kLarge);
  const SeedPair pair = {1, 0};
  FillInPool(FillOf({pair.data(), true, 1}, words.size(), words.data()), 4,
             pool);
  EXPECT_EQ(pool.scheduled, 3);
  EXPECT_EQ(pool.inner.scheduled(), 9);
}

TEST(PoolFillTest, ATaskThatStartsTooLateTouchesNothing) {
  std::vector<std::function<void()>> tasks;
  struct KeepingPool {
    std::vector<std::function<void()>>& tasks;
    void Schedule(std::function<void()> task) {
      tasks.push_back(std::move(task));
    }
  } pool{tasks};
  {
    std::vector<uint32_t> words(kLarge);
    const SeedPair pair = {1, 0};
    FillInPool(FillOf({pair.data(), true, 1}, words.size(), words.data()), 4,
               pool);
  }
  ASSERT_EQ(tasks.size(), 3);
  // The seed and the words are gone: 64 MiB that were mapped by themselves.
  for (const auto& task : tasks) task();
}

}  // namespace
}  // namespace tf_vsinit

// Fills have all their values whichever threads make them, and get the threads
// that are free.

#include "cc/cpu/parallel/pool_fill.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "cc/cpu/fill.h"
#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/shared_fill.h"
#include "cc/cpu/parallel/standby.h"
#include "cc/stream/box.h"
#include "cc/stream/element.h"
#include "cc/stream/philox.h"
#include "gtest/gtest.h"

namespace tf_vsinit {
namespace {

// Worth two threads, and a hundred of them.
constexpr int64_t kSmall = int64_t{1} << 18;
constexpr int64_t kLarge = int64_t{1} << 24;

// A pool of real threads that counts what it was asked for.
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

Sampler SamplerOf(int64_t seed) {
  return {DeriveStreamKey(seed, 0), Distribution::kUniform, 0.0731};
}

// The bits of elements [first, count) for a seed, made in one piece.
std::vector<uint32_t> Expected(int64_t seed, int64_t count, int64_t first = 0) {
  std::vector<uint32_t> words(count - first);
  FillBox(SamplerOf(seed), ElementType::kFloat, Box({count}, {0}, {count}),
          first, count, words.data(), Reuse::kSoon);
  return words;
}

BatchFill FillOf(int64_t seed, std::vector<uint32_t>* words) {
  const int64_t count = words->size();
  return BatchFill({SamplerOf(seed)}, ElementType::kFloat,
                  Box({count}, {0}, {count}), words->data());
}

// The same, made by RunInPool with that many of the pool's threads.
void Draw(int64_t seed, int64_t threads, Pool& pool,
          std::vector<uint32_t>* words) {
  RunInPool(FillOf(seed, words), threads, pool);
}

std::vector<uint32_t> Drawn(int64_t seed, int64_t count, int64_t threads,
                            Pool& pool) {
  std::vector<uint32_t> words(count);
  Draw(seed, threads, pool, &words);
  return words;
}

class PoolFillTest : public testing::Test {
 protected:
  PoolFillTest() {
    last_fills_running = 0;
    tasks_waiting = 0;
  }

  ~PoolFillTest() override { EXPECT_EQ(fills_running, 0); }
};

TEST_F(PoolFillTest, EveryValueIsMadeByAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    Pool pool(threads);
    for (const int64_t count : {int64_t{1}, kSmall, kSmall + 1, kLarge}) {
      EXPECT_EQ(Drawn(1, count, threads, pool), Expected(1, count))
          << threads << " threads, " << count << " values";
    }
  }
}

TEST_F(PoolFillTest, EveryValueIsMadeWhenManyFillsRunAtOnce) {
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

TEST_F(PoolFillTest, APoolThatNeverRunsAnythingIsNotWaitedFor) {
  Pool pool(0);
  EXPECT_EQ(Drawn(1, kLarge, 4, pool), Expected(1, kLarge));
  EXPECT_EQ(pool.scheduled(), 3);
}

TEST_F(PoolFillTest, ItEndsWhenTheLastPieceIsDone) {
  Pool pool(1);
  std::vector<uint32_t> words(kSmall);
  for (int64_t i = 0; i < 1000; ++i) {
    const uint32_t last = Expected(i, kSmall, kSmall - 1).back();
    Draw(i, 2, pool, &words);
    ASSERT_EQ(words.back(), last) << "fill " << i;
  }
}

TEST_F(PoolFillTest, AFillTooSmallForTwoThreadsAsksForNone) {
  Pool pool(2);
  Drawn(1, 1000, 2, pool);
  EXPECT_EQ(pool.scheduled(), 0);
}

// Each fill is worth one more thread. On a busy machine the pool's may miss
// many a chance, so it gets as many as it wants.
TEST_F(PoolFillTest, AThreadThatHelpedStandsByForTheNextFill) {
  Pool pool(1);
  std::vector<uint32_t> words(kLarge);
  int64_t fills = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  do {
    Draw(++fills, 2, pool, &words);
  } while (pool.scheduled() == fills && std::chrono::steady_clock::now() < end);
  EXPECT_LT(pool.scheduled(), fills);
}

TEST_F(PoolFillTest, ATaskThatIsTooLateDoesNotStandBy) {
  std::vector<uint32_t> words(kSmall);
  const auto done = std::make_shared<SharedFill>(FillOf(1, &words), 2);
  done->RunPieces();
  std::atomic<bool> ended{false};
  std::thread late([&] {
    for (int i = 0; i < 1000; ++i) {
      ++tasks_waiting;
      HelpAndStandBy(*done);
    }
    ended = true;
  });
  int64_t sent = 0;
  while (!ended) sent += Helpers().Send(done, 1);
  late.join();
  EXPECT_EQ(sent, 0);
}

TEST_F(PoolFillTest, NoThreadStandsByWhileTasksWaitForOne) {
  std::vector<uint32_t> words(kSmall);
  tasks_waiting = 1;
  std::atomic<bool> ended{false};
  std::thread helper([&] {
    for (int i = 0; i < 100; ++i) {
      ++tasks_waiting;
      HelpAndStandBy(*std::make_shared<SharedFill>(FillOf(1, &words), 2));
    }
    ended = true;
  });
  const auto other = std::make_shared<SharedFill>(FillOf(1, &words), 2);
  int64_t sent = 0;
  while (!ended) sent += Helpers().Send(other, 1);
  helper.join();
  EXPECT_EQ(sent, 0);
}

TEST(StandbyTest, AThreadGoesWhereItIsSentAndKeepsNothing) {
  Standby standby;
  std::vector<uint32_t> words(kSmall);
  auto fill = std::make_shared<SharedFill>(FillOf(1, &words), 2);
  const std::weak_ptr<SharedFill> kept = fill;
  int calls = 0;
  standby.Wait([&] {
    if (++calls == 1) return false;
    if (fill == nullptr) return true;
    EXPECT_EQ(standby.Send(fill, 0), 0);
    EXPECT_EQ(standby.Send(fill, 5), 1);
    EXPECT_EQ(standby.Send(fill, 1), 0) << "it is sent already";
    fill.reset();
    return false;
  });
  EXPECT_EQ(words, Expected(1, kSmall));
  EXPECT_TRUE(kept.expired());
  EXPECT_EQ(standby.Send(nullptr, 1), 0) << "it has left";
}

TEST(StandbyTest, AThreadReturnsToItsPoolThoughFillsGoOn) {
  Standby standby;
  std::vector<uint32_t> words(kSmall);
  const auto fill = std::make_shared<SharedFill>(FillOf(1, &words), 2);
  standby.Wait([&] {
    standby.Send(fill, 1);
    return false;
  });
  EXPECT_EQ(standby.Send(fill, 1), 0);
}

TEST_F(PoolFillTest, FillsThatRunAtOnceShareThePool) {
  Pool pool(0);
  fills_running = 1;
  Drawn(1, kLarge, 4, pool);
  fills_running = 0;
  EXPECT_EQ(pool.scheduled(), 4 / 2 - 1);
}

TEST_F(PoolFillTest, AFillGetsTheThreadsOfThoseThatEnded) {
  Pool pool(0);
  last_fills_running = 4;
  EXPECT_EQ(Drawn(1, kLarge, 4, pool), Expected(1, kLarge));
  EXPECT_EQ(pool.scheduled(), 3);
}

}  // namespace
}  // namespace tf_vsinit

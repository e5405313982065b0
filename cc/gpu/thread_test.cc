// The body of the kernels, run on the host for every thread of every thread
// block, gives the golden vectors and the bits of ElementAt.

#include "cc/gpu/thread.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "cc/gpu/plan.h"
#include "cc/gpu/tensorflow_vectors.h"
#include "cc/gpu/vsinit_vectors.h"
#include "cc/stream/box.h"
#include "cc/stream/golden_vectors.h"
#include "gtest/gtest.h"

namespace tf_vsinit {
namespace {

constexpr Stream kStreams[] = {Stream::kVsinit, Stream::kTensorFlow};
constexpr Distribution kDistributions[] = {Distribution::kTruncatedNormal,
                                           Distribution::kUntruncatedNormal,
                                           Distribution::kUniform};
// Not a power of two: multiplying by one is exact, and would hide an addition
// that is fused with it although the stream rounds twice.
constexpr double kLimitOrStddev = 0.0731;
constexpr uint64_t kTwo32 = uint64_t{1} << 32;

// ---------------------------------------------------------------------------
// A launch, on the host.

// The plans that a launch can have.
enum class PlanKind { kRun, kBox };

template <typename Plan, typename Vectors>
void RunThreads(const Plan& plan, const Vectors& vectors, uint64_t blocks) {
  for (uint64_t block = 0; block < blocks; ++block) {
    for (uint32_t thread = 0; thread < kThreadsPerBlock; ++thread) {
      FillThread(plan, vectors, block, blocks, thread);
    }
  }
}

template <typename T, Distribution kDistribution, typename Plan>
void RunStream(const Plan& plan, const Sampler& sampler, uint64_t blocks) {
  const auto rounded =
      static_cast<typename ElementTraits<T>::Real>(sampler.limit_or_stddev);
  if (sampler.stream == Stream::kTensorFlow) {
    return RunThreads(plan,
                      TensorFlowVectors<T, kDistribution>(sampler.key, rounded),
                      blocks);
  }
  const PairedRows rows = kDistribution == Distribution::kTruncatedNormal
                              ? TruncatedPairs()
                              : UntruncatedPairs();
  const DeviceTables tables(rows, kFloat64Coefficients);
  RunThreads(plan,
             VsinitVectors<T, kDistribution>(sampler.key, rounded, tables),
             blocks);
}

template <typename T, typename Plan>
void RunGrid(const Plan& plan, const Sampler& sampler, uint64_t blocks) {
  switch (sampler.distribution) {
    case Distribution::kTruncatedNormal:
      return RunStream<T, Distribution::kTruncatedNormal>(plan, sampler,
                                                          blocks);
    case Distribution::kUntruncatedNormal:
      return RunStream<T, Distribution::kUntruncatedNormal>(plan, sampler,
                                                            blocks);
    case Distribution::kUniform:
      return RunStream<T, Distribution::kUniform>(plan, sampler, blocks);
  }
}

// False if the box has no plan of this kind.
template <typename T>
bool Fill(const Sampler& sampler, const Box& box, PlanKind kind,
          uint64_t blocks, T* out) {
  if (kind == PlanKind::kBox) {
    RunGrid<T>(PlanBox<T>(box, out), sampler, blocks);
    return true;
  }
  RunPlan plan;
  if (!PlanRun<T>(box, out, &plan)) return false;
  RunGrid<T>(plan, sampler, blocks);
  return true;
}

// ---------------------------------------------------------------------------
// The golden vectors.

// Fills a draw at every alignment, by every plan that it has, and compares it
// from position `skip` on with the results of its line.
template <typename T>
void ExpectResults(const GoldenDraw& draw, size_t skip,
                   const GoldenVector& vector) {
  const Box box(draw.shape, draw.begin, draw.size);
  if (box.count() == 0) return;
  std::vector<VectorBits> memory(box.count() * sizeof(T) / kVectorBytes + 2);
  for (PlanKind kind : {PlanKind::kRun, PlanKind::kBox}) {
    for (int shift = 0; shift < VectorTraits<T>::kElementCount; ++shift) {
      T* out = reinterpret_cast<T*>(memory.data()) + shift;
      if (!Fill(draw.sampler, box, kind, 3, out)) continue;
      ASSERT_LE(skip + vector.results.size(), box.count()) << vector.line;
      for (size_t i = 0; i < vector.results.size(); ++i) {
        ASSERT_EQ(BitsOf(out[skip + i]), HexField(vector.results[i]))
            << "value " << i << " of " << vector.line << " shifted by "
            << shift;
      }
    }
  }
}

void ExpectResultsOfType(const GoldenDraw& draw, size_t skip,
                         const GoldenVector& vector) {
  WithElementType(draw.type, [&](auto type) {
    ExpectResults<decltype(type)>(draw, skip, vector);
  });
}

TEST(GpuGoldenTest, ElementsDrawnAlone) {
  for (const GoldenVector& vector : GoldenVectors("element")) {
    ExpectResultsOfType(ElementDraw(vector), 0, vector);
  }
}

TEST(GpuGoldenTest, ElementsInsideALongRun) {
  constexpr int64_t kMargin = 5000;
  for (const GoldenVector& vector : GoldenVectors("element")) {
    GoldenDraw draw = ElementDraw(vector);
    const int64_t before = std::min(draw.begin[0], kMargin);
    draw.begin[0] -= before;
    const int64_t wanted = draw.size[0] + before;
    draw.size[0] = std::min(wanted + kMargin, draw.shape[0] - draw.begin[0]);
    ExpectResultsOfType(draw, before, vector);
  }
}

TEST(GpuGoldenTest, Op) {
  for (const GoldenVector& vector : GoldenVectors("op")) {
    ExpectResultsOfType(OpDraw(vector), 0, vector);
  }
}

// ---------------------------------------------------------------------------
// The bits of ElementAt, for each element type.

template <typename T>
class GpuThreadTest : public testing::Test {
 protected:
  // Fills memory `shift` elements off alignment, with guards on both sides, and
  // compares it with ElementAt. Returns whether the box has such a plan.
  bool Check(Stream stream, Distribution distribution, const Box& box,
             size_t shift, PlanKind kind, uint64_t blocks) {
    const Sampler sampler{DeriveStreamKey(-3, 1234567890123), distribution,
                          kLimitOrStddev, stream};
    constexpr uint64_t kGuard = 16;
    constexpr char kGuardByte = 0x5A;
    std::vector<VectorBits> memory(
        (box.count() + shift + kGuard) * sizeof(T) / kVectorBytes + 3);
    const size_t bytes = memory.size() * sizeof(VectorBits);
    std::memset(memory.data(), kGuardByte, bytes);
    char* first = reinterpret_cast<char*>(memory.data());
    char* last = first + bytes;
    T* out = reinterpret_cast<T*>(first + kVectorBytes) + shift;
    if (!Fill(sampler, box, kind, blocks, out)) return false;
    for (uint64_t i = 0; i < box.count(); ++i) {
      const T want = ElementAt<T>(sampler, box.RunAt(i).first);
      if (BitsOf(out[i]) != BitsOf(want)) {
        ADD_FAILURE() << "position " << i << " of " << box.count()
                      << " shifted by " << shift << ", distribution "
                      << static_cast<int>(distribution) << ", stream "
                      << static_cast<int>(stream);
        return true;
      }
    }
    const auto untouched = [](char byte) { return byte == kGuardByte; };
    EXPECT_TRUE(std::all_of(first, reinterpret_cast<char*>(out), untouched));
    EXPECT_TRUE(std::all_of(reinterpret_cast<char*>(out + box.count()), last,
                            untouched));
    return true;
  }

  // Checks every stream, distribution and plan.
  void CheckAll(const Box& box, size_t shift, uint64_t blocks) {
    for (Stream stream : kStreams) {
      for (Distribution distribution : kDistributions) {
        for (PlanKind kind : {PlanKind::kRun, PlanKind::kBox}) {
          Check(stream, distribution, box, shift, kind, blocks);
        }
      }
    }
  }

  static Box RunOf(uint64_t first, uint64_t count) {
    return Box({int64_t{1} << 62}, {static_cast<int64_t>(first)},
               {static_cast<int64_t>(count)});
  }
};

using ElementTypes = testing::Types<Half, Bfloat16, float, double>;
TYPED_TEST_SUITE(GpuThreadTest, ElementTypes);

TYPED_TEST(GpuThreadTest, RaggedLengthsAndMisalignedStarts) {
  constexpr int kElementCount = VectorTraits<TypeParam>::kElementCount;
  for (uint64_t first = 0; first < 2 * kElementCount; ++first) {
    for (size_t shift = 0; shift < kElementCount; ++shift) {
      for (uint64_t count : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 61}) {
        this->CheckAll(this->RunOf(first, count), shift, 1);
      }
    }
  }
}

TYPED_TEST(GpuThreadTest, GridsOfEverySize) {
  constexpr uint64_t kTile =
      kVectorsPerTile * VectorTraits<TypeParam>::kElementCount;
  for (uint64_t count : {kTile - 1, kTile, 3 * kTile + 11}) {
    for (uint64_t blocks : {1, 2, 3, 5}) {
      this->CheckAll(this->RunOf(0, count), 0, blocks);
      this->CheckAll(this->RunOf(3, count), 1, blocks);
    }
  }
}

TYPED_TEST(GpuThreadTest, OneRunOnBlockBoundariesHasARunPlan) {
  constexpr uint64_t kPerBlock = ElementTraits<TypeParam>::kPerBlock;
  const auto has_it = [&](uint64_t first, size_t shift) {
    return this->Check(Stream::kVsinit, Distribution::kUniform,
                       this->RunOf(first, 100), shift, PlanKind::kRun, 1);
  };
  EXPECT_TRUE(has_it(0, 0));
  EXPECT_TRUE(has_it(kPerBlock, 0));
  EXPECT_TRUE(has_it(kPerBlock + 1, 1));
  EXPECT_TRUE(has_it(1, 1));
  EXPECT_FALSE(has_it(1, 0));
  EXPECT_FALSE(has_it(0, 1));
}

TYPED_TEST(GpuThreadTest, RunsThatCrossTheLowCounterWord) {
  constexpr uint64_t kBlock = kTwo32 * ElementTraits<TypeParam>::kPerBlock;
  // Truncated normals of the TensorFlow stream get there sooner.
  constexpr uint64_t kTuple = kBlock / kBlocksPerTruncatedTuple<TypeParam>;
  for (uint64_t wrap : {kTuple, 77 * kTuple, kBlock, 2 * kBlock, 77 * kBlock}) {
    for (uint64_t before = 0; before < 10; ++before) {
      this->CheckAll(this->RunOf(wrap - before, 20), before % 3, 1);
    }
    this->CheckAll(this->RunOf(wrap - 5000, 10001), 0, 2);
  }
}

TYPED_TEST(GpuThreadTest, IndicesBeyond32Bits) {
  for (uint64_t first : {kTwo32 - 7, 3 * kTwo32 + 1, (kTwo32 << 29) - 40}) {
    this->CheckAll(this->RunOf(first, 40), 0, 1);
  }
  const Box columns({5, int64_t{1} << 40}, {1, (int64_t{1} << 40) - 13},
                    {4, 13});
  for (size_t shift : {0, 1}) this->CheckAll(columns, shift, 1);
}

TYPED_TEST(GpuThreadTest, Boxes) {
  std::mt19937 random(20240607);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint32_t>(n));
  };
  for (int repetition = 0; repetition < 60; ++repetition) {
    std::vector<int64_t> shape, begin, size;
    for (int64_t largest : {4, 3, 5, 3, 150}) {
      shape.push_back(1 + below(largest));
      const bool whole = below(2) == 0;
      begin.push_back(whole ? 0 : below(shape.back()));
      size.push_back(whole ? shape.back()
                           : 1 + below(shape.back() - begin.back()));
    }
    this->CheckAll(Box(shape, begin, size), below(4), 1 + below(3));
  }
}

TYPED_TEST(GpuThreadTest, BoxesWhoseVectorsAreWholeBlocks) {
  const auto check = [&](const Box& box, bool in_step) {
    EXPECT_EQ(PlanBox<TypeParam>(box, nullptr).in_step, in_step);
    this->CheckAll(box, 0, 2);
    this->CheckAll(box, 1, 1);
  };
  check(Box({9, 64}, {1, 16}, {7, 32}), true);
  check(Box({3, 5, 2, 96}, {1, 2, 0, 8}, {2, 3, 2, 64}), true);
  check(Box({9, 64}, {1, 17}, {7, 32}), false);
  check(Box({9, 64}, {1, 16}, {7, 33}), false);
  check(Box({9, 65}, {0, 16}, {7, 32}), false);
}

TYPED_TEST(GpuThreadTest, RunsShorterThanAVector) {
  for (int64_t length = 1; length <= 17; ++length) {
    for (int64_t stride : {17, 24}) {
      this->CheckAll(Box({50, stride}, {1, 0}, {49, length}), 0, 1);
      this->CheckAll(Box({50, stride}, {0, stride - length}, {49, length}), 1,
                     1);
    }
  }
}

TYPED_TEST(GpuThreadTest, ScalarsAndSingleElements) {
  this->CheckAll(Box({}, {}, {}), 0, 1);
  this->CheckAll(Box({3, 4, 5}, {2, 3, 4}, {1, 1, 1}), 1, 1);
}

// ---------------------------------------------------------------------------
// Counting.

TEST(DivisorTest, DividesWhateverFitsInt64) {
  std::mt19937_64 random(1);
  const uint64_t largest = INT64_MAX;
  std::vector<uint64_t> numbers = {
      1, 2, 3, 5, 7, 641, kTwo32 - 1, kTwo32, kTwo32 + 1, largest - 1, largest};
  for (int i = 0; i < 300; ++i)
    numbers.push_back(1 + random() % (largest >> i % 63));
  for (uint64_t divisor : numbers) {
    const Divisor by(divisor);
    for (uint64_t number : numbers) {
      for (uint64_t dividend :
           {number, number - 1, number / divisor * divisor,
            std::max(number / divisor * divisor, uint64_t{1}) - 1}) {
        uint64_t remainder = dividend;
        ASSERT_EQ(by.Divide(&remainder), dividend / divisor)
            << dividend << " by " << divisor;
        ASSERT_EQ(remainder, dividend % divisor);
      }
    }
  }
}

// The box takes a part of as many axes as an int64 count allows, and the whole
// of another.
TEST(BoxPlanTest, FindsEveryPositionOfALargeBox) {
  std::vector<int64_t> shape(38, 3), begin(38, 1), size(38, 2);
  shape.insert(shape.begin() + 5, 2);
  begin.insert(begin.begin() + 5, 0);
  size.insert(size.begin() + 5, 2);
  const Box box(shape, begin, size);
  const BoxPlan plan = PlanBox<float>(box, nullptr);
  EXPECT_LE(plan.axes, BoxPlan::kMaxAxes);
  std::mt19937_64 random(2);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t position = random() % box.count();
    const auto want = box.RunAt(position);
    const auto got = plan.RunAt(position);
    ASSERT_EQ(got.first, want.first) << position;
    ASSERT_EQ(got.count, want.count) << position;
  }
}

}  // namespace
}  // namespace tf_vsinit

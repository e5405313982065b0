// Every instruction set of this machine gives the bits of ElementAt.

#include "cc/cpu/fill.h"

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "cc/cpu/instruction_set.h"
#include "cc/stream/rows.h"
#include "gtest/gtest.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tf_vsinit {
namespace {

constexpr Distribution kDistributions[] = {Distribution::kTruncatedNormal,
                                           Distribution::kUntruncatedNormal,
                                           Distribution::kUniform};
constexpr Stream kStreams[] = {Stream::kVsinit, Stream::kTensorFlow};
constexpr ElementType kTypes[] = {ElementType::kHalf, ElementType::kBfloat16,
                                  ElementType::kFloat, ElementType::kDouble};
// Not a power of two: multiplying by one is exact, and would hide an addition
// that is fused with it although the stream rounds twice.
constexpr double kLimitOrStddev = 0.0731;
constexpr uint64_t kTwo32 = uint64_t{1} << 32;

std::string NameOf(ElementType type) {
  switch (type) {
    case ElementType::kHalf:
      return "Half";
    case ElementType::kBfloat16:
      return "Bfloat16";
    case ElementType::kFloat:
      return "Float";
    case ElementType::kDouble:
      return "Double";
  }
  return "";
}

std::string NameOf(Distribution distribution) {
  switch (distribution) {
    case Distribution::kTruncatedNormal:
      return "TruncatedNormal";
    case Distribution::kUntruncatedNormal:
      return "UntruncatedNormal";
    case Distribution::kUniform:
      return "Uniform";
  }
  return "";
}

std::string NameOf(Stream stream) {
  return stream == Stream::kVsinit ? "Vsinit" : "TensorFlow";
}

template <typename T>
void AppendElement(const Sampler& sampler, uint64_t index,
                   std::vector<char>* bytes) {
  const T value = ElementAt<T>(sampler, index);
  const char* first = reinterpret_cast<const char*>(&value);
  bytes->insert(bytes->end(), first, first + sizeof(value));
}

// The bytes of positions [begin, end) of a box, from ElementAt.
std::vector<char> ElementBytes(const Sampler& sampler, ElementType type,
                               const Box& box, uint64_t begin, uint64_t end) {
  std::vector<char> bytes;
  for (uint64_t position = begin; position < end; ++position) {
    const uint64_t index = box.RunAt(position).first;
    switch (type) {
      case ElementType::kHalf:
        AppendElement<Half>(sampler, index, &bytes);
        break;
      case ElementType::kBfloat16:
        AppendElement<Bfloat16>(sampler, index, &bytes);
        break;
      case ElementType::kFloat:
        AppendElement<float>(sampler, index, &bytes);
        break;
      case ElementType::kDouble:
        AppendElement<double>(sampler, index, &bytes);
        break;
    }
  }
  return bytes;
}

class FillTest
    : public testing::TestWithParam<
          std::tuple<std::string, ElementType, Distribution, Stream>> {
 protected:
  FillTest()
      : type_(std::get<1>(GetParam())),
        sampler_{DeriveStreamKey(-3, 1234567890123), std::get<2>(GetParam()),
                 kLimitOrStddev, std::get<3>(GetParam())} {
    EXPECT_TRUE(UseInstructionSet(std::get<0>(GetParam())));
  }
  ~FillTest() override { UseInstructionSet(""); }

  // Fills positions [begin, end) into memory `shift` elements off alignment,
  // with guards on both sides, and compares them with ElementAt.
  void Check(const Box& box, uint64_t begin, uint64_t end, size_t shift,
             Reuse reuse) {
    const size_t element = ElementSize(type_);
    const size_t bytes = (end - begin) * element;
    constexpr size_t kAlignment = 64;
    constexpr char kGuard = 0x5A;
    std::vector<char> memory(bytes + shift * element + 3 * kAlignment, kGuard);
    const size_t to_align =
        kAlignment - reinterpret_cast<uintptr_t>(memory.data()) % kAlignment;
    char* out = memory.data() + to_align + shift * element;
    FillBox(sampler_, type_, box, begin, end, out, reuse);
    const std::vector<char> want =
        ElementBytes(sampler_, type_, box, begin, end);
    ASSERT_TRUE(std::equal(want.begin(), want.end(), out))
        << "positions [" << begin << ", " << end << ") shifted by " << shift;
    const auto untouched = [](char byte) { return byte == kGuard; };
    ASSERT_TRUE(std::all_of(memory.data(), out, untouched));
    ASSERT_TRUE(
        std::all_of(out + bytes, memory.data() + memory.size(), untouched));
  }

  // Checks the run [first, first + count) of a long vector.
  void CheckRun(uint64_t first, uint64_t count, size_t shift, Reuse reuse) {
    const Box box({int64_t{1} << 60}, {static_cast<int64_t>(first)},
                  {static_cast<int64_t>(count)});
    Check(box, 0, count, shift, reuse);
  }

  const ElementType type_;
  const Sampler sampler_;
};

TEST_P(FillTest, RaggedLengthsAndMisalignedStarts) {
  for (uint64_t first = 0; first < 5; ++first) {
    for (uint64_t count : {0, 1, 2, 3, 4, 5, 7, 63, 64, 65, 191, 193, 1000}) {
      CheckRun(first, count, first, Reuse::kSoon);
      CheckRun(first, count, (first + count) % 33, Reuse::kNotSoon);
    }
  }
}

TEST_P(FillTest, LongRunsWithAndWithoutNonTemporalStores) {
  for (Reuse reuse : {Reuse::kSoon, Reuse::kNotSoon}) {
    for (size_t shift : {0, 1, 2, 4, 8, 31}) {
      CheckRun(shift, 70001, 0, reuse);
      CheckRun(0, 70001, shift, reuse);
    }
  }
}

TEST_P(FillTest, RunsThatCrossTheLowCounterWord) {
  const uint64_t per_block = type_ == ElementType::kDouble ? 2 : 4;
  const bool stock_truncated =
      sampler_.stream == Stream::kTensorFlow &&
      sampler_.distribution == Distribution::kTruncatedNormal;
  const uint64_t blocks_per_tuple = stock_truncated ? 64 * per_block : 1;
  for (uint64_t wraps : {1, 2, 77}) {
    const uint64_t wrap = kTwo32 / blocks_per_tuple * per_block * wraps;
    CheckRun(wrap - 3, 7, 0, Reuse::kSoon);
    for (uint64_t blocks = 0; blocks < 9; ++blocks) {
      CheckRun(wrap - 16384 + blocks * per_block, 40000, 0, Reuse::kNotSoon);
    }
    CheckRun(wrap - 50001, 100002, 0, Reuse::kNotSoon);
    CheckRun(wrap - 50000, 50000, 0, Reuse::kSoon);
    CheckRun(wrap, 50000, 0, Reuse::kSoon);
  }
}

TEST_P(FillTest, Boxes) {
  std::mt19937 random(20240607);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint32_t>(n));
  };
  for (int repetition = 0; repetition < 40; ++repetition) {
    const std::vector<int64_t> shape = {1 + below(6), 1 + below(30),
                                        1 + below(400)};
    std::vector<int64_t> begin, size;
    for (int64_t extent : shape) {
      begin.push_back(below(extent));
      size.push_back(1 + below(extent - begin.back()));
    }
    const Box box(shape, begin, size);
    const uint64_t from =
        static_cast<uint64_t>(below(static_cast<int64_t>(box.count())));
    const uint64_t to =
        from + static_cast<uint64_t>(
                   below(static_cast<int64_t>(box.count() - from + 1)));
    Check(box, from, to, below(5),
          repetition % 2 ? Reuse::kSoon : Reuse::kNotSoon);
  }
}

TEST_P(FillTest, ListedRows) {
  std::mt19937 random(20240608);
  // Rows of a table that the low counter word numbers, of one that it does not,
  // and rows around its wraps.
  for (uint64_t table : {uint64_t{1000}, uint64_t{1} << 50, kTwo32}) {
    std::vector<int64_t> numbers;
    for (int i = 0; i < 50; ++i) {
      const uint64_t word = uint64_t{random()} << 32 | random();
      numbers.push_back(static_cast<int64_t>(
          table == kTwo32 ? (1 + word % 5) * (table >> i % 13) - word % 3
                          : word % table));
      if (i % 5 == 0) numbers.push_back(numbers.back());
    }
    const Rows rows{numbers.data(), /*are_int64=*/true,
                    static_cast<int64_t>(numbers.size())};
    for (int64_t row_size : {1, 2, 3, 5, 64, 1000}) {
      const Box box(rows, row_size);
      for (size_t shift : {0, 1, 32}) {
        Check(box, 0, box.count(), shift, Reuse::kNotSoon);
        Check(box, box.count() / 7, box.count() * 6 / 7, shift, Reuse::kSoon);
      }
    }
  }
}

TEST_P(FillTest, ShortRunsThatFillWholeVectorsOfTheOutput) {
  const Box box({90, 128}, {1, 33}, {89, 64});
  for (size_t shift : {0, 1, 32}) {
    Check(box, 0, box.count(), shift, Reuse::kNotSoon);
    Check(box, 7, box.count() - 5, shift, Reuse::kNotSoon);
  }
}

TEST_P(FillTest, FillsInAnyOrderAndOfAnySizeJoin) {
  constexpr uint64_t kCount = 20011;
  const Box box({100, 1000}, {3, 0}, {40, 517});
  const std::vector<char> want = ElementBytes(sampler_, type_, box, 0, kCount);
  const size_t element = ElementSize(type_);
  for (uint64_t size : {1u, 2u, 511u, 517u, 8191u, 20010u}) {
    std::vector<char> got(kCount * element);
    std::vector<std::thread> threads;
    for (uint64_t begin = 0; begin < kCount; begin += 8 * size) {
      threads.emplace_back([&, begin] {
        const uint64_t last = std::min(kCount, begin + 8 * size);
        for (uint64_t at = begin; at < last; at += size) {
          FillBox(sampler_, type_, box, at, std::min(last, at + size),
                  got.data() + at * element, Reuse::kSoon);
        }
      });
      if (threads.size() == 16) {
        for (std::thread& thread : threads) thread.join();
        threads.clear();
      }
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(got, want) << "in fills of " << size;
  }
}

#if defined(__x86_64__)
TEST_P(FillTest, KeepsSubnormalsInThreadsThatFlushThem) {
  // Values around the smallest normal number of the type.
  const double stddev = type_ == ElementType::kDouble ? 0x1p-1022
                        : type_ == ElementType::kHalf ? 0x1p-14
                                                      : 0x1p-126;
  const Sampler sampler{DeriveStreamKey(1, 2), sampler_.distribution, stddev,
                        sampler_.stream};
  const Box box({4096}, {0}, {4096});
  const std::vector<char> want = ElementBytes(sampler, type_, box, 0, 4096);
  std::vector<char> got(want.size());
  const unsigned saved = _mm_getcsr();
  constexpr unsigned kFlushToZero = 0x8000, kZeroDenormals = 0x40,
                     kRoundUp = 0x4000;
  const unsigned unusual = saved | kFlushToZero | kZeroDenormals | kRoundUp;
  _mm_setcsr(unusual);
  FillBox(sampler, type_, box, 0, 4096, got.data(), Reuse::kSoon);
  const unsigned after = _mm_getcsr();
  _mm_setcsr(saved);
  EXPECT_EQ(got, want);
  EXPECT_EQ(after & ~0x3Fu, unusual & ~0x3Fu) << "must restore the mode";
}
#endif

INSTANTIATE_TEST_SUITE_P(All, FillTest,
                         testing::Combine(testing::ValuesIn(InstructionSets()),
                                          testing::ValuesIn(kTypes),
                                          testing::ValuesIn(kDistributions),
                                          testing::ValuesIn(kStreams)),
                         [](const auto& info) {
                           return std::get<0>(info.param) +
                                  NameOf(std::get<1>(info.param)) +
                                  NameOf(std::get<2>(info.param)) +
                                  NameOf(std::get<3>(info.param));
                         });

TEST(InstructionSetTest, SwitchesAmongTheNamesOfThisMachine) {
  const std::vector<std::string> names = InstructionSets();
#if defined(__x86_64__)
  EXPECT_EQ(std::count(names.begin(), names.end(), "scalar"), 1);
#endif
  for (const std::string& name : names) {
    ASSERT_TRUE(UseInstructionSet(name));
    EXPECT_EQ(InstructionSet(), name);
  }
  EXPECT_FALSE(UseInstructionSet("abacus"));
  ASSERT_TRUE(UseInstructionSet(""));
  EXPECT_EQ(InstructionSets(), names);
}

}  // namespace
}  // namespace tf_vsinit

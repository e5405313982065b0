// Every instruction set of this machine gives the golden vectors.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "cc/cpu/fill.h"
#include "cc/cpu/instruction_set.h"
#include "cc/stream/box.h"
#include "cc/stream/golden_vectors.h"

namespace tf_vsinit {
namespace {

class GoldenTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(UseInstructionSet(GetParam())); }
  void TearDown() override { UseInstructionSet(""); }
};

ElementType TypeOf(Half) { return ElementType::kHalf; }
ElementType TypeOf(Bfloat16) { return ElementType::kBfloat16; }
ElementType TypeOf(float) { return ElementType::kFloat; }
ElementType TypeOf(double) { return ElementType::kDouble; }

template <typename T>
std::vector<T> Filled(const GoldenDraw& draw, Reuse reuse) {
  const Box box(draw.shape, draw.begin, draw.size);
  std::vector<T> values(box.count());
  FillBox(draw.sampler, TypeOf(T()), box, 0, box.count(), values.data(), reuse);
  return values;
}

// Compares `values` from `skip` on with the results of a line.
template <typename T>
void ExpectResults(const std::vector<T>& values, size_t skip,
                   const GoldenVector& vector) {
  ASSERT_LE(skip + vector.results.size(), values.size()) << vector.line;
  for (size_t i = 0; i < vector.results.size(); ++i) {
    EXPECT_EQ(BitsOf(values[skip + i]), HexField(vector.results[i]))
        << "value " << i << " of " << vector.line;
  }
}

TEST_P(GoldenTest, ElementsDrawnAlone) {
  for (const GoldenVector& vector : GoldenVectors("element")) {
    WithElementType(vector.arguments.at(0), [&](auto type) {
      const auto values =
          Filled<decltype(type)>(ElementDraw(vector), Reuse::kSoon);
      ASSERT_EQ(values.size(), vector.results.size());
      ExpectResults(values, 0, vector);
    });
  }
}

// Short runs, long runs and non-temporal stores take different paths.
TEST_P(GoldenTest, ElementsInsideALongRun) {
  // More than a fill draws at a time.
  constexpr int64_t kMargin = 5000;
  for (const GoldenVector& vector : GoldenVectors("element")) {
    GoldenDraw draw = ElementDraw(vector);
    const int64_t before = std::min(draw.begin[0], kMargin);
    draw.begin[0] -= before;
    const int64_t wanted = draw.size[0] + before;
    draw.size[0] = std::min(wanted + kMargin, draw.shape[0] - draw.begin[0]);
    WithElementType(draw.type, [&](auto type) {
      for (Reuse reuse : {Reuse::kSoon, Reuse::kNotSoon}) {
        ExpectResults(Filled<decltype(type)>(draw, reuse), before, vector);
      }
    });
  }
}

TEST_P(GoldenTest, Op) {
  for (const GoldenVector& vector : GoldenVectors("op")) {
    const GoldenDraw draw = OpDraw(vector);
    WithElementType(draw.type, [&](auto type) {
      const auto values = Filled<decltype(type)>(draw, Reuse::kSoon);
      ASSERT_EQ(values.size(), vector.results.size()) << vector.line;
      ExpectResults(values, 0, vector);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, GoldenTest,
                         testing::ValuesIn(InstructionSets()));

}  // namespace
}  // namespace tf_vsinit

// cc/stream gives the golden vectors.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/golden_vectors.h"
#include "cc/stream/philox.h"
#include "cc/stream/rounding.h"
#include "cc/stream/scale.h"
#include "cc/stream/tensorflow_deviates.h"

namespace tf_vsinit {
namespace {

std::vector<uint32_t> WordFields(const std::vector<std::string>& fields) {
  std::vector<uint32_t> words;
  for (const auto& field : fields) words.push_back(HexField(field));
  return words;
}

TEST(GoldenTest, Philox) {
  for (const GoldenVector& vector : GoldenVectors("philox")) {
    const auto in = WordFields(vector.arguments);
    const auto out = WordFields(vector.results);
    const PhiloxBlock got =
        Philox({{in.at(0), in.at(1), in.at(2), in.at(3)}}, in.at(4), in.at(5));
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(got.word[i], out.at(i)) << vector.line;
  }
}

TEST(GoldenTest, Key) {
  for (const GoldenVector& vector : GoldenVectors("key")) {
    const auto out = WordFields(vector.results);
    const StreamKey got = DeriveStreamKey(std::stoll(vector.arguments.at(0)),
                                          std::stoll(vector.arguments.at(1)));
    EXPECT_EQ(got.key[0], out.at(0)) << vector.line;
    EXPECT_EQ(got.key[1], out.at(1)) << vector.line;
    EXPECT_EQ(got.counter_high[0], out.at(2)) << vector.line;
    EXPECT_EQ(got.counter_high[1], out.at(3)) << vector.line;
  }
}

TEST(GoldenTest, Deviate) {
  for (const GoldenVector& vector : GoldenVectors("deviate")) {
    const auto distribution = DistributionField(vector.arguments.at(1));
    const uint64_t word = HexField(vector.arguments.at(2));
    const uint64_t got = vector.arguments.at(0) == "float64"
                             ? BitsOf(StandardDeviate(distribution, word))
                             : BitsOf(StandardDeviate(
                                   distribution, static_cast<uint32_t>(word)));
    EXPECT_EQ(got, HexField(vector.results.at(0))) << vector.line;
  }
}

// Compares the deviates of a "pair" line, whose words are of type Word.
template <typename Word>
void ExpectPair(const GoldenVector& vector) {
  const auto normal =
      BoxMuller(static_cast<Word>(HexField(vector.arguments.at(1))),
                static_cast<Word>(HexField(vector.arguments.at(2))));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(BitsOf(normal.deviate[i]), HexField(vector.results.at(i)))
        << "deviate " << i << " of " << vector.line;
  }
}

TEST(GoldenTest, Pair) {
  for (const GoldenVector& vector : GoldenVectors("pair")) {
    if (vector.arguments.at(0) == "float64") {
      ExpectPair<uint64_t>(vector);
    } else {
      ExpectPair<uint32_t>(vector);
    }
  }
}

TEST(GoldenTest, Round) {
  for (const GoldenVector& vector : GoldenVectors("round")) {
    const float value =
        BitCast<float>(static_cast<uint32_t>(HexField(vector.arguments.at(1))));
    const uint64_t got = vector.arguments.at(0) == "float16"
                             ? RoundToHalf(value)
                             : RoundToBfloat16(value);
    EXPECT_EQ(got, HexField(vector.results.at(0))) << vector.line;
  }
}

TEST(GoldenTest, Scale) {
  for (const GoldenVector& vector : GoldenVectors("scale")) {
    const auto& field = vector.arguments;
    const Fans fans = FansOfFields(
        ListField(field.at(3)), ListField(field.at(4)), ListField(field.at(5)));
    EXPECT_EQ(fans.in, std::stoll(vector.results.at(0))) << vector.line;
    EXPECT_EQ(fans.out, std::stoll(vector.results.at(1))) << vector.line;
    const double got =
        LimitOrStddev(DoubleField(field.at(2)), FanModeField(field.at(0)), fans,
                      DistributionField(field.at(1)));
    EXPECT_EQ(BitsOf(got), HexField(vector.results.at(2))) << vector.line;
  }
}

// Compares each element of a draw with the results of its line.
void ExpectElements(const GoldenDraw& draw, const GoldenVector& vector) {
  const Box box(draw.shape, draw.begin, draw.size);
  ASSERT_EQ(box.count(), vector.results.size()) << vector.line;
  WithElementType(draw.type, [&](auto type) {
    using T = decltype(type);
    for (uint64_t i = 0; i < box.count(); ++i) {
      const T got = ElementAt<T>(draw.sampler, box.RunAt(i).first);
      EXPECT_EQ(BitsOf(got), HexField(vector.results[i]))
          << "value " << i << " of " << vector.line;
    }
  });
}

TEST(GoldenTest, Element) {
  for (const GoldenVector& vector : GoldenVectors("element")) {
    ExpectElements(ElementDraw(vector), vector);
  }
}

TEST(GoldenTest, Op) {
  for (const GoldenVector& vector : GoldenVectors("op")) {
    ExpectElements(OpDraw(vector), vector);
  }
}

}  // namespace
}  // namespace tf_vsinit

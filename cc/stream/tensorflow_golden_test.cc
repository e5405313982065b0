// The scalar TensorFlow stream against its golden vectors.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cc/stream/box.h"
#include "cc/stream/golden_vectors.h"
#include "cc/stream/tensorflow_deviates.h"
#include "cc/stream/tensorflow_element.h"

namespace tf_vsinit {
namespace {

std::vector<GoldenVector> Vectors(const std::string& kind) {
  return GoldenVectors(kind, "stream_tensorflow.txt");
}

// Compares the deviates of a pair line, whose words are of type Word.
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

TEST(TensorFlowGoldenTest, Pair) {
  for (const GoldenVector& vector : Vectors("pair")) {
    if (vector.arguments.at(0) == "float64") {
      ExpectPair<uint64_t>(vector);
    } else {
      ExpectPair<uint32_t>(vector);
    }
  }
}

// Compares each element of a draw with the results of its line.
void ExpectElements(const GoldenDraw& draw, const GoldenVector& vector) {
  const Box box(draw.shape, draw.begin, draw.size);
  ASSERT_EQ(box.count(), vector.results.size()) << vector.line;
  WithElementType(draw.type, [&](auto type) {
    using T = decltype(type);
    for (uint64_t i = 0; i < box.count(); ++i) {
      const T got = TensorFlowElementAt<T>(draw.sampler, box.RunAt(i).first);
      EXPECT_EQ(BitsOf(got), HexField(vector.results[i]))
          << "value " << i << " of " << vector.line;
    }
  });
}

TEST(TensorFlowGoldenTest, Element) {
  for (const GoldenVector& vector : Vectors("element")) {
    ExpectElements(ElementDraw(vector), vector);
  }
}

TEST(TensorFlowGoldenTest, Op) {
  for (const GoldenVector& vector : Vectors("op")) {
    ExpectElements(OpDraw(vector), vector);
  }
}

}  // namespace
}  // namespace tf_vsinit

// Normal values, that is z * stddev, are within the promised error of the exact
// deviate times the exact standard deviation. exhaustive_test.cc has a bound
// for all words and standard deviations.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/normal_error.h"

namespace tf_vsinit {
namespace {

float AsFloat(float value) { return value; }
float AsFloat(Bfloat16 value) {
  return BitCast<float>(uint32_t{value.bits} << 16);
}
float AsFloat(Half value) {
  const float magnitude =
      std::ldexp(1024 + (value.bits & 1023), (value.bits >> 10 & 31) - 25);
  return value.bits >> 15 ? -magnitude : magnitude;
}

// The error of a value of type T in units of the last of `bits` binary digits.
template <typename T>
double ErrorInUlp(Distribution distribution, double stddev, uint32_t word,
                  int bits) {
  const float z = StandardDeviate(distribution, word);
  const double step =
      NormalError(distribution == Distribution::kTruncatedNormal,
                  TailBits(word), std::fabs(z));
  const double exact = (z - std::copysign(step, z)) * stddev;
  T value;
  RoundTo(Scaling<T>(static_cast<float>(stddev)).Apply(distribution, z),
          &value);
  return std::fabs(AsFloat(value) - exact) /
         std::ldexp(FloatUlp(exact), 24 - bits);
}

// The largest error over many words and standard deviations.
template <typename T>
double LargestErrorInUlp(Distribution distribution, int bits) {
  double largest = 0;
  for (uint32_t i = 0; i < 2000000; ++i) {
    const uint32_t word = i * 2654435761u;
    const double stddev = 0.25 + 0.75 * (i % 9973 + 0.5) / 9973;
    // Elements this small are not normal numbers in every type.
    if (std::fabs(StandardDeviate(distribution, word)) < 0x1p-10f) continue;
    largest =
        std::max(largest, ErrorInUlp<T>(distribution, stddev, word, bits));
  }
  return largest;
}

class ValueAccuracyTest : public testing::TestWithParam<Distribution> {};

TEST_P(ValueAccuracyTest, Float32IsWithinFiveUlp) {
  EXPECT_LT(LargestErrorInUlp<float>(GetParam(), 24), 5.0);
}

TEST_P(ValueAccuracyTest, SixteenBitsAreWithinLittleMoreThanHalfAnUlp) {
  EXPECT_LT(LargestErrorInUlp<Half>(GetParam(), 11), 0.5 + 5 * 0x1p-13);
  EXPECT_LT(LargestErrorInUlp<Bfloat16>(GetParam(), 8), 0.5 + 5 * 0x1p-16);
}

// The word is 1.81 ulp off as a deviate.
TEST(ErrorInUlpTest, FindsAKnownError) {
  EXPECT_NEAR(ErrorInUlp<float>(Distribution::kTruncatedNormal, 0x1.ff3b3ep-1,
                                0x657CD74F, 24),
              4.49, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Normals, ValueAccuracyTest,
                         testing::Values(Distribution::kTruncatedNormal,
                                         Distribution::kUntruncatedNormal));

}  // namespace
}  // namespace tf_vsinit

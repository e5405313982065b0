// Fans, and the limits and standard deviations that follow from them.

#include "cc/stream/scale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace tf_vsinit {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
constexpr FanMode kModes[] = {FanMode::kFanIn, FanMode::kFanOut,
                              FanMode::kFanAverage,
                              FanMode::kFanGeometricAverage};

void ExpectFans(const std::vector<int64_t>& shape, int64_t in, int64_t out) {
  Fans fans;
  ASSERT_TRUE(DefaultFans(shape, &fans));
  EXPECT_EQ(fans.in, in);
  EXPECT_EQ(fans.out, out);
}

TEST(FansTest, EqualThoseOfKeras) {
  ExpectFans({}, 1, 1);
  ExpectFans({7}, 7, 7);
  ExpectFans({3, 5}, 3, 5);
  ExpectFans({2, 3, 5}, 6, 10);
  ExpectFans({3, 3, 16, 32}, 144, 288);
  ExpectFans({0, 5}, 0, 5);
  ExpectFans({0, 4, 5}, 0, 0);
}

TEST(FansTest, DoNotFitInt64) {
  Fans fans;
  EXPECT_TRUE(DefaultFans({kLargest, 1}, &fans));
  EXPECT_EQ(fans.in, kLargest);
  EXPECT_FALSE(DefaultFans({2, kLargest, 1}, &fans));
  EXPECT_FALSE(DefaultFans({2, 1, kLargest}, &fans));
  EXPECT_FALSE(DefaultFans({2, kLargest, 1, 1}, &fans));
}

TEST(FansTest, AreZeroForAnEmptyAxisWhateverTheOthers) {
  ExpectFans({0, kLargest, kLargest, 5}, 0, 0);
  ExpectFans({kLargest, kLargest, 0, 5, 7}, 0, 0);
  ExpectFans({kLargest, 0, 1}, 0, kLargest);
  Fans fans;
  EXPECT_FALSE(DefaultFans({kLargest, 2, 0}, &fans)) << "fan_in has no zero";
}

TEST(AxesProductTest, IsZeroForAnEmptyAxisInAnyOrder) {
  const std::vector<int64_t> shape = {0, int64_t{1} << 40};
  for (const std::vector<int64_t>& axes :
       {std::vector<int64_t>{1, 1, 0}, {0, 1, 1}, {1, 0, 1}}) {
    int64_t product = -1;
    EXPECT_TRUE(AxesProduct(shape, axes, &product));
    EXPECT_EQ(product, 0);
  }
}

TEST(AxesProductTest, MultipliesTheNamedAxes) {
  int64_t product;
  ASSERT_TRUE(AxesProduct({2, 3, 5}, {}, &product));
  EXPECT_EQ(product, 1);
  ASSERT_TRUE(AxesProduct({2, 3, 5}, {0, 2}, &product));
  EXPECT_EQ(product, 10);
  ASSERT_TRUE(AxesProduct({2, 3, 5}, {-1, -2}, &product));
  EXPECT_EQ(product, 15);
  EXPECT_FALSE(AxesProduct({kLargest, 2}, {0, 1}, &product));
}

TEST(FanCountTest, FollowsTheMode) {
  const Fans fans = {4, 9};
  EXPECT_EQ(FanCount(FanMode::kFanIn, fans), 4.0);
  EXPECT_EQ(FanCount(FanMode::kFanOut, fans), 9.0);
  EXPECT_EQ(FanCount(FanMode::kFanAverage, fans), 6.5);
  EXPECT_EQ(FanCount(FanMode::kFanGeometricAverage, fans), 6.0);
}

TEST(FanCountTest, AveragesTheLargestFans) {
  const Fans fans = {kLargest, kLargest};
  EXPECT_EQ(FanCount(FanMode::kFanAverage, fans), 0x1p63);
  EXPECT_EQ(FanCount(FanMode::kFanGeometricAverage, fans), 0x1p63);
}

TEST(LimitOrStddevTest, NeverDividesByLessThanOne) {
  for (FanMode mode : kModes) {
    EXPECT_EQ(
        LimitOrStddev(4.0, mode, {0, 0}, Distribution::kUntruncatedNormal),
        2.0);
    EXPECT_EQ(
        LimitOrStddev(4.0, mode, {1, 1}, Distribution::kUntruncatedNormal),
        2.0);
  }
}

TEST(LimitOrStddevTest, GivesEveryDistributionTheVariance) {
  const auto factor = [](Distribution distribution) {
    return LimitOrStddev(2.0, FanMode::kFanIn, {8, 1}, distribution);
  };
  EXPECT_EQ(factor(Distribution::kUntruncatedNormal), 0.5);
  // A uniform in [-a, a] has the variance a^2 / 3.
  EXPECT_EQ(factor(Distribution::kUniform), std::sqrt(0.75));
  // The variance of a standard normal truncated at two, from its density.
  const double density = std::exp(-2.0) / std::sqrt(2.0 * std::acos(-1.0));
  const double variance = 1.0 - 4.0 * density / std::erf(std::sqrt(2.0));
  EXPECT_NEAR(factor(Distribution::kTruncatedNormal) * std::sqrt(variance), 0.5,
              2e-16);
}

TEST(LargestMagnitudeTest, BoundsTheOutermostDeviates) {
  EXPECT_GE(LargestMagnitude(1.0, Distribution::kUntruncatedNormal, true),
            UntruncatedMagnitude(uint64_t{0}));
  EXPECT_GE(LargestMagnitude(1.0, Distribution::kUntruncatedNormal, false),
            UntruncatedMagnitude(uint32_t{0}));
  EXPECT_GE(LargestMagnitude(1.0, Distribution::kTruncatedNormal, true),
            TruncatedMagnitude(uint64_t{0}));
  EXPECT_GE(LargestMagnitude(1.0, Distribution::kTruncatedNormal, false),
            TruncatedMagnitude(uint32_t{0}));
  EXPECT_GE(LargestMagnitude(1.0, Distribution::kUniform, false), 1.0);
}

}  // namespace
}  // namespace tf_vsinit

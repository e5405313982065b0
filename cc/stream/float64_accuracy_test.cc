// The float64 normal deviates of many words are within the promised error of
// the exact inverse. tests/stream/accuracy_test.py examines fewer words, with
// an inverse that is exact to 50 digits.
//
// The error is one Newton step from the value under test towards the exact
// inverse, in extended precision.

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "cc/stream/distributions.h"
#include "cc/stream/philox.h"

namespace tf_vsinit {
namespace {

static_assert(LDBL_MANT_DIG >= 64, "needs a long double wider than double");

constexpr double kLargestErrorInUlp = 8.0;
constexpr uint64_t kWords = uint64_t{1} << 25;

struct Findings {
  double error = 0;  // in ulp
  uint64_t tail = 0;
};

// The error of |z| in ulp, from the exact probabilities on both sides of it.
double ErrorInUlp(Distribution distribution, uint64_t tail) {
  static const long double kMass = std::erf(std::sqrt(2.0L));
  static const long double kOutside = std::erfc(std::sqrt(2.0L));
  const bool truncated = distribution == Distribution::kTruncatedNormal;
  const double z =
      truncated ? TruncatedMagnitude(tail) : UntruncatedMagnitude(tail);
  // 64 bits each, hence exact.
  long double doubled_tail = std::ldexp(2.0L * tail + 1.0L, -64);
  long double central =
      std::ldexp(2.0L * (tail ^ 0x7FFFFFFFFFFFFFFFu) + 1.0L, -64);
  if (truncated) {
    central *= kMass;
    doubled_tail = kOutside + doubled_tail * kMass;
  }
  // Twice the normal density; erf near the centre and erfc in the tail keep the
  // relative precision.
  const long double density =
      0.797884560802865355879892L * std::exp(-0.5L * z * z);
  const long double root_half = std::sqrt(0.5L);
  const long double step =
      z < 0.6 ? (std::erf(z * root_half) - central) / density
              : (doubled_tail - std::erfc(z * root_half)) / density;
  int exponent;
  std::frexp(z, &exponent);
  return std::fabs(static_cast<double>(step)) / std::ldexp(1.0, exponent - 53);
}

class Float64AccuracyTest : public testing::TestWithParam<Distribution> {};

TEST_P(Float64AccuracyTest, ErrorStaysBelowTheBound) {
  const StreamKey key = DeriveStreamKey(1, 2);
  Findings findings;
  const auto examine = [&](uint64_t word) {
    const uint64_t tail = TailBits(word);
    const double error = ErrorInUlp(GetParam(), tail);
    if (error > findings.error) findings = {error, tail};
  };
  for (uint64_t i = 0; i < kWords / 2; ++i) {
    const PhiloxBlock block = StreamBlock(key, i);
    const uint64_t word = uint64_t{block.word[0]} << 32 | block.word[1];
    examine(word);
    // As many again, spread evenly over the exponents of the tail.
    examine(word >> block.word[2] % 64);
  }
  const char* name = GetParam() == Distribution::kTruncatedNormal
                         ? "truncated"
                         : "untruncated";
  std::printf("%s: error at most %.3f ulp (tail bits %llx) over %llu words\n",
              name, findings.error,
              static_cast<unsigned long long>(findings.tail),
              static_cast<unsigned long long>(kWords));
  EXPECT_LT(findings.error, kLargestErrorInUlp);
  // A smaller error would mean that the test measures nothing.
  EXPECT_GT(findings.error, 0.5);
}

INSTANTIATE_TEST_SUITE_P(Normals, Float64AccuracyTest,
                         testing::Values(Distribution::kTruncatedNormal,
                                         Distribution::kUntruncatedNormal));

}  // namespace
}  // namespace tf_vsinit

// The float32 normal deviates of all 2^32 words are odd, fall by at most two
// ulp from one word to the next, stay inside the truncation, and are within the
// promised error of the exact inverse. The values made from them are within 5
// ulp.
//
// All words take two cores ten minutes, so only a 32nd of them is examined,
// unless TF_VSINIT_ALL_WORDS is set in the environment. The checksums of
// tests/golden hold the deviates: examine all words when they change.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "cc/stream/distributions.h"
#include "cc/stream/normal_error.h"
#include "gtest/gtest.h"

namespace tf_vsinit {
namespace {

constexpr double kLargestErrorInUlp = 4.0;
constexpr double kLargestValueErrorInUlp = 5.0;
constexpr double kLargestFallInUlp = 2.0;

struct Findings {
  double error = 0;  // in ulp
  uint32_t at = 0;   // the tail bits that have it
  // The error of z * stddev in ulp, for the stddev that makes it largest.
  double value_error = 0;
  double fall = 0;    // in ulp, from one word to the next higher one
  float largest = 0;  // |z|
  uint64_t asymmetric = 0;
};

template <bool kTruncated>
float Magnitude(uint32_t tail) {
  return kTruncated ? TruncatedMagnitude(tail) : UntruncatedMagnitude(tail);
}

// The largest error that z * stddev can have in float32, in ulp, if z is off by
// `error` ulp. The product then lies just below a power of two, where an ulp is
// smallest relative to the value. With m the mantissa of z in [1, 2), the error
// of z is 2 / m times as many ulp of the product. Rounding the stddev adds up
// to m / 2 ulp, and rounding the product half an ulp.
double ValueErrorInUlp(double exact, double error) {
  int exponent;
  const double mantissa = 2.0 * std::frexp(exact, &exponent);
  return error * 2.0 / mantissa + mantissa / 2.0 + 0.5;
}

// Examines the tail bits [first, last).
template <bool kTruncated>
Findings Examine(uint32_t first, uint32_t last) {
  constexpr Distribution kDistribution = kTruncated
                                             ? Distribution::kTruncatedNormal
                                             : Distribution::kUntruncatedNormal;
  Findings findings;
  // |z| should fall as the tail bits rise. Where it rises, z falls.
  float previous = first == 0 ? INFINITY : Magnitude<kTruncated>(first - 1);
  for (uint32_t tail = first; tail < last; ++tail) {
    const float z = Magnitude<kTruncated>(tail);
    const double ulp = FloatUlp(z);
    const double step = NormalError(kTruncated, tail, z);
    const double error = std::fabs(step) / ulp;
    if (error > findings.error) {
      findings.error = error;
      findings.at = tail;
    }
    const double exact = z - step;
    findings.value_error =
        std::max(findings.value_error,
                 ValueErrorInUlp(exact, std::fabs(step) / FloatUlp(exact)));
    findings.fall = std::max(findings.fall, (z - previous) / ulp);
    findings.largest = std::max(findings.largest, z);
    findings.asymmetric += StandardDeviate(kDistribution, tail) != -z ||
                           StandardDeviate(kDistribution, ~tail) != z;
    previous = z;
  }
  return findings;
}

// Examines all words, or one range of them in 32 and the first one.
template <bool kTruncated>
Findings ExamineWords() {
  // A word and its complement share their tail bits, which are below 2^31.
  constexpr uint32_t kParts = 1 << 12, kPart = (uint32_t{1} << 31) / kParts;
  const uint32_t step = std::getenv("TF_VSINIT_ALL_WORDS") ? 1 : 32;
  std::vector<Findings> found(kParts);
  std::vector<std::thread> threads;
  const uint32_t workers = std::max(1u, std::thread::hardware_concurrency());
  for (uint32_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      for (uint32_t part = 0; part < kParts; ++part) {
        const bool is_examined = part % step == step - 1 || part == 0;
        if (!is_examined || part / step % workers != worker) continue;
        found[part] = Examine<kTruncated>(part * kPart, (part + 1) * kPart);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Findings all;
  for (const Findings& part : found) {
    if (part.error > all.error) {
      all.error = part.error;
      all.at = part.at;
    }
    all.value_error = std::max(all.value_error, part.value_error);
    all.fall = std::max(all.fall, part.fall);
    all.largest = std::max(all.largest, part.largest);
    all.asymmetric += part.asymmetric;
  }
  return all;
}

void Report(const char* name, const Findings& findings) {
  std::printf(
      "%s: error at most %.3f ulp (tail bits %u), of a value at most %.3f ulp, "
      "fall at most %.3f ulp, largest |z| %.9g\n",
      name, findings.error, findings.at, findings.value_error, findings.fall,
      findings.largest);
}

TEST(ExhaustiveTest, TruncatedNormal) {
  const Findings findings = ExamineWords<true>();
  Report("truncated normal", findings);
  EXPECT_LE(findings.error, kLargestErrorInUlp);
  EXPECT_LE(findings.value_error, kLargestValueErrorInUlp);
  EXPECT_LE(findings.fall, kLargestFallInUlp);
  EXPECT_LE(findings.largest, 2.0f);
  EXPECT_EQ(findings.asymmetric, 0u);
}

TEST(ExhaustiveTest, UntruncatedNormal) {
  const Findings findings = ExamineWords<false>();
  Report("untruncated normal", findings);
  EXPECT_LE(findings.error, kLargestErrorInUlp);
  EXPECT_LE(findings.value_error, kLargestValueErrorInUlp);
  EXPECT_LE(findings.fall, kLargestFallInUlp);
  EXPECT_EQ(findings.asymmetric, 0u);
}

}  // namespace
}  // namespace tf_vsinit

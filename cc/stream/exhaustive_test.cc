// The float32 normal deviates of all 2^32 words are odd, never fall by more
// than their error, stay inside the truncation, and are within the promised
// error of the exact inverse.
//
// The error is one Newton step from the value under test towards the exact
// inverse, in float64 with the C library's erf and erfc.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include "cc/stream/distributions.h"
#include "gtest/gtest.h"

namespace tf_vsinit {
namespace {

constexpr double kLargestErrorInUlp = 4.0;
constexpr double kLargestFallInUlp = 2.0;

double UlpOf(float value) {
  int exponent;
  std::frexp(value, &exponent);
  return std::ldexp(1.0, exponent - 24);
}

struct Findings {
  double error = 0;   // in ulp
  uint32_t at = 0;    // the tail bits that have it
  double fall = 0;    // in ulp, from one word to the next higher one
  float largest = 0;  // |z|
  uint64_t asymmetric = 0;
};

template <bool kTruncated>
float Magnitude(uint32_t tail) {
  return kTruncated ? TruncatedMagnitude(tail) : UntruncatedMagnitude(tail);
}

// The error of |z|, from the exact probabilities on both sides of it.
template <bool kTruncated>
double Error(uint32_t tail, double z) {
  static const double kMass = std::erf(std::sqrt(2.0));
  static const double kOutside = std::erfc(std::sqrt(2.0));
  double central = ((0x7FFFFFFFu - tail) + 0.5) * 0x1p-31;  // exact
  double doubled_tail = (tail + 0.5) * 0x1p-31;             // exact
  if (kTruncated) {
    central *= kMass;
    doubled_tail = kOutside + doubled_tail * kMass;
  }
  // Twice the normal density; erf near the centre and erfc in the tail keep the
  // relative precision.
  const double density = 0.79788456080286536 * std::exp(-0.5 * z * z);
  return z < 0.6 ? (std::erf(z * M_SQRT1_2) - central) / density
                 : (doubled_tail - std::erfc(z * M_SQRT1_2)) / density;
}

// Examines the tail bits [first, last).
template <bool kTruncated>
Findings Examine(uint32_t first, uint32_t last) {
  constexpr Distribution kDistribution = kTruncated
                                             ? Distribution::kTruncatedNormal
                                             : Distribution::kUntruncatedNormal;
  Findings findings;
  // |z| falls as the tail bits rise. Where it rises, z falls.
  float previous = first == 0 ? INFINITY : Magnitude<kTruncated>(first - 1);
  for (uint32_t tail = first; tail < last; ++tail) {
    const float z = Magnitude<kTruncated>(tail);
    const double ulp = UlpOf(z);
    const double error = std::fabs(Error<kTruncated>(tail, z)) / ulp;
    if (error > findings.error) {
      findings.error = error;
      findings.at = tail;
    }
    findings.fall = std::max(findings.fall, (z - previous) / ulp);
    findings.largest = std::max(findings.largest, z);
    findings.asymmetric += StandardDeviate(kDistribution, tail) != -z ||
                           StandardDeviate(kDistribution, ~tail) != z;
    previous = z;
  }
  return findings;
}

template <bool kTruncated>
Findings ExamineAll() {
  // A word and its complement share their tail bits, which are below 2^31.
  constexpr uint32_t kParts = 64, kPart = (uint32_t{1} << 31) / kParts;
  std::vector<Findings> found(kParts);
  std::vector<std::thread> threads;
  const uint32_t workers = std::max(1u, std::thread::hardware_concurrency());
  for (uint32_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      for (uint32_t part = worker; part < kParts; part += workers) {
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
    all.fall = std::max(all.fall, part.fall);
    all.largest = std::max(all.largest, part.largest);
    all.asymmetric += part.asymmetric;
  }
  return all;
}

void Report(const char* name, const Findings& findings) {
  std::printf(
      "%s: error at most %.3f ulp (tail bits %u), fall at most %.3f ulp, "
      "largest |z| %.9g\n",
      name, findings.error, findings.at, findings.fall, findings.largest);
}

TEST(ExhaustiveTest, TruncatedNormal) {
  const Findings findings = ExamineAll<true>();
  Report("truncated normal", findings);
  EXPECT_LE(findings.error, kLargestErrorInUlp);
  EXPECT_LE(findings.fall, kLargestFallInUlp);
  EXPECT_LE(findings.largest, 2.0f);
  EXPECT_EQ(findings.asymmetric, 0u);
}

TEST(ExhaustiveTest, UntruncatedNormal) {
  const Findings findings = ExamineAll<false>();
  Report("untruncated normal", findings);
  EXPECT_LE(findings.error, kLargestErrorInUlp);
  EXPECT_LE(findings.fall, kLargestFallInUlp);
  EXPECT_EQ(findings.asymmetric, 0u);
}

}  // namespace
}  // namespace tf_vsinit

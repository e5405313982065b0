// Our logarithm, sine and cosine against the C library's: for every argument in
// TensorFlow's float32 normal deviates, and for many in its float64 ones.

#include "cc/stream/glibc.h"

#include <gnu/libc-version.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>

#include "cc/stream/distributions.h"
#include "cc/stream/glibc_float64.h"
#include "cc/stream/tensorflow_deviates.h"

namespace tf_vsinit {
namespace {

constexpr uint32_t kArguments = 1u << 23;

// Expects two functions of a word to agree in every bit, for all arguments.
template <typename Ours, typename Theirs>
void ExpectSame(const Ours& ours, const Theirs& theirs) {
  uint32_t differences = 0, first = 0;
  for (uint32_t word = kArguments; word-- > 0;) {
    const bool same = BitCast<uint32_t>(ours(word)) ==
                      BitCast<uint32_t>(static_cast<float>(theirs(word)));
    if (same) continue;
    ++differences;
    first = word;
  }
  EXPECT_EQ(differences, 0u)
      << "The first argument that differs is that of word " << first << ": "
      << ours(first) << " here, " << theirs(first) << " in glibc "
      << gnu_get_libc_version() << ".";
}

float LargerThanZero(uint32_t word) {
  const float u = UniformFloat(word);
  return u < 1e-7f ? 1e-7f : u;
}

glibc::SineCosine<float> SinCosOf(uint32_t word) {
  return glibc::SinCos(Angle(word), QuarterTurns(word));
}

TEST(GlibcTest, Logarithm) {
  ExpectSame([](uint32_t word) { return glibc::Log(LargerThanZero(word)); },
             [](uint32_t word) { return std::log(LargerThanZero(word)); });
}

TEST(GlibcTest, Sine) {
  ExpectSame([](uint32_t word) { return SinCosOf(word).sine; },
             [](uint32_t word) { return std::sin(Angle(word)); });
}

TEST(GlibcTest, Cosine) {
  ExpectSame([](uint32_t word) { return SinCosOf(word).cosine; },
             [](uint32_t word) { return std::cos(Angle(word)); });
}

// TensorFlow asks for both at once.
TEST(GlibcTest, SineAndCosineTogether) {
  const auto both = [](uint32_t word) {
    glibc::SineCosine<float> result;
    ::sincosf(Angle(word), &result.sine, &result.cosine);
    return result;
  };
  ExpectSame([](uint32_t word) { return SinCosOf(word).sine; },
             [&](uint32_t word) { return both(word).sine; });
  ExpectSame([](uint32_t word) { return SinCosOf(word).cosine; },
             [&](uint32_t word) { return both(word).cosine; });
}

// ---------------------------------------------------------------------------
// float64. Half of the fractions are random; the others crowd towards 0, 1, and
// the multiples of 1/8, where the functions change their formulas.

bool HasFma() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

template <typename Visit>
void ForFractions(const Visit& visit) {
  std::mt19937_64 random(20240607);
  for (int i = 0; i < 1 << 23; ++i) {
    const uint64_t word = random();
    const double uniform = UniformDouble(word);
    visit(uniform);
    const double small = std::ldexp(uniform, -static_cast<int>(word >> 59));
    const double multiple = static_cast<double>(word >> 56 & 7) / 8;
    visit(word >> 52 & 1 ? multiple + small / 8 : (1 - multiple) - small / 8);
  }
}

void ExpectSameBits(double ours, double theirs, double argument) {
  ASSERT_EQ(BitCast<uint64_t>(ours), BitCast<uint64_t>(theirs))
      << ours << " here, " << theirs << " in glibc " << gnu_get_libc_version()
      << ", of " << argument;
}

TEST(Glibc64Test, Logarithm) {
  if (!HasFma()) GTEST_SKIP() << "without FMA, glibc has another logarithm";
  ForFractions([](double fraction) {
    const double u = fraction < 1e-7 ? 1e-7 : fraction;
    if (u < 1) ExpectSameBits(glibc::Log(u), std::log(u), u);
  });
}

TEST(Glibc64Test, SineAndCosine) {
  if (!HasFma()) GTEST_SKIP() << "without FMA, glibc has another sine";
  ForFractions([](double fraction) {
    const double angle = 2 * M_PI * fraction;
    double sine, cosine;
    ::sincos(angle, &sine, &cosine);
    const glibc::SineCosine<double> ours = glibc::SinCos(angle);
    ExpectSameBits(ours.sine, sine, angle);
    ExpectSameBits(ours.cosine, cosine, angle);
  });
}

}  // namespace
}  // namespace tf_vsinit

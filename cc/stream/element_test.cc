// 16-bit uniforms stay in [-limit, limit), whatever the limit.

#include "cc/stream/element.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "cc/stream/distributions.h"

namespace tf_vsinit {
namespace {

constexpr uint32_t kMantissas = 1u << 23;

// What the tests know of a 16-bit type, beside the code under test.
template <typename T>
struct Format;
template <>
struct Format<Half> {
  static double Value(uint16_t bits) {
    const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    const double magnitude = exponent == 0
                                 ? std::ldexp(mantissa, -24)
                                 : std::ldexp(mantissa + 1024, exponent - 25);
    return bits >> 15 ? -magnitude : magnitude;
  }
  static constexpr double kSmallest = 0x1p-24;
  // The exponents of the limits that the op accepts, and further down.
  static constexpr int kLowestExponent = -30, kHighestExponent = 15;
  static constexpr float kLargestLimit = 65504.0f;
};
template <>
struct Format<Bfloat16> {
  static double Value(uint16_t bits) {
    return BitCast<float>(uint32_t{bits} << 16);
  }
  static constexpr double kSmallest = 0x1p-133;
  static constexpr int kLowestExponent = -149, kHighestExponent = 126;
  // Twice the limit has to be finite in float32.
  static constexpr float kLargestLimit = 0x1.fffffep126f;
};

template <typename T>
T UniformOf(const Scaling<T>& scaling, uint32_t mantissa) {
  T value;
  RoundTo(scaling.Apply(Distribution::kUniform, UniformFloat(mantissa)),
          &value);
  return value;
}

// The float32 value rounded, then taken to the nearest value in [-limit,
// limit), step by step.
template <typename T>
T RoundedAndBroughtInside(float limit, uint32_t mantissa) {
  T value;
  RoundTo(Scaling<float>(limit).Apply(Distribution::kUniform,
                                      UniformFloat(mantissa)),
          &value);
  while (Format<T>::Value(value.bits) >= limit ||
         Format<T>::Value(value.bits) < -limit) {
    --value.bits;
  }
  return value;
}

template <typename T>
void Check(float limit, uint32_t mantissa) {
  const T got = UniformOf(Scaling<T>(limit), mantissa);
  const double value = Format<T>::Value(got.bits);
  ASSERT_GE(value, -limit) << "mantissa " << mantissa;
  ASSERT_TRUE(value < limit || limit == 0) << "mantissa " << mantissa;
  if (limit < Format<T>::kSmallest) {
    ASSERT_EQ(got.bits, 0) << limit << ", mantissa " << mantissa;
  } else {
    ASSERT_EQ(got.bits, RoundedAndBroughtInside<T>(limit, mantissa).bits)
        << limit << ", mantissa " << mantissa;
  }
}

// Limits with one exponent: powers of two, their neighbours, ties between
// 16-bit values and their neighbours, and others.
std::vector<float> LimitsOf(int exponent) {
  std::vector<float> limits;
  for (uint32_t center : {0u, 1u << 12, 1u << 13, 1u << 15, 1u << 16, 3u << 16,
                          0x2AAAAAu, 0x400000u, 0x7F0000u, 0x7FE000u}) {
    for (uint32_t step : {0u, 1u, kMantissas - 1}) {
      const uint32_t mantissa = (center + step) % kMantissas;
      limits.push_back(std::ldexp(1.0f + mantissa * 0x1p-23f, exponent));
    }
  }
  return limits;
}

template <typename T>
class UniformRangeTest : public testing::Test {};
using ElementTypes = testing::Types<Half, Bfloat16>;
TYPED_TEST_SUITE(UniformRangeTest, ElementTypes);

TYPED_TEST(UniformRangeTest, HoldsAtBothEndsForEveryKindOfLimit) {
  using F = Format<TypeParam>;
  std::vector<float> limits = {0.0f, F::kLargestLimit};
  for (int e = F::kLowestExponent; e <= F::kHighestExponent; ++e) {
    for (float limit : LimitsOf(e)) {
      if (limit <= F::kLargestLimit) limits.push_back(limit);
    }
  }
  for (float limit : limits) {
    for (uint32_t i = 0; i < 600; ++i) {
      // Near the ends and in between; a bfloat16 is 2^15 mantissas wide there.
      const uint32_t mantissa = i < 200 ? i : i < 400 ? i << 8 : i * 13999;
      Check<TypeParam>(limit, mantissa % kMantissas);
      Check<TypeParam>(limit, kMantissas - 1 - mantissa % kMantissas);
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(UniformRangeTest, HoldsForEveryMantissa) {
  for (float limit : {0.5f, 0x1.000002p-1f, 0x1.fffffep-2f, 0x1.f5a7cep-3f,
                      0x1.8p-23f, 0x1p-24f}) {
    for (uint32_t mantissa = 0; mantissa < kMantissas; ++mantissa) {
      Check<TypeParam>(limit, mantissa);
      if (this->HasFatalFailure()) return;
    }
  }
}

// Nothing but the ends moves: the range leaves no value out that it may have.
TYPED_TEST(UniformRangeTest, BoundsAreReached) {
  for (float limit : {0.5f, 0x1.f5a7cep-3f, 0x1.8p-20f}) {
    const UniformRange<TypeParam> range(limit);
    TypeParam low, high;
    RoundTo(range.low, &low);
    RoundTo(range.high, &high);
    const Scaling<TypeParam> scaling(limit);
    EXPECT_EQ(UniformOf(scaling, 0).bits, low.bits);
    EXPECT_EQ(UniformOf(scaling, kMantissas - 1).bits, high.bits);
  }
}

}  // namespace
}  // namespace tf_vsinit

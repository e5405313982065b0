// Rounding to the 16-bit types, at each of their values and each tie.

#include "cc/stream/rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace tf_vsinit {
namespace {

// The value of a finite half, by the definition of its fields in IEEE 754.
float HalfToFloat(uint32_t half) {
  const uint32_t exponent = (half >> 10) & 31;
  const uint32_t fraction = half & 1023;
  return exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                       : std::ldexp(static_cast<float>(1024 + fraction),
                                    static_cast<int>(exponent) - 25);
}

float Bfloat16ToFloat(uint32_t bfloat16) {
  return BitCast<float>(bfloat16 << 16);
}

// Checks every value from 0 to `last`, the ties between neighbours and the
// floats next to these, for both signs. `overflow` is the value after `last`.
template <typename Widen, typename Round>
void CheckAll(uint32_t last, float overflow, Widen widen, Round round) {
  const float inf = std::numeric_limits<float>::infinity();
  const auto expect = [&](float value, uint32_t want) {
    EXPECT_EQ(round(value), want) << value;
    EXPECT_EQ(round(-value), want | 0x8000u) << -value;
  };
  for (uint32_t bits = 0; bits <= last; ++bits) {
    const float value = widen(bits);
    const float next = bits == last ? overflow : widen(bits + 1);
    const float tie = value + (next - value) / 2;
    expect(value, bits);
    if (tie == value) continue;  // The tie is not a float.
    expect(std::nextafter(tie, 0.0f), bits);
    expect(tie, bits + (bits & 1));
    expect(std::nextafter(tie, inf), bits + 1);
  }
}

TEST(RoundToHalfTest, RoundsToNearestAndTiesToEven) {
  CheckAll(0x7BFF, 65536.0f, HalfToFloat, RoundToHalf);
}

TEST(RoundToHalfTest, OverflowsToInfinity) {
  EXPECT_EQ(RoundToHalf(65536.0f), 0x7C00);
  EXPECT_EQ(RoundToHalf(-1e38f), 0xFC00);
  EXPECT_EQ(RoundToHalf(std::numeric_limits<float>::infinity()), 0x7C00);
}

TEST(RoundToHalfTest, UnderflowsToZeroOfTheSameSign) {
  EXPECT_EQ(RoundToHalf(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(RoundToHalf(-std::numeric_limits<float>::min()), 0x8000);
}

TEST(RoundToBfloat16Test, RoundsToNearestAndTiesToEven) {
  // Floats do not reach the value after the largest; the next test covers that.
  CheckAll(0x7F7E, Bfloat16ToFloat(0x7F7F), Bfloat16ToFloat, RoundToBfloat16);
}

TEST(RoundToBfloat16Test, OverflowsToInfinity) {
  EXPECT_EQ(RoundToBfloat16(Bfloat16ToFloat(0x7F7F)), 0x7F7F);
  EXPECT_EQ(RoundToBfloat16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(RoundToBfloat16(-std::numeric_limits<float>::infinity()), 0xFF80);
}

}  // namespace
}  // namespace tf_vsinit

// The vectors of every instruction set of this machine give the deviates of
// cc/stream/tensorflow_deviates.h: in float32 for all 2^23 radii and all 2^23
// angles, in float64 for many.

// clang-format off: this comes before Highway.
#include "cc/cpu/targets.h"
// clang-format on
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cc/cpu/box_muller_test.cc"
#include "hwy/foreach_target.h"
// foreach_target.h reads this file, and so all that follows, once per target.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "cc/cpu/box_muller-inl.h"
#include "cc/cpu/box_muller_float64-inl.h"
#include "cc/cpu/dispatch.h"
#include "cc/cpu/instruction_set.h"
#include "cc/stream/golden_vectors.h"
#include "cc/stream/tensorflow_deviates.h"
#include "hwy/highway.h"

#ifndef TF_VSINIT_CC_CPU_BOX_MULLER_TEST_WORDS_
#define TF_VSINIT_CC_CPU_BOX_MULLER_TEST_WORDS_

namespace tf_vsinit {

// As many pairs of words as any target takes at once. float32 uses the low
// halves of the words.
template <typename Real>
struct Pairs {
  static constexpr size_t kCount = 64;
  uint64_t radius_word[kCount], angle_word[kCount];
  Real first[kCount], second[kCount];
};

// What stands for vectors where there are none.
template <typename Word, typename Real>
void ComputeScalar(Pairs<Real>& pairs) {
  for (size_t i = 0; i < Pairs<Real>::kCount; ++i) {
    const NormalPair<Real> normal =
        BoxMuller(static_cast<Word>(pairs.radius_word[i]),
                  static_cast<Word>(pairs.angle_word[i]));
    pairs.first[i] = normal.deviate[0];
    pairs.second[i] = normal.deviate[1];
  }
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_BOX_MULLER_TEST_WORDS_

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {

#if TF_VSINIT_HAS_VECTORS

constexpr size_t kWords = hn::MaxLanes(du64);

void Compute(Pairs<float>& pairs) {
  for (size_t i = 0; i < Pairs<float>::kCount; i += 2 * kWords) {
    const VU64 radius_words[] = {
        hn::LoadU(du64, pairs.radius_word + i),
        hn::LoadU(du64, pairs.radius_word + i + kWords)};
    const VU64 angle_words[] = {hn::LoadU(du64, pairs.angle_word + i),
                                hn::LoadU(du64, pairs.angle_word + i + kWords)};
    VF32 first, second;
    BoxMullerInStep<2>(radius_words, angle_words, &first, &second);
    hn::StoreU(first, df32, pairs.first + i);
    hn::StoreU(second, df32, pairs.second + i);
  }
}

void Compute64(Pairs<double>& pairs) {
  for (size_t i = 0; i < Pairs<double>::kCount; i += kWords) {
    VF64 first, second;
    BoxMuller(hn::LoadU(du64, pairs.radius_word + i),
              hn::LoadU(du64, pairs.angle_word + i), first, second);
    hn::StoreU(first, df64, pairs.first + i);
    hn::StoreU(second, df64, pairs.second + i);
  }
}

#else

void Compute(Pairs<float>& pairs) { ComputeScalar<uint32_t>(pairs); }
void Compute64(Pairs<double>& pairs) { ComputeScalar<uint64_t>(pairs); }

#endif

}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tf_vsinit {
namespace {

class BoxMullerTest : public testing::TestWithParam<std::string> {
 protected:
  BoxMullerTest() { EXPECT_TRUE(UseInstructionSet(GetParam())); }
  ~BoxMullerTest() override { UseInstructionSet(""); }

  // Compares deviates with those of the scalar function.
  template <typename Word, typename Real>
  static void Check(const Pairs<Real>& pairs) {
    Pairs<Real> want = pairs;
    ComputeScalar<Word>(want);
    for (size_t i = 0; i < Pairs<Real>::kCount; ++i) {
      ASSERT_EQ(BitsOf(pairs.first[i]), BitsOf(want.first[i]))
          << pairs.radius_word[i] << " " << pairs.angle_word[i];
      ASSERT_EQ(BitsOf(pairs.second[i]), BitsOf(want.second[i]))
          << pairs.radius_word[i] << " " << pairs.angle_word[i];
    }
  }
};

TEST_P(BoxMullerTest, EveryRadiusAndEveryAngle) {
  Pairs<float> pairs;
  for (uint32_t word = 0; word < (1u << 23); word += pairs.kCount) {
    for (uint32_t i = 0; i < pairs.kCount; ++i) {
      pairs.radius_word[i] = word + i;
      // Multiplying by an odd number makes a permutation. No bit above the
      // lowest 23 counts.
      pairs.angle_word[i] = uint64_t{word + i} * 0x9E3779B97F4A7C15u;
    }
    TF_VSINIT_DISPATCH(Compute)(pairs);
    ASSERT_NO_FATAL_FAILURE((Check<uint32_t>(pairs)));
  }
}

TEST_P(BoxMullerTest, ManyRadiiAndAnglesOfFloat64) {
  std::mt19937_64 random(20240607);
  Pairs<double> pairs;
  for (int repetition = 0; repetition < 1 << 14; ++repetition) {
    for (size_t i = 0; i < pairs.kCount; ++i) {
      pairs.radius_word[i] = random();
      pairs.angle_word[i] = random();
      // Radii near 0 and 1, angles near multiples of an eighth turn.
      const int shift = static_cast<int>(random() % 64);
      if (repetition % 4 == 1) pairs.radius_word[i] >>= shift;
      if (repetition % 4 == 2) pairs.radius_word[i] = ~(random() >> shift);
      if (repetition % 4 == 3) {
        pairs.angle_word[i] = (random() % 8 << 49) + (random() >> shift);
      }
    }
    TF_VSINIT_DISPATCH(Compute64)(pairs);
    ASSERT_NO_FATAL_FAILURE((Check<uint64_t>(pairs)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, BoxMullerTest,
                         testing::ValuesIn(InstructionSets()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace tf_vsinit
#endif  // HWY_ONCE

// The structure of Philox, and the keys and counters of the stream. Known
// answers are in golden_test.cc.

#include "cc/stream/philox.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "cc/stream/element.h"

namespace tf_vsinit {
namespace {

std::array<uint32_t, 4> Words(const PhiloxBlock& block) {
  return {block.word[0], block.word[1], block.word[2], block.word[3]};
}

TEST(PhiloxTest, IsABijectionOfTheCounter) {
  std::set<std::array<uint32_t, 4>> seen;
  for (uint32_t i = 0; i < 10000; ++i) {
    for (int word = 0; word < 4; ++word) {
      PhiloxBlock counter = {{0, 0, 0, 0}};
      counter.word[word] = i + 1;
      EXPECT_TRUE(seen.insert(Words(Philox(counter, 1, 2))).second);
    }
  }
}

TEST(PhiloxTest, EveryInputBitChangesAboutHalfOfTheOutput) {
  const std::array<uint32_t, 6> base = {1, 2, 3, 4, 5, 6};
  const auto draw = [](const std::array<uint32_t, 6>& in) {
    return Words(Philox({{in[0], in[1], in[2], in[3]}}, in[4], in[5]));
  };
  const auto before = draw(base);
  for (int bit = 0; bit < 192; ++bit) {
    auto in = base;
    in[bit / 32] ^= 1u << (bit % 32);
    const auto after = draw(in);
    int changed = 0;
    for (int i = 0; i < 4; ++i) {
      changed += __builtin_popcount(before[i] ^ after[i]);
    }
    // Six standard deviations of a fair coin thrown 128 times.
    EXPECT_NEAR(changed, 64, 34) << "input bit " << bit;
  }
}

TEST(StreamTest, CountsBlocksInTheLow64BitsOfTheCounter) {
  const StreamKey key = {{11, 22}, {33, 44}};
  for (uint64_t block : {uint64_t{0}, uint64_t{1}, uint64_t{0xFFFFFFFF},
                         uint64_t{1} << 32, (uint64_t{5} << 32) + 7}) {
    const PhiloxBlock want =
        Philox({{static_cast<uint32_t>(block),
                 static_cast<uint32_t>(block >> 32), 33, 44}},
               11, 22);
    EXPECT_EQ(Words(StreamBlock(key, block)), Words(want)) << block;
  }
}

TEST(StreamTest, DerivesDifferentKeysFromSeedsThatDifferInOneBit) {
  std::map<std::array<uint32_t, 4>, int> seen;
  const auto add = [&](uint64_t s0, uint64_t s1) {
    const StreamKey key =
        DeriveStreamKey(static_cast<int64_t>(s0), static_cast<int64_t>(s1));
    return ++seen[{key.key[0], key.key[1], key.counter_high[0],
                   key.counter_high[1]}];
  };
  EXPECT_EQ(add(0, 0), 1);
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_EQ(add(uint64_t{1} << bit, 0), 1) << bit;
    EXPECT_EQ(add(0, uint64_t{1} << bit), 1) << bit;
  }
  EXPECT_EQ(add(0, 0), 2);
}

TEST(StreamTest, ElementsTakeTheWordsOfABlockInOrder) {
  const Sampler sampler = {{{11, 22}, {33, 44}}, Distribution::kUniform, 0.5};
  const PhiloxBlock block = StreamBlock(sampler.key, 3);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ElementAt<float>(sampler, 12 + i),
              UniformFloat(block.word[i]) * 1.0f - 0.5f);
  }
  for (int i = 0; i < 2; ++i) {
    const uint64_t word =
        uint64_t{block.word[2 * i]} << 32 | block.word[2 * i + 1];
    EXPECT_EQ(ElementAt<double>(sampler, 6 + i),
              UniformDouble(word) * 1.0 - 0.5);
  }
}

}  // namespace
}  // namespace tf_vsinit

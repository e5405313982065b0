// Philox4x32-10, and the keys and counters of stream version 1.
//
// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011. The key and the counter come from a two-element seed exactly as in
// TensorFlow's StatelessRandomGetKeyCounter.

#ifndef TF_VSINIT_CC_STREAM_PHILOX_H_
#define TF_VSINIT_CC_STREAM_PHILOX_H_

#include <cstdint>

#include "cc/stream/portability.h"

namespace tf_vsinit {

inline constexpr int kPhiloxRounds = 10;
inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53;
inline constexpr uint32_t kPhiloxMultiplier1 = 0xCD9E8D57;
// The golden ratio and sqrt(3) - 1, as fractions of 2^32.
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9;
inline constexpr uint32_t kPhiloxWeyl1 = 0xBB67AE85;

// Four 32-bit words: a counter, or the random words made from it.
struct PhiloxBlock {
  uint32_t word[4];
};

// Philox4x32-10 of a 128-bit counter (word[0] lowest) under a 64-bit key.
TF_VSINIT_HOST_DEVICE inline PhiloxBlock Philox(PhiloxBlock counter,
                                                uint32_t key0, uint32_t key1) {
  PhiloxBlock x = counter;
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t product0 = uint64_t{kPhiloxMultiplier0} * x.word[0];
    const uint64_t product1 = uint64_t{kPhiloxMultiplier1} * x.word[2];
    x = {{static_cast<uint32_t>(product1 >> 32) ^ x.word[1] ^ key0,
          static_cast<uint32_t>(product1),
          static_cast<uint32_t>(product0 >> 32) ^ x.word[3] ^ key1,
          static_cast<uint32_t>(product0)}};
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  return x;
}

// What a seed fixes: the Philox key, and the high 64 bits of every counter.
struct StreamKey {
  uint32_t key[2];
  uint32_t counter_high[2];
};

// The key of a seed. int32 seeds are sign-extended first.
TF_VSINIT_HOST_DEVICE inline StreamKey DeriveStreamKey(int64_t seed0,
                                                       int64_t seed1) {
  const uint64_t s0 = static_cast<uint64_t>(seed0);
  const uint64_t s1 = static_cast<uint64_t>(seed1);
  const PhiloxBlock mixed =
      Philox({{static_cast<uint32_t>(s0), static_cast<uint32_t>(s0 >> 32),
               static_cast<uint32_t>(s1), static_cast<uint32_t>(s1 >> 32)}},
             0x3EC8F720, 0x02461E29);
  return {{mixed.word[0], mixed.word[1]}, {mixed.word[2], mixed.word[3]}};
}

// Block `block` of the stream.
TF_VSINIT_HOST_DEVICE inline PhiloxBlock StreamBlock(const StreamKey& key,
                                                     uint64_t block) {
  return Philox(
      {{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
        key.counter_high[0], key.counter_high[1]}},
      key.key[0], key.key[1]);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_PHILOX_H_

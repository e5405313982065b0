// The seeds of a batch, read from where they lie.

#ifndef TF_VSINIT_CC_STREAM_SEEDS_H_
#define TF_VSINIT_CC_STREAM_SEEDS_H_

#include <cstdint>

#include "cc/stream/philox.h"

namespace tf_vsinit {

// `count` seeds of two integers each, one after the other. int32 seeds are
// sign-extended.
struct Seeds {
  const void* integers;
  bool are_int64;  // int32 otherwise
  int64_t count;

  int64_t bytes_per_seed() const { return are_int64 ? 16 : 8; }

  // The key of seed `i`, for seeds in host memory.
  StreamKey Key(int64_t i) const {
    return are_int64 ? KeyAt<int64_t>(i) : KeyAt<int32_t>(i);
  }

 private:
  template <typename Integer>
  StreamKey KeyAt(int64_t i) const {
    const Integer* seed = static_cast<const Integer*>(integers) + 2 * i;
    return DeriveStreamKey(seed[0], seed[1]);
  }
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_SEEDS_H_

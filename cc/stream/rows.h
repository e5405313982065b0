// The numbers of rows of a table, read from where they lie.

#ifndef TF_VSINIT_CC_STREAM_ROWS_H_
#define TF_VSINIT_CC_STREAM_ROWS_H_

#include <cstdint>

#include "cc/stream/portability.h"

namespace tf_vsinit {

// `count` integers, none of which is negative, in any order and with repeats.
struct Rows {
  const void* integers = nullptr;
  bool are_int64 = false;  // int32 otherwise
  int64_t count = 0;

  TF_VSINIT_HOST_DEVICE uint64_t At(uint64_t i) const {
    return are_int64
               ? static_cast<uint64_t>(static_cast<const int64_t*>(integers)[i])
               : static_cast<uint64_t>(
                     static_cast<const int32_t*>(integers)[i]);
  }
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_ROWS_H_

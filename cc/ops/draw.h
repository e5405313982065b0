// What a checked call of the op draws, in the terms that every backend takes.

#ifndef TF_VSINIT_CC_OPS_DRAW_H_
#define TF_VSINIT_CC_OPS_DRAW_H_

#include <cstdint>
#include <vector>

#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/rows.h"
#include "cc/stream/sampler.h"

namespace tf_vsinit {

// Whether int64 holds the product of the extents that are not 0. An overflow
// that an extent of 0 would hide is one too.
template <typename Extents>
bool HasCount(const Extents& extents) {
  int64_t count = 1;
  for (const int64_t extent : extents) {
    if (extent != 0 && __builtin_mul_overflow(count, extent, &count)) {
      return false;
    }
  }
  return true;
}

// The box [begin, begin + size) of a variable of `shape`, drawn once for each
// seed. If rows are listed, they stand for the coordinates along axis 0: begin
// is the origin, and size[0] is their number. The seeds, the rows and the
// element type come with the buffers.
struct Draw {
  Distribution distribution;
  Stream stream;
  double limit_or_stddev;
  std::vector<int64_t> shape;
  std::vector<int64_t> begin;
  std::vector<int64_t> size;  // with no -1 left

  // Number of elements in the box.
  int64_t count() const {
    int64_t count = 1;
    for (const int64_t extent : size) count *= extent;
    return count;
  }

  // What is drawn, which is not empty. `rows` has no integers if none are
  // listed.
  Box BoxOf(const Rows& rows) const {
    return rows.integers == nullptr ? Box(shape, begin, size)
                                    : Box(rows, count() / size[0]);
  }
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_DRAW_H_

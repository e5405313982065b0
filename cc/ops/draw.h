// What a checked call of the op draws, in the terms that every backend takes.

#ifndef TF_VSINIT_CC_OPS_DRAW_H_
#define TF_VSINIT_CC_OPS_DRAW_H_

#include <cstdint>
#include <vector>

#include "cc/stream/distributions.h"
#include "cc/stream/sampler.h"

namespace tf_vsinit {

// The box [begin, begin + size) of a variable of `shape`, drawn once for each
// seed. The seeds and the element type come with the buffers.
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
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_DRAW_H_

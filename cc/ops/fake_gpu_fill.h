// A stand-in for the GPU fill where there is no GPU: it notes what it is asked
// for and fills host memory on the CPU.

#ifndef TF_VSINIT_CC_OPS_FAKE_GPU_FILL_H_
#define TF_VSINIT_CC_OPS_FAKE_GPU_FILL_H_

#include <cstdint>
#include <vector>

#include "cc/gpu/fill.h"

namespace tf_vsinit {

// What one call asked for, with the vectors behind its pointers.
struct FakeLaunch {
  TfVsinitGpuFillArguments arguments;
  std::vector<int64_t> shape;
  std::vector<int64_t> begin;
  std::vector<int64_t> size;
};

// The calls since the last reset.
const std::vector<FakeLaunch>& FakeLaunches();

// Forgets all calls, and makes every further one return `error`, without a fill
// if that is not 0. A seed in "device memory" is never read, nor anything
// filled from it.
void ResetFakeGpu(int32_t error = 0);

// The message of every error.
inline constexpr char kFakeGpuMessage[] = "no kernel image is available";

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_FAKE_GPU_FILL_H_

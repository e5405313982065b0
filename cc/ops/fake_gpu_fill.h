// Replaces the GPU fill in tests: records each launch, and fills host memory on
// the CPU.

#ifndef TF_VSINIT_CC_OPS_FAKE_GPU_FILL_H_
#define TF_VSINIT_CC_OPS_FAKE_GPU_FILL_H_

#include <cstdint>
#include <vector>

#include "cc/gpu/fill.h"

namespace tf_vsinit {

// The arguments of one launch, and copies of the vectors that they point to.
struct FakeLaunch {
  TfVsinitGpuFillArguments arguments;
  std::vector<int64_t> shape;
  std::vector<int64_t> begin;
  std::vector<int64_t> size;
};

// The launches since the last reset.
const std::vector<FakeLaunch>& FakeLaunches();

// The CUDA stream of the last read of device memory, null if there was none. A
// read copies from host memory.
void* StreamOfFakeRead();

// Forgets all launches and reads. Later ones return `error`, and fill nothing
// if it is not 0. A launch with its seed in device memory reads and fills
// nothing either.
void ResetFakeGpu(int32_t error = 0);

// CUDA's message for every error.
inline constexpr char kFakeGpuMessage[] = "no kernel image is available";

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_FAKE_GPU_FILL_H_

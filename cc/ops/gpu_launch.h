// Launches the GPU fill for a call of the op.

#ifndef TF_VSINIT_CC_OPS_GPU_LAUNCH_H_
#define TF_VSINIT_CC_OPS_GPU_LAUNCH_H_

#include "absl/status/status.h"
#include "cc/ops/draw.h"
#include "cc/stream/element_type.h"
#include "cc/stream/seeds.h"

namespace tf_vsinit {

enum class SeedMemory { kHost, kDevice };

// Puts one fill for each seed on the CUDA stream, and does not wait for them.
// `output` is device memory for the boxes of all seeds, one after the other.
// Internal, with CUDA's message, if a launch fails.
absl::Status LaunchGpuFills(const Draw& draw, ElementType type,
                            const Seeds& seeds, SeedMemory seed_memory,
                            void* output, void* cuda_stream);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_GPU_LAUNCH_H_

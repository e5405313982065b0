// Launches the GPU fill for a call of the op.

#ifndef TF_VSINIT_CC_OPS_GPU_LAUNCH_H_
#define TF_VSINIT_CC_OPS_GPU_LAUNCH_H_

#include <cstdint>

#include "absl/status/status.h"
#include "cc/ops/draw.h"
#include "cc/stream/element_type.h"
#include "cc/stream/rows.h"
#include "cc/stream/seeds.h"

namespace tf_vsinit {

enum class SeedMemory { kHost, kDevice };

// Puts one fill for each seed on the CUDA stream, and does not wait for them.
// `rows`, if there are any, are checked and in device memory. `output` is
// device memory for the boxes of all seeds, one after the other. Internal, with
// CUDA's message, if a launch fails.
absl::Status LaunchGpuFills(const Draw& draw, ElementType type,
                            const Seeds& seeds, SeedMemory seed_memory,
                            const Rows& rows, void* output, void* cuda_stream);

// Copies rows from device memory, where the CUDA stream may have yet to write
// them, and checks them. Waits for the stream. InvalidArgument for a row that
// is not in a table with `extent` rows.
absl::Status CheckRowsOfDevice(const Rows& rows, int64_t extent,
                               void* cuda_stream);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_GPU_LAUNCH_H_

// The handler of the op's custom call on a GPU.

#include <string>

#include "absl/status/status.h"
#include "cc/ops/gpu_launch.h"
#include "cc/ops/xla/call.h"
#include "cc/ops/xla/handler.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

ffi::Error FillOnGpu(void* stream, ffi::AnyBuffer seeds,
                     ffi::Result<ffi::AnyBuffer> output,
                     ffi::Dictionary attributes) {
  HandlerCall call;
  const ffi::Error error = ReadCall(seeds, *output, attributes, &call);
  if (error.failure() || output->element_count() == 0) return error;
  // XLA has the seeds in the GPU's memory. They stay there: each fill reads its
  // seed when the stream reaches it.
  const absl::Status status =
      LaunchGpuFills(call.draw, call.type, call.seeds, SeedMemory::kDevice,
                     output->untyped_data(), stream);
  if (status.ok()) return ffi::Error::Success();
  return ffi::Error::Internal(std::string(status.message()));
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnGpu,
                       BindCall<ffi::PlatformStream<void*>>());

// Without kCmdBufferCompatible, XLA leaves the call out of its command buffers:
// nothing has yet captured the fill on a GPU.
XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "CUDA", kHandler);

}  // namespace
}  // namespace tf_vsinit

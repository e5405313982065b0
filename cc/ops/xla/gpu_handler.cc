// The handlers of the ops' custom calls on a GPU.

#include <string>

#include "absl/status/status.h"
#include "cc/ops/gpu_launch.h"
#include "cc/ops/xla/call.h"
#include "cc/ops/xla/handler.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

// Seeds and rows stay where XLA has them, in the GPU's memory: each fill reads
// them when the stream reaches it.
ffi::Error Launch(const HandlerCall& call, void* output, void* stream) {
  const absl::Status status =
      LaunchGpuFills(call.draw, call.type, call.seeds, SeedMemory::kDevice,
                     call.rows, output, stream);
  if (status.ok()) return ffi::Error::Success();
  return ffi::Error::Internal(std::string(status.message()));
}

ffi::Error FillOnGpu(void* stream, ffi::AnyBuffer seeds,
                     ffi::Result<ffi::AnyBuffer> output,
                     ffi::Dictionary attributes) {
  HandlerCall call;
  const ffi::Error error = ReadCall(seeds, *output, attributes, &call);
  if (error.failure() || output->element_count() == 0) return error;
  return Launch(call, output->untyped_data(), stream);
}

ffi::Error FillRowsOnGpu(void* stream, ffi::AnyBuffer seeds,
                         ffi::AnyBuffer rows,
                         ffi::Result<ffi::AnyBuffer> output,
                         ffi::Dictionary attributes) {
  HandlerCall call;
  const ffi::Error error =
      ReadRowsCall(seeds, rows, *output, attributes, &call);
  if (error.failure()) return error;
  const absl::Status checked =
      CheckRowsOfDevice(call.rows, call.draw.shape[0], stream);
  if (absl::IsInvalidArgument(checked)) {
    return ffi::Error::InvalidArgument(std::string(checked.message()));
  }
  if (!checked.ok())
    return ffi::Error::Internal(std::string(checked.message()));
  if (output->element_count() == 0) return error;
  return Launch(call, output->untyped_data(), stream);
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnGpu,
                       BindCall<ffi::PlatformStream<void*>>());
XLA_FFI_DEFINE_HANDLER(kRowsHandler, FillRowsOnGpu,
                       BindRowsCall<ffi::PlatformStream<void*>>());

// Without kCmdBufferCompatible, XLA leaves the calls out of its command
// buffers: nothing has yet captured the fill on a GPU.
XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "CUDA", kHandler);
XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaRowsCallTarget, "CUDA",
                         kRowsHandler);

}  // namespace
}  // namespace tf_vsinit

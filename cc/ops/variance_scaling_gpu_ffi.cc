// The handler of the op's custom call on a GPU.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "cc/gpu/fill.h"
#include "cc/ops/gpu_launch.h"
#include "cc/ops/xla_call.h"
#include "cc/ops/xla_handler.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element_type.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

ffi::Error FillOnGpu(void* stream, ffi::AnyBuffer seeds,
                     ffi::Result<ffi::AnyBuffer> output,
                     Distribution distribution, double limit_or_stddev,
                     ffi::Span<const int64_t> shape,
                     ffi::Span<const int64_t> begin,
                     ffi::Span<const int64_t> size) {
  ElementType type;
  if (!IsCall(seeds, *output, shape, begin, size, &type)) {
    return HandlerMismatch();
  }
  if (output->element_count() == 0) return ffi::Error::Success();
  TfVsinitGpuFillArguments fill;
  // XLA has the seeds in the GPU's memory, and there they stay: the kernel
  // reads each when its turn on the stream comes.
  fill.seed_kind = seeds.element_type() == ffi::S32 ? kTfVsinitDeviceInt32
                                                    : kTfVsinitDeviceInt64;
  fill.distribution = static_cast<int32_t>(distribution);
  fill.element_type = static_cast<int32_t>(type);
  fill.limit_or_stddev = limit_or_stddev;
  fill.rank = static_cast<int32_t>(shape.size());
  fill.shape = shape.begin();
  fill.begin = begin.begin();
  fill.size = size.begin();
  fill.stream = stream;
  const char* seed = static_cast<const char*>(seeds.untyped_data());
  char* to = static_cast<char*>(output->untyped_data());
  const size_t n = SeedCount(seeds);
  for (size_t i = 0; i < n; ++i) {
    fill.seed = seed + i * (seeds.size_bytes() / n);
    fill.output = to + i * (output->size_bytes() / n);
    const absl::Status status = LaunchGpuFill(fill);
    if (!status.ok()) {
      return ffi::Error::Internal(std::string(status.message()));
    }
  }
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnGpu,
                       BindCall<ffi::PlatformStream<void*>>());

// Not marked kCmdBufferCompatible, so XLA leaves the call out of its command
// buffers: capture of the fill has yet to pass on a card.
XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "CUDA", kHandler);

}  // namespace
}  // namespace tf_vsinit

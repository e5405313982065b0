// The handler of the op's custom call on a GPU.

#include <cstdint>
#include <functional>
#include <numeric>
#include <string>

#include "absl/status/status.h"
#include "cc/cpu/fill.h"
#include "cc/gpu/fill.h"
#include "cc/ops/gpu_launch.h"
#include "cc/ops/xla_call.h"
#include "cc/ops/xla_handler.h"
#include "cc/stream/distributions.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

// XLA has the seed in the GPU's memory, and there it stays: the kernel reads it
// when its turn on the stream comes.
bool ToSeedKind(const ffi::AnyBuffer& seed, int32_t* kind) {
  *kind = seed.element_type() == ffi::S32 ? kTfVsinitDeviceInt32
                                          : kTfVsinitDeviceInt64;
  return seed.element_count() == 2 &&
         (seed.element_type() == ffi::S32 || seed.element_type() == ffi::S64);
}

ffi::Error FillOnGpu(void* stream, ffi::AnyBuffer seed,
                     ffi::Result<ffi::AnyBuffer> output,
                     Distribution distribution, double limit_or_stddev,
                     ffi::Span<const int64_t> shape,
                     ffi::Span<const int64_t> begin,
                     ffi::Span<const int64_t> size) {
  const auto count = std::accumulate(size.begin(), size.end(), uint64_t{1},
                                     std::multiplies<>());
  ElementType type;
  TfVsinitGpuFillArguments fill;
  if (!ToSeedKind(seed, &fill.seed_kind) ||
      !ToElementType(output->element_type(), &type) ||
      shape.size() != size.size() || begin.size() != size.size() ||
      count != output->element_count()) {
    return HandlerMismatch();
  }
  if (count == 0) return ffi::Error::Success();
  fill.distribution = static_cast<int32_t>(distribution);
  fill.element_type = static_cast<int32_t>(type);
  fill.limit_or_stddev = limit_or_stddev;
  fill.rank = static_cast<int32_t>(shape.size());
  fill.shape = shape.begin();
  fill.begin = begin.begin();
  fill.size = size.begin();
  fill.seed = seed.untyped_data();
  fill.output = output->untyped_data();
  fill.stream = stream;
  const absl::Status status = LaunchGpuFill(fill);
  if (status.ok()) return ffi::Error::Success();
  return ffi::Error::Internal(std::string(status.message()));
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnGpu,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::PlatformStream<void*>>()
                           .Arg<ffi::AnyBuffer>()
                           .Ret<ffi::AnyBuffer>()
                           .Attr<Distribution>(kXlaDistribution)
                           .Attr<double>(kXlaLimitOrStddev)
                           .Attr<ffi::Span<const int64_t>>(kXlaShape)
                           .Attr<ffi::Span<const int64_t>>(kXlaBegin)
                           .Attr<ffi::Span<const int64_t>>(kXlaSize));

XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "CUDA", kHandler);

}  // namespace
}  // namespace tf_vsinit

// The handler of the op's custom call on a CPU.

#include <cstdint>
#include <vector>

#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/pool_fill.h"
#include "cc/ops/xla_call.h"
#include "cc/ops/xla_handler.h"
#include "cc/stream/box.h"
#include "cc/stream/element_type.h"
#include "cc/stream/seeds.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

std::vector<int64_t> ToVector(ffi::Span<const int64_t> span) {
  return std::vector<int64_t>(span.begin(), span.end());
}

ffi::Error FillOnHost(ffi::ThreadPool pool, ffi::AnyBuffer seeds,
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
  const BatchFill fill(
      {distribution, limit_or_stddev, type,
       Box(ToVector(shape), ToVector(begin), ToVector(size)),
       Seeds{seeds.untyped_data(), seeds.element_type() == ffi::S64,
             static_cast<int64_t>(SeedCount(seeds))},
       output->untyped_data()});
  FillInPool(fill, pool.num_threads(), pool);
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnHost, BindCall<ffi::ThreadPool>());

XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "Host", kHandler);

}  // namespace
}  // namespace tf_vsinit

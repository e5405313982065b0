// The handler of the op's custom call on a CPU.

#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/pool_fill.h"
#include "cc/ops/draw.h"
#include "cc/ops/xla/call.h"
#include "cc/ops/xla/handler.h"
#include "cc/stream/box.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

ffi::Error FillOnCpu(ffi::ThreadPool pool, ffi::AnyBuffer seeds,
                     ffi::Result<ffi::AnyBuffer> output,
                     ffi::Dictionary attributes) {
  HandlerCall call;
  const ffi::Error error = ReadCall(seeds, *output, attributes, &call);
  if (error.failure() || output->element_count() == 0) return error;
  const Draw& draw = call.draw;
  const BatchFill fill({draw.distribution, draw.stream, draw.limit_or_stddev,
                        call.type, Box(draw.shape, draw.begin, draw.size),
                        call.seeds, output->untyped_data()});
  FillInPool(fill, pool.num_threads(), pool);
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnCpu, BindCall<ffi::ThreadPool>());

XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "Host", kHandler);

}  // namespace
}  // namespace tf_vsinit

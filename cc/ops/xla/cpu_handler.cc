// The handlers of the ops' custom calls on a CPU.

#include <string>

#include "absl/status/status.h"
#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/pool_fill.h"
#include "cc/ops/check_rows.h"
#include "cc/ops/draw.h"
#include "cc/ops/xla/call.h"
#include "cc/ops/xla/handler.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

void Fill(ffi::ThreadPool& pool, const HandlerCall& call, void* output) {
  const Draw& draw = call.draw;
  const BatchFill fill({draw.distribution, draw.stream, draw.limit_or_stddev,
                        call.type, draw.BoxOf(call.rows), call.seeds, output});
  FillInPool(fill, pool.num_threads(), pool);
}

ffi::Error FillOnCpu(ffi::ThreadPool pool, ffi::AnyBuffer seeds,
                     ffi::Result<ffi::AnyBuffer> output,
                     ffi::Dictionary attributes) {
  HandlerCall call;
  const ffi::Error error = ReadCall(seeds, *output, attributes, &call);
  if (error.failure() || output->element_count() == 0) return error;
  Fill(pool, call, output->untyped_data());
  return ffi::Error::Success();
}

ffi::Error FillRowsOnCpu(ffi::ThreadPool pool, ffi::AnyBuffer seeds,
                         ffi::AnyBuffer rows,
                         ffi::Result<ffi::AnyBuffer> output,
                         ffi::Dictionary attributes) {
  HandlerCall call;
  const ffi::Error error =
      ReadRowsCall(seeds, rows, *output, attributes, &call);
  if (error.failure()) return error;
  const absl::Status inside = CheckRows(call.rows, call.draw.shape[0]);
  if (!inside.ok()) {
    return ffi::Error::InvalidArgument(std::string(inside.message()));
  }
  if (output->element_count() == 0) return error;
  Fill(pool, call, output->untyped_data());
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnCpu, BindCall<ffi::ThreadPool>());
XLA_FFI_DEFINE_HANDLER(kRowsHandler, FillRowsOnCpu,
                       BindRowsCall<ffi::ThreadPool>());

XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "Host", kHandler);
XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaRowsCallTarget, "Host",
                         kRowsHandler);

}  // namespace
}  // namespace tf_vsinit

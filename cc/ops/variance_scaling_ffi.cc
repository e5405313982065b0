// The handler of the op's custom call on a CPU.

#include <cstdint>
#include <utility>
#include <vector>

#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/pool_fill.h"
#include "cc/ops/xla_call.h"
#include "cc/ops/xla_handler.h"
#include "cc/stream/box.h"
#include "cc/stream/element.h"
#include "cc/stream/element_type.h"
#include "cc/stream/philox.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

template <typename Word>
std::vector<Sampler> SamplersOf(const ffi::AnyBuffer& seeds,
                                Distribution distribution,
                                double limit_or_stddev) {
  const Word* words = seeds.typed_data<Word>();
  std::vector<Sampler> samplers;
  samplers.reserve(SeedCount(seeds));
  for (size_t i = 0; i < SeedCount(seeds); ++i) {
    samplers.push_back({DeriveStreamKey(words[2 * i], words[2 * i + 1]),
                        distribution, limit_or_stddev});
  }
  return samplers;
}

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
  auto samplers =
      seeds.element_type() == ffi::S32
          ? SamplersOf<int32_t>(seeds, distribution, limit_or_stddev)
          : SamplersOf<int64_t>(seeds, distribution, limit_or_stddev);
  RunInPool(BatchFill(std::move(samplers), type,
                     Box(ToVector(shape), ToVector(begin), ToVector(size)),
                     output->untyped_data()),
            pool.num_threads(), pool);
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnHost, BindCall<ffi::ThreadPool>());

XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "Host", kHandler);

}  // namespace
}  // namespace tf_vsinit

// The handler of the op's custom call on a CPU.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cc/cpu/fill.h"
#include "cc/ops/host_fill.h"
#include "cc/ops/xla_call.h"
#include "cc/ops/xla_handler.h"
#include "cc/stream/element.h"
#include "cc/stream/philox.h"
#include "cc/stream/slice.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

// A thread takes pieces of about this much work: enough to hide what taking one
// costs, little enough that all threads end together.
constexpr double kNanosecondsPerPiece = 100e3;

// The work of one fill, handed out in pieces to whichever threads ask.
//
// The thread that asked for the fill never waits for one that has not started:
// it takes pieces until none is left, and then waits only for those being
// worked on. So it does not matter whether it is itself a thread of the pool,
// nor whether the pool has a thread to spare.
class SharedWork {
 public:
  explicit SharedWork(HostFill fill)
      : fill_(std::move(fill)),
        units_(fill_.units()),
        units_per_piece_(std::max<int64_t>(
            1, static_cast<int64_t>(kNanosecondsPerPiece /
                                    fill_.NanosecondsPerUnit()))) {}

  int64_t pieces() const {
    return (units_ + units_per_piece_ - 1) / units_per_piece_;
  }

  // Works until no piece is left to take.
  void Help() {
    int64_t done = 0;
    for (int64_t piece; (piece = next_piece_.fetch_add(1)) < pieces(); ++done) {
      const int64_t first = piece * units_per_piece_;
      fill_.Run(first, std::min(first + units_per_piece_, units_));
    }
    if (done == 0) return;
    std::lock_guard<std::mutex> lock(mutex_);
    pieces_done_ += done;
    if (pieces_done_ == pieces()) all_done_.notify_all();
  }

  // Waits until every piece is done.
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [this] { return pieces_done_ == pieces(); });
  }

 private:
  const HostFill fill_;
  const int64_t units_;
  const int64_t units_per_piece_;
  std::atomic<int64_t> next_piece_{0};
  std::mutex mutex_;
  std::condition_variable all_done_;
  int64_t pieces_done_ = 0;
};

void RunInPool(HostFill fill, ffi::ThreadPool& pool) {
  const auto work = std::make_shared<SharedWork>(std::move(fill));
  const int64_t helpers =
      std::min<int64_t>(pool.num_threads(), work->pieces()) - 1;
  for (int64_t i = 0; i < helpers; ++i) {
    pool.Schedule([work] { work->Help(); });
  }
  work->Help();
  work->Wait();
}

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
  RunInPool(HostFill(std::move(samplers), type,
                     Slice(ToVector(shape), ToVector(begin), ToVector(size)),
                     output->untyped_data()),
            pool);
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(kHandler, FillOnHost, BindCall<ffi::ThreadPool>());

XLA_FFI_REGISTER_HANDLER(ffi::GetXlaFfiApi(), kXlaCallTarget, "Host", kHandler);

}  // namespace
}  // namespace tf_vsinit

// Calls the C interface of the GPU fill.

#include "cc/ops/gpu_launch.h"

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/gpu/fill.h"
#include "cc/ops/check_rows.h"
#include "cc/ops/draw.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element_type.h"
#include "cc/stream/rows.h"
#include "cc/stream/sampler.h"
#include "cc/stream/seeds.h"

namespace tf_vsinit {
namespace {

static_assert(
    static_cast<int>(Distribution::kTruncatedNormal) ==
            kTfVsinitTruncatedNormal &&
        static_cast<int>(Distribution::kUntruncatedNormal) ==
            kTfVsinitUntruncatedNormal &&
        static_cast<int>(Distribution::kUniform) == kTfVsinitUniform &&
        static_cast<int>(Stream::kVsinit) == kTfVsinitVsinitStream &&
        static_cast<int>(Stream::kTensorFlow) == kTfVsinitTensorFlowStream &&
        static_cast<int>(ElementType::kHalf) == kTfVsinitHalf &&
        static_cast<int>(ElementType::kBfloat16) == kTfVsinitBfloat16 &&
        static_cast<int>(ElementType::kFloat) == kTfVsinitFloat &&
        static_cast<int>(ElementType::kDouble) == kTfVsinitDouble,
    "cc/gpu/fill.h and cc/stream number these alike");

TfVsinitSeedKind SeedKind(const Seeds& seeds, SeedMemory memory) {
  if (memory == SeedMemory::kHost) {
    return seeds.are_int64 ? kTfVsinitHostInt64 : kTfVsinitHostInt32;
  }
  return seeds.are_int64 ? kTfVsinitDeviceInt64 : kTfVsinitDeviceInt32;
}

absl::Status GpuError(const char* what, int32_t error) {
  return absl::InternalError(absl::StrCat("tf_vsinit could not ", what, ": ",
                                          TfVsinitGpuErrorMessage(error),
                                          " (error ", error, ")"));
}

}  // namespace

absl::Status LaunchGpuFills(const Draw& draw, ElementType type,
                            const Seeds& seeds, SeedMemory seed_memory,
                            const Rows& rows, void* output, void* cuda_stream) {
  TfVsinitGpuFillArguments fill;
  fill.distribution = static_cast<int32_t>(draw.distribution);
  fill.stream = static_cast<int32_t>(draw.stream);
  fill.element_type = static_cast<int32_t>(type);
  fill.limit_or_stddev = draw.limit_or_stddev;
  fill.rank = static_cast<int32_t>(draw.shape.size());
  fill.seed_kind = SeedKind(seeds, seed_memory);
  fill.shape = draw.shape.data();
  fill.begin = draw.begin.data();
  fill.size = draw.size.data();
  fill.cuda_stream = cuda_stream;
  fill.rows = rows.integers;
  fill.rows_are_int64 = rows.are_int64;
  const int64_t bytes = draw.count() * ElementSize(type);
  for (int64_t i = 0; i < seeds.count; ++i) {
    fill.seed =
        static_cast<const char*>(seeds.integers) + i * seeds.bytes_per_seed();
    fill.output = static_cast<char*>(output) + i * bytes;
    const int32_t error = TfVsinitGpuFill(&fill);
    if (error != 0) return GpuError("launch a draw on the GPU", error);
  }
  return absl::OkStatus();
}

absl::Status CheckRowsOfDevice(const Rows& rows, int64_t extent,
                               void* cuda_stream) {
  if (rows.count == 0) return absl::OkStatus();
  const int64_t bytes = rows.count * (rows.are_int64 ? 8 : 4);
  const auto host = std::make_unique<char[]>(static_cast<size_t>(bytes));
  const int32_t error =
      TfVsinitGpuRead(rows.integers, host.get(), bytes, cuda_stream);
  if (error != 0) return GpuError("read rows from the GPU", error);
  return CheckRows({host.get(), rows.are_int64, rows.count}, extent);
}

}  // namespace tf_vsinit

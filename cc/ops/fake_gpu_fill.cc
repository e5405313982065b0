// Records the launches of a GPU fill and fills host memory instead.

#include "cc/ops/fake_gpu_fill.h"

#include <cstring>

#include "cc/cpu/fill.h"
#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/seeds.h"

namespace tf_vsinit {
namespace {

std::vector<FakeLaunch> launches;
int32_t error_to_return = 0;
void* read_stream = nullptr;

void FillHostMemory(const FakeLaunch& launch) {
  const TfVsinitGpuFillArguments& arguments = launch.arguments;
  const Seeds seed{arguments.seed, arguments.seed_kind == kTfVsinitHostInt64,
                   1};
  const Sampler sampler{
      seed.Key(0), static_cast<Distribution>(arguments.distribution),
      arguments.limit_or_stddev, static_cast<Stream>(arguments.stream)};
  int64_t count = 1;
  for (const int64_t extent : launch.size) count *= extent;
  const Box box =
      arguments.rows == nullptr
          ? Box(launch.shape, launch.begin, launch.size)
          : Box({arguments.rows, arguments.rows_are_int64 != 0, launch.size[0]},
                count / launch.size[0]);
  FillBox(sampler, static_cast<ElementType>(arguments.element_type), box, 0,
          box.count(), arguments.output, Reuse::kSoon);
}

}  // namespace

const std::vector<FakeLaunch>& FakeLaunches() { return launches; }

void* StreamOfFakeRead() { return read_stream; }

void ResetFakeGpu(int32_t error) {
  launches.clear();
  read_stream = nullptr;
  error_to_return = error;
}

}  // namespace tf_vsinit

int32_t TfVsinitGpuFill(const TfVsinitGpuFillArguments* arguments) {
  const auto vector = [arguments](const int64_t* values) {
    return std::vector<int64_t>(values, values + arguments->rank);
  };
  tf_vsinit::launches.push_back({*arguments, vector(arguments->shape),
                                 vector(arguments->begin),
                                 vector(arguments->size)});
  if (tf_vsinit::error_to_return != 0) return tf_vsinit::error_to_return;
  if (arguments->seed_kind == kTfVsinitHostInt64 ||
      arguments->seed_kind == kTfVsinitHostInt32) {
    tf_vsinit::FillHostMemory(tf_vsinit::launches.back());
  }
  return 0;
}

int32_t TfVsinitGpuRead(const void* device, void* host, int64_t bytes,
                        void* cuda_stream) {
  tf_vsinit::read_stream = cuda_stream;
  if (tf_vsinit::error_to_return == 0) memcpy(host, device, bytes);
  return tf_vsinit::error_to_return;
}

const char* TfVsinitGpuErrorMessage(int32_t) {
  return tf_vsinit::kFakeGpuMessage;
}

// Records the launches of a GPU fill and fills host memory instead.

#include "cc/ops/fake_gpu_fill.h"

#include "cc/cpu/fill.h"
#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/seeds.h"

namespace tf_vsinit {
namespace {

std::vector<FakeLaunch> launches;
int32_t error_to_return = 0;

void FillHostMemory(const FakeLaunch& launch) {
  const TfVsinitGpuFillArguments& arguments = launch.arguments;
  const Seeds seed{arguments.seed, arguments.seed_kind == kTfVsinitHostInt64,
                   1};
  const Sampler sampler{
      seed.Key(0), static_cast<Distribution>(arguments.distribution),
      arguments.limit_or_stddev, static_cast<Stream>(arguments.stream)};
  const Box box(launch.shape, launch.begin, launch.size);
  FillBox(sampler, static_cast<ElementType>(arguments.element_type), box, 0,
          box.count(), arguments.output, Reuse::kSoon);
}

}  // namespace

const std::vector<FakeLaunch>& FakeLaunches() { return launches; }

void ResetFakeGpu(int32_t error) {
  launches.clear();
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

const char* TfVsinitGpuErrorMessage(int32_t) {
  return tf_vsinit::kFakeGpuMessage;
}

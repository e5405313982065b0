// The op's GPU kernel.
//
// It needs no CUDA header: TensorFlow's stream knows its own CUDA handle, and
// the fill takes it as a plain pointer.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cc/gpu/fill.h"
#include "cc/ops/draw.h"
#include "cc/ops/gpu_launch.h"
#include "tensorflow/core/framework/device_base.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "xla/stream_executor/stream.h"

namespace tf_vsinit {
namespace {

using tensorflow::DEVICE_GPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

// The cudaStream_t on which TensorFlow computes for this device.
absl::StatusOr<void*> CudaStream(OpKernelContext* context) {
  const tensorflow::DeviceContext* device = context->op_device_context();
  if (device == nullptr || device->stream() == nullptr) {
    return absl::InternalError(absl::StrCat(
        "tf_vsinit draws on the stream of a CUDA device, but the device ",
        context->device()->name(), " has none"));
  }
  return device->stream()->platform_specific_handle().stream;
}

class VarianceScalingGpu : public OpKernel {
 public:
  explicit VarianceScalingGpu(OpKernelConstruction* context)
      : OpKernel(context) {
    OP_REQUIRES_OK(context, ReadAttributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    const auto draw = ReadDraw(attributes_, context);
    OP_REQUIRES_OK(context, draw.status());
    Tensor* output;
    OP_REQUIRES_OK(context, context->allocate_output(0, draw->output, &output));
    if (output->NumElements() == 0) return;
    const auto stream = CudaStream(context);
    OP_REQUIRES_OK(context, stream.status());
    OP_REQUIRES_OK(context, Fill(*draw, *stream, output->data()));
  }

 private:
  // TensorFlow has made the stream's device the current one.
  absl::Status Fill(const Draw& draw, void* stream, void* output) const {
    TfVsinitGpuFillArguments fill;
    fill.distribution = static_cast<int32_t>(attributes_.distribution);
    fill.element_type = static_cast<int32_t>(ToElementType(attributes_.dtype));
    fill.limit_or_stddev = draw.limit_or_stddev;
    fill.rank = static_cast<int32_t>(draw.shape.size());
    fill.seed_kind =
        draw.seeds.are_int64 ? kTfVsinitHostInt64 : kTfVsinitHostInt32;
    fill.shape = draw.shape.data();
    fill.begin = draw.begin.data();
    fill.size = draw.size.data();
    fill.stream = stream;
    const int64_t bytes = draw.output.num_elements() / draw.seeds.count *
                          ElementSize(ToElementType(attributes_.dtype));
    const char* const seeds = static_cast<const char*>(draw.seeds.integers);
    for (int64_t i = 0; i < draw.seeds.count; ++i) {
      fill.seed = seeds + i * draw.seeds.bytes_per_seed();
      fill.output = output;
      TF_RETURN_IF_ERROR(LaunchGpuFill(fill));
      output = static_cast<char*>(output) + bytes;
    }
    return absl::OkStatus();
  }

  DrawAttributes attributes_;
};

REGISTER_KERNEL_BUILDER(Name("VsinitStatelessVarianceScaling")
                            .Device(DEVICE_GPU)
                            .HostMemory("shape")
                            .HostMemory("seed")
                            .HostMemory("begin")
                            .HostMemory("size")
                            .HostMemory("scale"),
                        VarianceScalingGpu);

}  // namespace
}  // namespace tf_vsinit

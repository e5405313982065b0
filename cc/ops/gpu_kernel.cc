// The GPU kernel of the ops.
//
// It includes no CUDA header: TensorFlow's stream has the CUDA handle, and the
// fill takes it as a plain pointer.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cc/ops/arguments.h"
#include "cc/ops/gpu_launch.h"
#include "cc/stream/rows.h"
#include "tensorflow/core/framework/device.h"
#include "tensorflow/core/framework/device_base.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/types.h"
#include "xla/stream_executor/stream.h"

namespace tf_vsinit {
namespace {

using tensorflow::DEVICE_GPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

// The cudaStream_t that TensorFlow computes on for this device.
absl::StatusOr<void*> CudaStream(OpKernelContext* context) {
  const tensorflow::DeviceContext* device = context->op_device_context();
  if (device == nullptr || device->stream() == nullptr) {
    return absl::InternalError(absl::StrCat(
        "tf_vsinit draws on the stream of a CUDA device, but the device ",
        context->device()->name(), " has none"));
  }
  return device->stream()->platform_specific_handle().stream;
}

// Copies the rows of the input, which are in host memory, to device memory.
absl::StatusOr<Tensor> RowsOnDevice(OpKernelContext* context) {
  const Tensor* rows;
  TF_RETURN_IF_ERROR(context->input("rows", &rows));
  Tensor copy;
  TF_RETURN_IF_ERROR(
      context->allocate_temp(rows->dtype(), rows->shape(), &copy));
  auto* device = static_cast<tensorflow::Device*>(context->device());
  TF_RETURN_IF_ERROR(context->op_device_context()->CopyCPUTensorToDeviceSync(
      rows, device, &copy));
  return copy;
}

class VarianceScalingGpu : public OpKernel {
 public:
  explicit VarianceScalingGpu(OpKernelConstruction* context)
      : OpKernel(context) {
    OP_REQUIRES_OK(context, ReadAttributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    const auto call = ReadCall(attributes_, context);
    OP_REQUIRES_OK(context, call.status());
    Tensor* output;
    OP_REQUIRES_OK(context, context->allocate_output(0, call->output, &output));
    if (output->NumElements() == 0) return;
    const auto stream = CudaStream(context);
    OP_REQUIRES_OK(context, stream.status());
    Rows rows = call->rows;
    // Freed when the stream reaches the end of the launch.
    absl::StatusOr<Tensor> on_device;
    if (attributes_.lists_rows) {
      on_device = RowsOnDevice(context);
      OP_REQUIRES_OK(context, on_device.status());
      rows.integers = on_device->data();
    }
    // TensorFlow has made the stream's device the current one.
    OP_REQUIRES_OK(context,
                   LaunchGpuFills(call->draw, ToElementType(attributes_.dtype),
                                  call->seeds, SeedMemory::kHost, rows,
                                  output->data(), *stream));
  }

 private:
  Attributes attributes_;
};

REGISTER_KERNEL_BUILDER(Name(kOp)
                            .Device(DEVICE_GPU)
                            .HostMemory("shape")
                            .HostMemory("seed")
                            .HostMemory("begin")
                            .HostMemory("size")
                            .HostMemory("scale"),
                        VarianceScalingGpu);
// The rows are in host memory, because a kernel on the device could report none
// that is outside the table.
REGISTER_KERNEL_BUILDER(Name(kRowsOp)
                            .Device(DEVICE_GPU)
                            .HostMemory("shape")
                            .HostMemory("seed")
                            .HostMemory("rows")
                            .HostMemory("scale"),
                        VarianceScalingGpu);

}  // namespace
}  // namespace tf_vsinit

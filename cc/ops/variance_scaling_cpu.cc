// The op's CPU kernel.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/pool_fill.h"
#include "cc/ops/draw.h"
#include "cc/stream/box.h"
#include "cc/stream/element_type.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace tf_vsinit {
namespace {

using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

// Folding a draw of this size into the graph is not worth trying: TensorFlow
// runs the kernel on one thread, and throws a result above 10 MB away.
constexpr int64_t kBytesNotFolded = int64_t{1} << 20;

// Whether TensorFlow is folding constants: it does so on a device of its own,
// which belongs to no job. Every device that runs a program belongs to one.
bool IsFoldingConstants(const OpKernelContext& context) {
  return !absl::StartsWith(context.device()->name(), "/job:");
}

class VarianceScalingCpu : public OpKernel {
 public:
  explicit VarianceScalingCpu(OpKernelConstruction* context)
      : OpKernel(context) {
    OP_REQUIRES_OK(context, ReadAttributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    auto draw = ReadDraw(attributes_, context);
    OP_REQUIRES_OK(context, draw.status());
    const int64_t bytes = draw->output.num_elements() *
                          ElementSize(ToElementType(attributes_.dtype));
    OP_REQUIRES(context,
                bytes < kBytesNotFolded || !IsFoldingConstants(*context),
                absl::UnimplementedError("too large to fold into the graph"));
    Tensor* output;
    OP_REQUIRES_OK(context, context->allocate_output(0, draw->output, &output));
    Fill(*draw, context, output);
  }

 private:
  void Fill(const Draw& draw, OpKernelContext* context, Tensor* output) {
    if (output->NumElements() == 0) return;
    const auto& workers = *context->device()->tensorflow_cpu_worker_threads();
    const BatchFill fill({attributes_.distribution, draw.limit_or_stddev,
                          ToElementType(attributes_.dtype),
                          Box(draw.shape, draw.begin, draw.size), draw.seeds,
                          output->data()});
    FillInPool(fill, workers.num_threads, *workers.workers);
  }

  DrawAttributes attributes_;
};

REGISTER_KERNEL_BUILDER(
    Name("VsinitStatelessVarianceScaling").Device(DEVICE_CPU),
    VarianceScalingCpu);

}  // namespace
}  // namespace tf_vsinit

// The op's CPU kernel.

#include <cstdint>

#include "cc/ops/draw.h"
#include "cc/ops/host_fill.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace tf_vsinit {
namespace {

using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

class VarianceScalingCpu : public OpKernel {
 public:
  explicit VarianceScalingCpu(OpKernelConstruction* context)
      : OpKernel(context) {
    OP_REQUIRES_OK(context, ReadAttributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    auto draw = ReadDraw(attributes_, context);
    OP_REQUIRES_OK(context, draw.status());
    Tensor* output;
    OP_REQUIRES_OK(context, context->allocate_output(0, draw->size, &output));
    Fill(*draw, context, output);
  }

 private:
  void Fill(const Draw& draw, OpKernelContext* context, Tensor* output) {
    if (output->NumElements() == 0) return;
    const HostFill fill(draw.sampler, ToElementType(attributes_.dtype),
                        draw.slice, output->data());
    // The thread pool counts in cycles; at 1 to 4 GHz the difference to
    // nanoseconds does not change how work of this size is cut.
    const int64_t cost = static_cast<int64_t>(fill.NanosecondsPerUnit());
    using Workers = tensorflow::thread::ThreadPool;
    Workers* workers =
        context->device()->tensorflow_cpu_worker_threads()->workers;
    workers->ParallelFor(
        fill.units(), Workers::SchedulingParams::Adaptive(cost),
        [&](int64_t first, int64_t last) { fill.Run(first, last); });
  }

  DrawAttributes attributes_;
};

REGISTER_KERNEL_BUILDER(
    Name("VsinitStatelessVarianceScaling").Device(DEVICE_CPU),
    VarianceScalingCpu);

}  // namespace
}  // namespace tf_vsinit

// The op's CPU kernel.

#include <algorithm>
#include <cstdint>

#include "cc/cpu/fill.h"
#include "cc/ops/draw.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace tf_vsinit {
namespace {

using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

// The work is cut at multiples of this many elements, which keeps the pieces
// aligned in memory and in the stream, and their set-up negligible.
constexpr int64_t kElementsPerUnit = 16384;

// Above this, a result does not stay in the caches whatever is done, and is
// written past them.
constexpr int64_t kBytesPastCaches = int64_t{16} << 20;

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
    const int64_t count = output->NumElements();
    if (count == 0) return;
    const ElementType type = ToElementType(attributes_.dtype);
    const int64_t element_size = ElementSize(type);
    const Reuse reuse = count * element_size >= kBytesPastCaches
                            ? Reuse::kNotSoon
                            : Reuse::kSoon;
    char* out = static_cast<char*>(output->data());
    const auto fill_units = [&](int64_t first_unit, int64_t last_unit) {
      const int64_t begin = first_unit * kElementsPerUnit;
      const int64_t end = std::min(last_unit * kElementsPerUnit, count);
      FillSlice(draw.sampler, type, draw.slice, begin, end,
                out + begin * element_size, reuse);
    };
    // The thread pool counts in cycles; at 1 to 4 GHz the difference to
    // nanoseconds does not change how work of this size is cut.
    const int64_t cost = static_cast<int64_t>(
        NanosecondsPerElement(draw.sampler, type) * kElementsPerUnit);
    const int64_t units = (count + kElementsPerUnit - 1) / kElementsPerUnit;
    using Workers = tensorflow::thread::ThreadPool;
    Workers* workers =
        context->device()->tensorflow_cpu_worker_threads()->workers;
    workers->ParallelFor(units, Workers::SchedulingParams::Adaptive(cost),
                         fill_units);
  }

  DrawAttributes attributes_;
};

REGISTER_KERNEL_BUILDER(
    Name("VsinitStatelessVarianceScaling").Device(DEVICE_CPU),
    VarianceScalingCpu);

}  // namespace
}  // namespace tf_vsinit

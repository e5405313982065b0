// The CPU kernel of the ops that return what they draw.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "cc/ops/arguments.h"
#include "cc/ops/cpu_fill.h"
#include "cc/stream/element_type.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/types.h"

namespace tf_vsinit {
namespace {

using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

// From this size on, folding a draw into the graph is not worth it: Grappler
// runs the kernel on one thread, and discards a result above 10 MB.
constexpr int64_t kBytesNotFolded = int64_t{1} << 20;

// Whether Grappler is folding constants. It uses a device that belongs to no
// job; every device that runs a program belongs to one.
//
// MLIR folds constants too when the TFLite converter reads a SavedModel, on a
// device that cannot be told from a program's, /job:localhost/.../CPU:0. Its
// users need that: TFLite has no kernel for this op, so a model must hold the
// values, whatever their size.
bool IsFoldingInGrappler(const OpKernelContext& context) {
  return !absl::StartsWith(context.device()->name(), "/job:");
}

class VarianceScalingCpu : public OpKernel {
 public:
  explicit VarianceScalingCpu(OpKernelConstruction* context)
      : OpKernel(context) {
    OP_REQUIRES_OK(context, ReadAttributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    const auto call = ReadCall(attributes_, context);
    OP_REQUIRES_OK(context, call.status());
    const int64_t bytes = call->output.num_elements() *
                          ElementSize(ToElementType(attributes_.dtype));
    OP_REQUIRES(context,
                bytes < kBytesNotFolded || !IsFoldingInGrappler(*context),
                absl::UnimplementedError("too large to fold into the graph"));
    Tensor* output;
    OP_REQUIRES_OK(context, context->allocate_output(0, call->output, &output));
    FillOnCpu(*call, context, output);
  }

 private:
  Attributes attributes_;
};

REGISTER_KERNEL_BUILDER(Name(kOp).Device(DEVICE_CPU), VarianceScalingCpu);
REGISTER_KERNEL_BUILDER(Name(kRowsOp).Device(DEVICE_CPU), VarianceScalingCpu);

}  // namespace
}  // namespace tf_vsinit

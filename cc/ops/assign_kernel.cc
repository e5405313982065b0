// The CPU kernel of the op that draws into a variable.

#include <utility>

#include "absl/status/status.h"
#include "cc/ops/arguments.h"
#include "cc/ops/cpu_fill.h"
#include "tensorflow/core/framework/allocator.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/resource_handle.h"
#include "tensorflow/core/framework/resource_mgr.h"
#include "tensorflow/core/framework/resource_var.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/framework/types.h"
#include "tensorflow/core/platform/mutex.h"

namespace tf_vsinit {
namespace {

using tensorflow::DataType;
using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::ResourceHandle;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::Var;
using VarPointer = tensorflow::core::RefCountPtr<Var>;

// Finds the variable. TensorFlow 1 creates one with its first value. Only then
// must the shape be the one in the handle: the handles that DTensor has for the
// shards of a variable all have the shape of the whole.
absl::Status FindOrCreate(OpKernelContext* context, DataType dtype,
                          const TensorShape& shape, VarPointer* variable) {
  ResourceHandle handle;
  TF_RETURN_IF_ERROR(tensorflow::HandleFromInput(context, "resource", &handle));
  const auto create = [&](Var** created) {
    for (const auto& declared : handle.dtypes_and_shapes()) {
      TF_RETURN_IF_ERROR(
          CheckVariable(dtype, shape, declared.dtype, declared.shape));
    }
    *created = new Var(dtype);
    return absl::OkStatus();
  };
  return tensorflow::LookupOrCreateResource<Var>(context, handle, variable,
                                                 create);
}

class AssignVarianceScalingCpu : public OpKernel {
 public:
  explicit AssignVarianceScalingCpu(OpKernelConstruction* context)
      : OpKernel(context) {
    OP_REQUIRES_OK(context, ReadAttributes(context, &attributes_));
  }

  void Compute(OpKernelContext* context) override {
    const auto call = ReadCall(attributes_, context);
    OP_REQUIRES_OK(context, call.status());
    VarPointer variable;
    OP_REQUIRES_OK(context, FindOrCreate(context, attributes_.dtype,
                                         call->output, &variable));
    const tensorflow::mutex_lock lock(*variable->mu());
    OP_REQUIRES_OK(context, Assign(*call, context, variable.get()));
  }

 private:
  // Draws into a variable whose mutex the caller holds.
  absl::Status Assign(const CheckedCall& call, OpKernelContext* context,
                      Var* variable) {
    Tensor* const tensor = variable->tensor();
    if (variable->is_initialized) {
      TF_RETURN_IF_ERROR(CheckVariable(attributes_.dtype, call.output,
                                       tensor->dtype(), tensor->shape()));
      // Whoever has read the variable may share its buffer. Whoever reads it
      // from now on waits for the mutex. In the mode in which reads copy, the
      // variable never shares its buffer.
      if (tensor->RefCountIsOne()) {
        FillOnCpu(call, context, tensor);
        return absl::OkStatus();
      }
    }
    // As TensorFlow allocates the buffer of a variable.
    tensorflow::AllocatorAttributes memory;
    memory.set_gpu_compatible(true);
    memory.set_nic_compatible(true);
    Tensor fresh;
    TF_RETURN_IF_ERROR(
        context->allocate_temp(attributes_.dtype, call.output, &fresh, memory));
    FillOnCpu(call, context, &fresh);
    *tensor = std::move(fresh);
    variable->is_initialized = true;
    return absl::OkStatus();
  }

  Attributes attributes_;
};

REGISTER_KERNEL_BUILDER(Name("VsinitAssignVarianceScaling").Device(DEVICE_CPU),
                        AssignVarianceScalingCpu);

}  // namespace
}  // namespace tf_vsinit

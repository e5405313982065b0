// Fuzzes the ops' inputs and attributes: the CPU kernel refuses a call, or
// draws the values that the box has in a draw of the whole, in any rounding
// mode. The shape function agrees with the kernel.

#include <algorithm>
#include <cfenv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cc/fuzz/input.h"
#include "cc/ops/host_device.h"
#include "cc/stream/box.h"
#include "tensorflow/core/framework/allocator.h"
#include "tensorflow/core/framework/node_def_builder.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/types.h"
#include "tensorflow/core/public/version.h"

namespace tf_vsinit {
namespace {

using tensorflow::DataType;
using tensorflow::NodeDef;
using tensorflow::PartialTensorShape;
using tensorflow::Tensor;
using tensorflow::TensorShape;

constexpr char kOp[] = "VsinitStatelessVarianceScaling";
constexpr char kRowsOp[] = "VsinitStatelessVarianceScalingRows";
constexpr DataType kDtypes[] = {tensorflow::DT_FLOAT, tensorflow::DT_HALF,
                                tensorflow::DT_BFLOAT16, tensorflow::DT_DOUBLE};
constexpr DataType kIntegers[] = {tensorflow::DT_INT64, tensorflow::DT_INT32};
constexpr const char* kModes[] = {"fan_in", "fan_out", "fan_avg",
                                  "fan_geo_avg"};
constexpr const char* kDistributions[] = {"truncated_normal",
                                          "untruncated_normal", "uniform"};
constexpr const char* kStreams[] = {"vsinit", "tensorflow", "keras_3"};
constexpr int kRoundingModes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
                                  FE_TOWARDZERO};
constexpr size_t kMostBytes = 1 << 17;

// Refuses large tensors, as a device that is out of memory does.
class SmallAllocator : public tensorflow::Allocator {
 public:
  std::string Name() override { return "small"; }
  void* AllocateRaw(size_t alignment, size_t bytes) override {
    if (bytes > kMostBytes) return nullptr;
    return tensorflow::cpu_allocator()->AllocateRaw(alignment, bytes);
  }
  void DeallocateRaw(void* memory) override {
    tensorflow::cpu_allocator()->DeallocateRaw(memory);
  }
};

struct Call {
  NodeDef node;
  bool lists_rows;
  bool batch;
  std::vector<Tensor> inputs;
};

template <typename Integer>
void Store(const std::vector<int64_t>& values, Tensor* tensor) {
  std::transform(values.begin(), values.end(), tensor->flat<Integer>().data(),
                 [](int64_t value) { return static_cast<Integer>(value); });
}

Tensor IntegerTensor(DataType dtype, const std::vector<int64_t>& values,
                     const TensorShape& shape) {
  Tensor tensor(dtype, shape);
  if (dtype == tensorflow::DT_INT32) {
    Store<int32_t>(values, &tensor);
  } else {
    Store<int64_t>(values, &tensor);
  }
  return tensor;
}

// A vector of `length`, or sometimes a tensor of another shape.
Tensor TakeTensor(FuzzInput& input, DataType dtype, int64_t length) {
  TensorShape shape({length});
  if (input.OneIn(16)) {
    shape.Clear();
    for (size_t axis = input.Below(4); axis > 0; --axis) {
      shape.AddDim(input.Below(4));
    }
  }
  return IntegerTensor(dtype, input.Integers(shape.num_elements()), shape);
}

Tensor TakeSeed(FuzzInput& input, DataType dtype, bool batch) {
  if (!batch || input.OneIn(16)) return TakeTensor(input, dtype, 2);
  const int64_t seeds = input.Below(5);
  return IntegerTensor(dtype, input.Integers(2 * seeds), {seeds, 2});
}

// The origin, the whole, or any integers.
Tensor TakeBoxTensor(FuzzInput& input, DataType dtype, int64_t rank,
                     int64_t usual) {
  if (input.OneIn(3)) return TakeTensor(input, dtype, rank);
  return IntegerTensor(dtype, std::vector<int64_t>(rank, usual), {rank});
}

Tensor TakeScale(FuzzInput& input) {
  Tensor scale(tensorflow::DT_DOUBLE,
               input.OneIn(16) ? TensorShape({1}) : TensorShape({}));
  scale.flat<double>()(0) = input.OneIn(4) ? input.Take<double>() : 1.5;
  return scale;
}

Call TakeCall(FuzzInput& input) {
  Call call;
  call.lists_rows = input.OneIn(3);
  call.batch = !call.lists_rows && input.OneIn(3);
  const DataType shape_dtype = input.OneOf(kIntegers);
  const DataType seed_dtype = input.OneOf(kIntegers);
  const DataType rows_dtype = input.OneOf(kIntegers);
  tensorflow::NodeDefBuilder builder("draw", call.lists_rows ? kRowsOp : kOp);
  builder.Input("shape", 0, shape_dtype).Input("seed", 0, seed_dtype);
  if (call.lists_rows) {
    builder.Input("rows", 0, rows_dtype);
  } else {
    builder.Input("begin", 0, shape_dtype)
        .Input("size", 0, shape_dtype)
        .Attr("batch", call.batch);
  }
  const absl::Status status =
      builder.Input("scale", 0, tensorflow::DT_DOUBLE)
          .Attr("dtype", input.OneOf(kDtypes))
          .Attr("mode", input.OneOf(kModes))
          .Attr("distribution", input.OneOf(kDistributions))
          .Attr("stream", input.OneOf(kStreams))
          .Attr("input_axes", input.Integers(input.OneIn(4) * input.Below(4)))
          .Attr("output_axes", input.Integers(input.OneIn(4) * input.Below(4)))
          .Attr("axes_given", input.OneIn(4))
          .Finalize(&call.node);
  Require(status.ok(), "the node is valid");

  const int64_t rank = input.OneIn(32) ? input.Take<uint8_t>() : input.Below(5);
  call.inputs = {TakeTensor(input, shape_dtype, rank),
                 TakeSeed(input, seed_dtype, call.batch)};
  if (call.lists_rows) {
    call.inputs.push_back(TakeTensor(input, rows_dtype, input.Below(20)));
  } else {
    call.inputs.push_back(TakeBoxTensor(input, shape_dtype, rank, 0));
    call.inputs.push_back(TakeBoxTensor(input, shape_dtype, rank, -1));
  }
  call.inputs.push_back(TakeScale(input));
  return call;
}

// Runs the kernel in a rounding mode. Returns its output, or nothing if it
// refuses the call.
std::optional<Tensor> RunKernel(const Call& call, int rounding) {
  static auto& device = *new HostDevice<SmallAllocator>(
      "/job:localhost/replica:0/task:0/device:CPU:0");
  absl::Status status;
  const auto kernel = tensorflow::CreateOpKernel(
      tensorflow::DEVICE_CPU, &device, tensorflow::cpu_allocator(), call.node,
      TF_GRAPH_DEF_VERSION, &status);
  Require(status.ok(), "the kernel is made");
  std::vector<Tensor> tensors = call.inputs;
  std::vector<tensorflow::TensorValue> inputs;
  for (Tensor& tensor : tensors) inputs.emplace_back(&tensor);
  tensorflow::AllocatorAttributes attributes;
  tensorflow::OpKernelContext::Params params;
  params.device = &device;
  params.op_kernel = kernel.get();
  params.inputs = inputs;
  params.output_attr_array = &attributes;
  tensorflow::OpKernelContext context(&params);
  std::fesetround(rounding);
  kernel->Compute(&context);
  std::fesetround(FE_TONEAREST);
  if (context.status().ok()) return *context.mutable_output(0);
  Require(absl::IsInvalidArgument(context.status()) ||
              absl::IsResourceExhausted(context.status()),
          "the kernel fails only for invalid arguments and for memory");
  return std::nullopt;
}

// What the shape function infers if it knows the values of some inputs, or
// nothing if it refuses the call.
std::optional<PartialTensorShape> Infer(const Call& call, uint8_t known) {
  const tensorflow::OpRegistrationData* op;
  Require(tensorflow::OpRegistry::Global()->LookUp(call.node.op(), &op).ok(),
          "the op is registered");
  std::vector<PartialTensorShape> shapes;
  std::vector<const Tensor*> values;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    shapes.push_back(call.inputs[i].shape());
    values.push_back(known >> i & 1 ? &call.inputs[i] : nullptr);
  }
  tensorflow::shape_inference::InferenceContext context(
      TF_GRAPH_DEF_VERSION, call.node, op->op_def, shapes, values, {}, {});
  // TensorFlow calls the function again when it has evaluated constant inputs.
  for (int pass = 0; pass < 2; ++pass) {
    if (!context.Run(op->shape_inference_fn).ok()) return std::nullopt;
  }
  tensorflow::TensorShapeProto proto;
  context.ShapeHandleToProto(context.output(0), &proto);
  return PartialTensorShape(proto);
}

std::vector<int64_t> ToVector(const Tensor& tensor) {
  std::vector<int64_t> values(tensor.NumElements());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = tensor.dtype() == tensorflow::DT_INT32
                    ? tensor.flat<int32_t>()(i)
                    : tensor.flat<int64_t>()(i);
  }
  return values;
}

// The same call for the whole variable, or nothing if that takes much memory.
std::optional<Tensor> DrawWhole(const Call& call) {
  const int64_t rank = call.inputs[0].NumElements();
  Call whole = call;
  whole.inputs[2] = IntegerTensor(call.inputs[0].dtype(),
                                  std::vector<int64_t>(rank, 0), {rank});
  whole.inputs[3] = IntegerTensor(call.inputs[0].dtype(),
                                  std::vector<int64_t>(rank, -1), {rank});
  return RunKernel(whole, FE_TONEAREST);
}

// Compares a box with the same box of the whole, for every seed.
void CompareWithWhole(const Call& call, const Tensor& drawn) {
  const auto whole = DrawWhole(call);
  if (!whole || drawn.NumElements() == 0) return;
  const auto shape = ToVector(call.inputs[0]);
  const auto begin = ToVector(call.inputs[2]);
  std::vector<int64_t> size;
  for (int axis = call.batch; axis < drawn.dims(); ++axis) {
    size.push_back(drawn.dim_size(axis));
  }
  const Box box(shape, begin, size);
  const int64_t seeds = call.batch ? drawn.dim_size(0) : 1;
  const size_t element = tensorflow::DataTypeSize(drawn.dtype());
  const size_t whole_bytes = whole->TotalBytes() / seeds;
  const char* got = drawn.tensor_data().data();
  for (int64_t seed = 0; seed < seeds; ++seed) {
    const char* want = whole->tensor_data().data() + seed * whole_bytes;
    for (uint64_t position = 0; position < box.count(); ++position) {
      const uint64_t index = box.RunAt(position).first;
      Require(std::memcmp(got, want + index * element, element) == 0,
              "a box has the values of the whole");
      got += element;
    }
  }
}

}  // namespace
}  // namespace tf_vsinit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  using namespace tf_vsinit;
  FuzzInput input(data, bytes);
  const uint8_t known = input.Take<uint8_t>();
  const int rounding = input.OneOf(kRoundingModes);
  const Call call = TakeCall(input);
  const auto drawn = RunKernel(call, rounding);
  const auto inferred = Infer(call, known);
  if (!drawn) return 0;
  Require(inferred.has_value(),
          "the shape function takes what the kernel takes");
  Require(inferred->IsCompatibleWith(drawn->shape()),
          "the shape function infers the shape of the output");
  if (!call.lists_rows) CompareWithWhole(call, *drawn);
  return 0;
}

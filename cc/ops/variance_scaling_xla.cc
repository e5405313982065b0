// The op under XLA: a custom call whose handler runs the same fill.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cc/ops/draw.h"
#include "cc/ops/errors.h"
#include "cc/ops/xla_call.h"
#include "tensorflow/compiler/tf2xla/type_util.h"
#include "tensorflow/compiler/tf2xla/xla_op_kernel.h"
#include "tensorflow/compiler/tf2xla/xla_op_registry.h"
#include "xla/hlo/builder/xla_builder.h"
#include "xla/layout_util.h"
#include "xla/shape_util.h"

namespace tf_vsinit {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::Tensor;
using tensorflow::XlaOpKernelContext;

// Spelled as MLIR, which is how XLA takes the attributes of a typed call.
std::string ArrayAttribute(const std::vector<int64_t>& values) {
  if (values.empty()) return "array<i64>";
  return absl::StrCat("array<i64: ", absl::StrJoin(values, ", "), ">");
}

// By its bits: no digit gets lost.
std::string DoubleAttribute(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return absl::StrFormat("0x%016X : f64", bits);
}

absl::StatusOr<Tensor> CompileTimeValue(XlaOpKernelContext* context,
                                        const char* name) {
  int first, last;
  TF_RETURN_IF_ERROR(context->op_kernel().InputRange(name, &first, &last));
  absl::StatusOr<Tensor> value = context->ConstantInputTensor(first);
  if (!absl::IsInvalidArgument(value.status())) return value;
  // Unimplemented lets auto-clustering go on without XLA.
  return absl::UnimplementedError(absl::StrCat(
      name,
      " must be known when XLA compiles the draw, but depends on what is known "
      "only when the compiled program runs: compute it from Python values, "
      "static shapes or arguments of the compiled function alone, or draw "
      "outside of the function that has jit_compile=True"));
}

absl::StatusOr<std::vector<int64_t>> CompileTimeVector(
    XlaOpKernelContext* context, const char* name) {
  TF_ASSIGN_OR_RETURN(const Tensor value, CompileTimeValue(context, name));
  return CheckedVector(name, value);
}

// Whether the GPU library is loaded, which holds the op's kernel and the call's
// handler.
bool HasGpuLibrary(const std::string& op_type) {
  const auto kernels = tensorflow::GetRegisteredKernelsForOp(op_type);
  return std::any_of(kernels.kernel().begin(), kernels.kernel().end(),
                     [](const tensorflow::KernelDef& kernel) {
                       return kernel.device_type() == tensorflow::DEVICE_GPU;
                     });
}

// Without a handler XLA would fail when the compilation is done, in words that
// do not say what to do. Unimplemented lets auto-clustering go on without XLA.
absl::Status CheckHandler(const OpKernelConstruction& context) {
  if (context.device_type().type_string() != tensorflow::DEVICE_GPU_XLA_JIT ||
      HasGpuLibrary(context.def().op())) {
    return absl::OkStatus();
  }
  return absl::UnimplementedError(
      "XLA cannot compile a draw for a GPU: tf_vsinit's GPU library is not "
      "loaded here, and `python -m tf_vsinit` says why; draw outside of the "
      "function that has jit_compile=True, or on a CPU");
}

// XLA calls nothing of ours with buffers whose sizes it does not know.
absl::Status CheckSeedIsStatic(const xla::Shape& seed) {
  if (!seed.is_dynamic()) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(
      "seed must have a shape known when XLA compiles the draw, but got ",
      xla::ShapeUtil::HumanString(seed),
      ", whose extents are bounds: draw for a number of seeds known then, and "
      "drop what is not wanted of the result, or draw outside of the function "
      "that has jit_compile=True"));
}

class VarianceScalingXla : public tensorflow::XlaOpKernel {
 public:
  explicit VarianceScalingXla(OpKernelConstruction* context)
      : XlaOpKernel(context) {
    OP_REQUIRES_OK(context, CheckHandler(*context));
    OP_REQUIRES_OK(context, ReadAttributes(context, &attributes_));
  }

  void Compile(XlaOpKernelContext* context) override {
    const absl::StatusOr<xla::XlaOp> call = Lower(context);
    OP_REQUIRES_OK(context, call.status());
    context->SetOutput(0, *call);
  }

 private:
  absl::StatusOr<xla::XlaOp> Lower(XlaOpKernelContext* context);

  DrawAttributes attributes_;
};

absl::StatusOr<xla::XlaOp> VarianceScalingXla::Lower(
    XlaOpKernelContext* context) {
  TF_ASSIGN_OR_RETURN(const auto shape, CompileTimeVector(context, "shape"));
  TF_ASSIGN_OR_RETURN(const auto begin, CompileTimeVector(context, "begin"));
  TF_ASSIGN_OR_RETURN(auto size, CompileTimeVector(context, "size"));
  TF_ASSIGN_OR_RETURN(const Tensor scale, CompileTimeValue(context, "scale"));
  TF_ASSIGN_OR_RETURN(const double scale_value, CheckedScalar("scale", scale));
  TF_ASSIGN_OR_RETURN(xla::Shape seed, context->InputXlaShape("seed"));
  TF_RETURN_IF_ERROR(CheckSeedIsStatic(seed));
  TF_RETURN_IF_ERROR(CheckSeedShape(attributes_, seed.dimensions()));
  TF_RETURN_IF_ERROR(CheckBox(shape, begin, &size));
  TF_ASSIGN_OR_RETURN(const double limit_or_stddev,
                      CheckedLimitOrStddev(attributes_, shape, scale_value));

  xla::PrimitiveType type;
  TF_RETURN_IF_ERROR(
      tensorflow::DataTypeToPrimitiveType(attributes_.dtype, &type));
  TF_ASSIGN_OR_RETURN(const tensorflow::TensorShape output_shape,
                      OutputShape(attributes_, seed.dimensions(0), size));
  TF_ASSIGN_OR_RETURN(xla::Shape output, xla::ShapeUtil::MakeValidatedShape(
                                             type, output_shape.dim_sizes()));
  // A handler is not told of layouts, so they are fixed here; who wants another
  // one transposes.
  xla::LayoutUtil::SetToDefaultLayout(&output);
  xla::LayoutUtil::SetToDefaultLayout(&seed);
  const std::string attributes = absl::StrCat(
      "{", kXlaDistribution, " = ", static_cast<int>(attributes_.distribution),
      " : i32, ", kXlaLimitOrStddev, " = ", DoubleAttribute(limit_or_stddev),
      ", ", kXlaShape, " = ", ArrayAttribute(shape), ", ", kXlaBegin, " = ",
      ArrayAttribute(begin), ", ", kXlaSize, " = ", ArrayAttribute(size), "}");
  return xla::CustomCallWithLayout(
      context->builder(), kXlaCallTarget, {context->Input("seed")}, output,
      {seed}, attributes, /*has_side_effect=*/false,
      /*output_operand_aliasing=*/{}, /*literal=*/nullptr,
      xla::CustomCallSchedule::SCHEDULE_NONE,
      xla::CustomCallApiVersion::API_VERSION_TYPED_FFI);
}

REGISTER_XLA_OP(Name("VsinitStatelessVarianceScaling")
                    .Device({tensorflow::DEVICE_CPU_XLA_JIT,
                             tensorflow::DEVICE_GPU_XLA_JIT})
                    .CompileTimeConstantInput("shape")
                    .CompileTimeConstantInput("begin")
                    .CompileTimeConstantInput("size")
                    .CompileTimeConstantInput("scale"),
                VarianceScalingXla);

}  // namespace
}  // namespace tf_vsinit

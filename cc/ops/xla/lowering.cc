// Lowers the ops to XLA: to a custom call, whose handler runs the same fill.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cc/ops/arguments.h"
#include "cc/ops/draw.h"
#include "cc/ops/xla/call.h"
#include "cc/stream/distributions.h"
#include "cc/stream/sampler.h"
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

// XLA takes the attributes of a typed call as MLIR text.

std::string MlirAttribute(const std::vector<int64_t>& values) {
  if (values.empty()) return "array<i64>";
  return absl::StrCat("array<i64: ", absl::StrJoin(values, ", "), ">");
}

std::string MlirAttribute(Distribution distribution) {
  return absl::StrCat(static_cast<int>(distribution), " : i32");
}

std::string MlirAttribute(Stream stream) {
  return absl::StrCat(static_cast<int>(stream), " : i32");
}

// As bits, so that no digit gets lost.
std::string MlirAttribute(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return absl::StrFormat("0x%016X : f64", bits);
}

std::string MlirAttributes(const Draw& draw) {
  std::vector<std::string> attributes;
  VisitXlaAttributes(draw, [&](const char* name, const auto& field) {
    attributes.push_back(absl::StrCat(name, " = ", MlirAttribute(field)));
  });
  return absl::StrCat("{", absl::StrJoin(attributes, ", "), "}");
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
  return ReadVector(name, value);
}

// Whether the GPU library is loaded. It holds the op's GPU kernel and the
// call's GPU handler.
bool HasGpuLibrary(const std::string& op_type) {
  const auto kernels = tensorflow::GetRegisteredKernelsForOp(op_type);
  return std::any_of(kernels.kernel().begin(), kernels.kernel().end(),
                     [](const tensorflow::KernelDef& kernel) {
                       return kernel.device_type() == tensorflow::DEVICE_GPU;
                     });
}

// Without a handler XLA would fail at the end of the compilation, with a
// message that gives no remedy. Unimplemented lets auto-clustering go on
// without XLA.
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

// The shape of an operand, in the layout that handlers read. XLA passes no
// buffers of unknown size to a custom call.
absl::StatusOr<xla::Shape> OperandShape(XlaOpKernelContext* context,
                                        const char* name) {
  TF_ASSIGN_OR_RETURN(xla::Shape shape, context->InputXlaShape(name));
  if (shape.is_dynamic()) {
    return absl::UnimplementedError(absl::StrCat(
        name, " must have a shape known when XLA compiles the draw, but got ",
        xla::ShapeUtil::HumanString(shape),
        ", whose extents are bounds: draw for a fixed number and drop the "
        "results that you do not need, or draw outside of the function that "
        "has jit_compile=True"));
  }
  xla::LayoutUtil::SetToDefaultLayout(&shape);
  return shape;
}

// What a custom call is made of.
struct Call {
  std::vector<xla::XlaOp> operands;
  std::vector<xla::Shape> operand_shapes;
  Draw draw;
  tensorflow::PartialTensorShape output;
};

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

  // Reads and checks the inputs, and adds to `call` the operands after the
  // seed.
  absl::Status LowerBox(XlaOpKernelContext* context, std::vector<int64_t> shape,
                        double scale, Call* call);
  absl::Status LowerRows(XlaOpKernelContext* context,
                         std::vector<int64_t> shape, double scale, Call* call);

  Attributes attributes_;
};

absl::StatusOr<xla::XlaOp> VarianceScalingXla::Lower(
    XlaOpKernelContext* context) {
  TF_ASSIGN_OR_RETURN(auto shape, CompileTimeVector(context, "shape"));
  TF_ASSIGN_OR_RETURN(const Tensor scale, CompileTimeValue(context, "scale"));
  TF_ASSIGN_OR_RETURN(const double scale_value, ReadScalar("scale", scale));
  TF_ASSIGN_OR_RETURN(const xla::Shape seed, OperandShape(context, "seed"));
  TF_RETURN_IF_ERROR(CheckSeedShape(attributes_.batch, seed.dimensions()));
  Call call;
  call.operands = {context->Input("seed")};
  call.operand_shapes = {seed};
  TF_RETURN_IF_ERROR(
      attributes_.lists_rows
          ? LowerRows(context, std::move(shape), scale_value, &call)
          : LowerBox(context, std::move(shape), scale_value, &call));

  xla::PrimitiveType type;
  TF_RETURN_IF_ERROR(
      tensorflow::DataTypeToPrimitiveType(attributes_.dtype, &type));
  TF_ASSIGN_OR_RETURN(xla::Shape output, xla::ShapeUtil::MakeValidatedShape(
                                             type, call.output.dim_sizes()));
  // A handler does not see layouts, so the call fixes them. XLA transposes for
  // users of the result that want another one.
  xla::LayoutUtil::SetToDefaultLayout(&output);
  return xla::CustomCallWithLayout(
      context->builder(),
      attributes_.lists_rows ? kXlaRowsCallTarget : kXlaCallTarget,
      call.operands, output, call.operand_shapes, MlirAttributes(call.draw),
      /*has_side_effect=*/false,
      /*output_operand_aliasing=*/{}, /*literal=*/nullptr,
      xla::CustomCallSchedule::SCHEDULE_NONE,
      xla::CustomCallApiVersion::API_VERSION_TYPED_FFI);
}

absl::Status VarianceScalingXla::LowerBox(XlaOpKernelContext* context,
                                          std::vector<int64_t> shape,
                                          double scale, Call* call) {
  TF_ASSIGN_OR_RETURN(auto begin, CompileTimeVector(context, "begin"));
  TF_ASSIGN_OR_RETURN(auto size, CompileTimeVector(context, "size"));
  TF_ASSIGN_OR_RETURN(
      call->draw, CheckedDraw(attributes_, std::move(shape), std::move(begin),
                              std::move(size), scale));
  const int64_t seeds = call->operand_shapes[0].dimensions(0);
  TF_ASSIGN_OR_RETURN(call->output,
                      OutputShape(attributes_.batch, seeds, call->draw.size));
  return absl::OkStatus();
}

absl::Status VarianceScalingXla::LowerRows(XlaOpKernelContext* context,
                                           std::vector<int64_t> shape,
                                           double scale, Call* call) {
  TF_ASSIGN_OR_RETURN(const xla::Shape rows, OperandShape(context, "rows"));
  TF_RETURN_IF_ERROR(CheckRowsShape(rows.dimensions()));
  call->operands.push_back(context->Input("rows"));
  call->operand_shapes.push_back(rows);
  TF_ASSIGN_OR_RETURN(call->draw, CheckedRowsDraw(attributes_, std::move(shape),
                                                  rows.dimensions(0), scale));
  TF_ASSIGN_OR_RETURN(call->output, RowsOutputShape(call->draw.size));
  return absl::OkStatus();
}

REGISTER_XLA_OP(Name(kOp)
                    .Device({tensorflow::DEVICE_CPU_XLA_JIT,
                             tensorflow::DEVICE_GPU_XLA_JIT})
                    .CompileTimeConstantInput("shape")
                    .CompileTimeConstantInput("begin")
                    .CompileTimeConstantInput("size")
                    .CompileTimeConstantInput("scale"),
                VarianceScalingXla);

REGISTER_XLA_OP(Name(kRowsOp)
                    .Device({tensorflow::DEVICE_CPU_XLA_JIT,
                             tensorflow::DEVICE_GPU_XLA_JIT})
                    .CompileTimeConstantInput("shape")
                    .CompileTimeConstantInput("scale"),
                VarianceScalingXla);

}  // namespace
}  // namespace tf_vsinit

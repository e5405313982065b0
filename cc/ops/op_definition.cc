// Defines the ops and their shape functions.

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/ops/arguments.h"
#include "cc/ops/errors.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/framework/tensor_shape.pb.h"
#include "tensorflow/core/framework/types.h"

namespace tf_vsinit {
namespace {

using tensorflow::DataType;
using tensorflow::PartialTensorShape;
using tensorflow::Tensor;
using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

constexpr int kShape = 0, kSeed = 1;
// After these, inputs of the op that draws a box.
constexpr int kBegin = 2, kSize = 3, kScale = 4;
// The same of the op that draws rows.
constexpr int kRows = 2, kScaleAfterRows = 3;
// After these, an input of the op that draws into a variable.
constexpr int kResource = 5;

// What is known of the entries of an input vector.
using Known = std::vector<std::optional<int64_t>>;

// Whether TensorFlow has evaluated constant inputs, so that this call may ask
// for the single entries of the others.
//
// TensorFlow evaluates inputs after a call of the shape function that asks for
// them, and then calls it again. It treats a vector whose entries are requested
// as a shape, and rejects a negative constant without naming the argument. So
// the first call asks for constants only. There is a second call if any input
// is constant, and scale nearly always is.
bool HasEvaluatedConstants(InferenceContext* c, int scale) {
  const bool evaluated =
      c->requested_input_tensor(scale) || !c->input_tensors_as_shapes().empty();
  c->input_tensor(scale);  // Asks for the second call.
  return evaluated;
}

absl::StatusOr<Known> ReadKnown(InferenceContext* c, const char* name,
                                int input, int64_t rank, bool by_entries) {
  Known known(rank);
  if (const Tensor* tensor = c->input_tensor(input)) {
    TF_ASSIGN_OR_RETURN(const auto values, ReadVector(name, *tensor));
    if (input == kShape) TF_RETURN_IF_ERROR(CheckShape(values));
    known.assign(values.begin(), values.end());
    known.resize(rank);
  } else if (by_entries) {
    ShapeHandle partial;
    TF_RETURN_IF_ERROR(c->MakeShapeFromShapeTensor(input, &partial));
    for (int axis = 0; c->RankKnown(partial) && axis < rank; ++axis) {
      const DimensionHandle entry = c->Dim(partial, axis);
      if (c->ValueKnown(entry)) known[axis] = c->Value(entry);
    }
  }
  return known;
}

// Checks what is known of one axis. Returns the output's extent along it, -1 if
// that is not known.
absl::StatusOr<int64_t> InferExtent(size_t axis, std::optional<int64_t> shape,
                                    std::optional<int64_t> begin,
                                    std::optional<int64_t> size) {
  if (shape.has_value()) {
    int64_t extent = size.value_or(-1);
    TF_RETURN_IF_ERROR(CheckAxis(axis, *shape, begin.value_or(0), &extent));
  }
  if (begin.has_value() && *begin < 0) {
    return InvalidArgument("begin[", axis, "] must not be negative, got ",
                           *begin);
  }
  if (size.has_value() && *size < -1) {
    return InvalidArgument("size[", axis, "] must be -1 (to the end) or more, ",
                           "got ", *size);
  }
  if (!size.has_value() || *size >= 0) return size.value_or(-1);
  return shape.has_value() && begin.has_value() ? *shape - *begin : -1;
}

// The extents of the output, -1 where not known.
absl::StatusOr<std::vector<int64_t>> InferExtents(InferenceContext* c,
                                                  int64_t rank) {
  const bool by_entries = HasEvaluatedConstants(c, kScale);
  TF_ASSIGN_OR_RETURN(const Known shape,
                      ReadKnown(c, "shape", kShape, rank, by_entries));
  TF_ASSIGN_OR_RETURN(const Known begin,
                      ReadKnown(c, "begin", kBegin, rank, by_entries));
  TF_ASSIGN_OR_RETURN(const Known size,
                      ReadKnown(c, "size", kSize, rank, by_entries));
  std::vector<int64_t> extents(rank);
  for (size_t axis = 0; axis < extents.size(); ++axis) {
    TF_ASSIGN_OR_RETURN(
        extents[axis], InferExtent(axis, shape[axis], begin[axis], size[axis]));
  }
  return extents;
}

absl::Status CheckSeedInput(InferenceContext* c, bool batch,
                            DimensionHandle* seeds) {
  ShapeHandle seed;
  const ShapeHandle one = c->Vector(2);
  const ShapeHandle many = c->Matrix(InferenceContext::kUnknownDim, 2);
  if (!c->Merge(c->input(kSeed), batch ? many : one, &seed).ok()) {
    return InvalidArgument("seed must have shape ", batch ? "[n, 2]" : "[2]",
                           ", got ", c->DebugString(c->input(kSeed)));
  }
  *seeds = c->Dim(seed, 0);
  return absl::OkStatus();
}

absl::Status CheckScaleInput(InferenceContext* c, int input) {
  ShapeHandle scalar;
  if (c->WithRank(c->input(input), 0, &scalar).ok()) return absl::OkStatus();
  return InvalidArgument("scale must be a scalar, got shape ",
                         c->DebugString(c->input(input)));
}

// Checks the shapes of the inputs. `rank` is the length of the vectors.
absl::Status CheckInputShapes(InferenceContext* c, bool batch,
                              DimensionHandle* rank, DimensionHandle* seeds) {
  ShapeHandle vector;
  *rank = c->UnknownDim();
  for (int input : {kShape, kBegin, kSize}) {
    if (!c->WithRank(c->input(input), 1, &vector).ok() ||
        !c->Merge(*rank, c->Dim(vector, 0), rank).ok()) {
      return InvalidArgument(
          "shape, begin and size must be vectors of one length, got shapes ",
          c->DebugString(c->input(kShape)), ", ",
          c->DebugString(c->input(kBegin)), " and ",
          c->DebugString(c->input(kSize)));
    }
  }
  TF_RETURN_IF_ERROR(CheckSeedInput(c, batch, seeds));
  return CheckScaleInput(c, kScale);
}

// The shape of what a call draws.
absl::StatusOr<ShapeHandle> InferDrawn(InferenceContext* c) {
  bool batch;
  TF_RETURN_IF_ERROR(c->GetAttr("batch", &batch));
  DimensionHandle rank, seeds;
  TF_RETURN_IF_ERROR(CheckInputShapes(c, batch, &rank, &seeds));
  if (!c->ValueKnown(rank)) return c->UnknownShape();
  TF_RETURN_IF_ERROR(CheckRank(c->Value(rank), batch));
  TF_ASSIGN_OR_RETURN(const auto extents, InferExtents(c, c->Value(rank)));
  TF_ASSIGN_OR_RETURN(const auto shape,
                      OutputShape(batch, c->Value(seeds), extents));
  ShapeHandle drawn;
  TF_RETURN_IF_ERROR(c->MakeShapeFromPartialTensorShape(shape, &drawn));
  return drawn;
}

// Checks a vector that is an input, and gets its length.
absl::Status CheckVectorInput(InferenceContext* c, const char* name, int input,
                              DimensionHandle* length) {
  ShapeHandle vector;
  if (!c->WithRank(c->input(input), 1, &vector).ok()) {
    return InvalidArgument(name, " must be a vector, got shape ",
                           c->DebugString(c->input(input)));
  }
  *length = c->Dim(vector, 0);
  return absl::OkStatus();
}

absl::Status InferShapeOfRows(InferenceContext* c) {
  DimensionHandle rank, rows, seeds;
  TF_RETURN_IF_ERROR(CheckVectorInput(c, "shape", kShape, &rank));
  TF_RETURN_IF_ERROR(CheckVectorInput(c, "rows", kRows, &rows));
  TF_RETURN_IF_ERROR(CheckSeedInput(c, /*batch=*/false, &seeds));
  TF_RETURN_IF_ERROR(CheckScaleInput(c, kScaleAfterRows));
  if (!c->ValueKnown(rank)) {
    c->set_output(0, c->UnknownShape());
    return absl::OkStatus();
  }
  TF_RETURN_IF_ERROR(CheckTableRank(c->Value(rank)));
  const bool by_entries = HasEvaluatedConstants(c, kScaleAfterRows);
  TF_ASSIGN_OR_RETURN(const Known table, ReadKnown(c, "shape", kShape,
                                                   c->Value(rank), by_entries));
  std::vector<int64_t> extents{c->Value(rows)};
  for (size_t axis = 1; axis < table.size(); ++axis) {
    extents.push_back(table[axis].value_or(-1));
  }
  TF_ASSIGN_OR_RETURN(const auto shape, RowsOutputShape(extents));
  ShapeHandle output;
  TF_RETURN_IF_ERROR(c->MakeShapeFromPartialTensorShape(shape, &output));
  c->set_output(0, output);
  return absl::OkStatus();
}

PartialTensorShape PartialShape(InferenceContext* c, ShapeHandle shape) {
  tensorflow::TensorShapeProto proto;
  c->ShapeHandleToProto(shape, &proto);
  return PartialTensorShape(proto);
}

absl::Status InferShape(InferenceContext* c) {
  TF_ASSIGN_OR_RETURN(const ShapeHandle drawn, InferDrawn(c));
  c->set_output(0, drawn);
  return absl::OkStatus();
}

// Checks what the graph knows of the variable.
absl::Status CheckResource(InferenceContext* c) {
  TF_ASSIGN_OR_RETURN(const ShapeHandle drawn, InferDrawn(c));
  const auto* variable = c->input_handle_shapes_and_types(kResource);
  if (variable == nullptr || variable->empty()) return absl::OkStatus();
  DataType dtype;
  TF_RETURN_IF_ERROR(c->GetAttr("dtype", &dtype));
  return CheckVariable(dtype, PartialShape(c, drawn), variable->front().dtype,
                       PartialShape(c, variable->front().shape));
}

}  // namespace

REGISTER_OP("VsinitStatelessVarianceScaling")
    .Input("shape: Tshape")
    .Input("seed: Tseed")
    .Input("begin: Tshape")
    .Input("size: Tshape")
    .Input("scale: double")
    .Output("output: dtype")
    .Attr("dtype: {half, bfloat16, float, double} = DT_FLOAT")
    .Attr("Tshape: {int32, int64} = DT_INT32")
    .Attr("Tseed: {int32, int64} = DT_INT64")
    .Attr("mode: {'fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'} = 'fan_in'")
    .Attr(
        "distribution: {'truncated_normal', 'untruncated_normal', 'uniform'} = "
        "'truncated_normal'")
    .Attr("input_axes: list(int) = []")
    .Attr("output_axes: list(int) = []")
    .Attr("batch: bool = false")
    .Attr("axes_given: bool = false")
    .Attr("stream: {'vsinit', 'tensorflow', 'keras_3'} = 'vsinit'")
    .SetShapeFn(InferShape)
    .Doc(R"doc(
Draws a box of a variance-scaled random tensor.

Element i (row-major in the full shape) is a pure function of stream, seed,
dtype, distribution, scale, fans and i, so any box has the values of the whole.

shape: Full shape of the variable, [rank].
seed: Two integers, [2]; for a batch, [n, 2].
begin: First element of the box along each axis, [rank].
size: Extent of the box along each axis, [rank]; -1 means to the end.
scale: Positive scaling factor.
output: The box; for a batch, one box for each seed, along a new first axis.
mode: What the scale is divided by.
distribution: What is drawn.
input_axes: Axes counted as input units.
output_axes: Axes counted as output units.
axes_given: Whether both lists of axes count if both are empty: the fans are 1
  then. Otherwise two empty lists mean that the last two axes are input and
  output units and all others the receptive field.
batch: Whether to draw for several seeds at once.
stream: Whose values to draw: stream version 1 of tf_vsinit, or those of
  TensorFlow's own initializers, or those of Keras 3, which differ in float64
  uniforms: Keras 3 rounds their limit to float32.
)doc");

REGISTER_OP("VsinitStatelessVarianceScalingRows")
    .Input("shape: Tshape")
    .Input("seed: Tseed")
    .Input("rows: Trows")
    .Input("scale: double")
    .Output("output: dtype")
    .Attr("dtype: {half, bfloat16, float, double} = DT_FLOAT")
    .Attr("Tshape: {int32, int64} = DT_INT32")
    .Attr("Tseed: {int32, int64} = DT_INT64")
    .Attr("Trows: {int32, int64} = DT_INT64")
    .Attr("mode: {'fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'} = 'fan_in'")
    .Attr(
        "distribution: {'truncated_normal', 'untruncated_normal', 'uniform'} = "
        "'truncated_normal'")
    .Attr("input_axes: list(int) = []")
    .Attr("output_axes: list(int) = []")
    .Attr("axes_given: bool = false")
    .Attr("stream: {'vsinit', 'tensorflow', 'keras_3'} = 'vsinit'")
    .SetShapeFn(InferShapeOfRows)
    .Doc(R"doc(
Draws rows of a variance-scaled random tensor, in any order.

The rows have the values of the same rows of VsinitStatelessVarianceScaling,
whose attributes these are.

shape: Full shape of the variable, [rank]; of rank one or more.
seed: Two integers, [2].
rows: Coordinates along the first axis, [n], in any order and with repeats.
scale: Positive scaling factor.
output: Row rows[i] at [i]; of shape [n] and then `shape` without its first
  extent.
)doc");

REGISTER_OP("VsinitAssignVarianceScaling")
    .Input("shape: Tshape")
    .Input("seed: Tseed")
    .Input("begin: Tshape")
    .Input("size: Tshape")
    .Input("scale: double")
    .Input("resource: resource")
    .Attr("dtype: {half, bfloat16, float, double} = DT_FLOAT")
    .Attr("Tshape: {int32, int64} = DT_INT32")
    .Attr("Tseed: {int32, int64} = DT_INT64")
    .Attr("mode: {'fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'} = 'fan_in'")
    .Attr(
        "distribution: {'truncated_normal', 'untruncated_normal', 'uniform'} = "
        "'truncated_normal'")
    .Attr("input_axes: list(int) = []")
    .Attr("output_axes: list(int) = []")
    .Attr("batch: bool = false")
    .Attr("axes_given: bool = false")
    .Attr("stream: {'vsinit', 'tensorflow', 'keras_3'} = 'vsinit'")
    .SetIsStateful()
    .SetShapeFn(CheckResource)
    .Doc(R"doc(
Gives a variable the values that VsinitStatelessVarianceScaling draws.

The op writes them into the variable's buffer. It allocates another buffer only
if a tensor shares that one, or if the variable has none yet. All other inputs
and the attributes are those of VsinitStatelessVarianceScaling.

resource: Handle of the variable, of the dtype and shape that the call draws.
)doc");

}  // namespace tf_vsinit

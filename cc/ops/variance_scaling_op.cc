// The op VsinitStatelessVarianceScaling: its interface and shape function.

#include <cstdint>
#include <vector>

#include "cc/ops/errors.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace tf_vsinit {
namespace {

using tensorflow::DT_INT32;
using tensorflow::Tensor;
using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

constexpr int kShape = 0, kSeed = 1, kBegin = 2, kSize = 3, kScale = 4;

// The extent of one axis of the output, as far as it is known.
absl::Status BoxExtent(InferenceContext* c, int axis, DimensionHandle full,
                       DimensionHandle begin, int64_t size,
                       DimensionHandle* extent) {
  const bool bounded = c->ValueKnown(full) && c->ValueKnown(begin);
  const int64_t room = bounded ? c->Value(full) - c->Value(begin) : 0;
  if (bounded && (room < 0 || size > room)) {
    return InvalidArgument("begin[", axis, "] + size[", axis,
                           "] must not exceed shape[", axis,
                           "] = ", c->Value(full), ", got begin ",
                           c->Value(begin), " and size ", size);
  }
  if (size >= 0) {
    *extent = c->MakeDim(size);
  } else {
    *extent = bounded ? c->MakeDim(room) : c->UnknownDim();
  }
  return absl::OkStatus();
}

// A size tensor that is known: -1 can be told from "not known".
absl::Status ShapeOfKnownSize(InferenceContext* c, const Tensor& size,
                              ShapeHandle* output) {
  ShapeHandle full, begin;
  TF_RETURN_IF_ERROR(c->MakeShapeFromShapeTensor(kShape, &full));
  TF_RETURN_IF_ERROR(c->MakeShapeFromShapeTensor(kBegin, &begin));
  const int rank = static_cast<int>(size.NumElements());
  std::vector<DimensionHandle> extents(rank);
  for (int axis = 0; axis < rank; ++axis) {
    const int64_t value = size.dtype() == DT_INT32 ? size.flat<int32_t>()(axis)
                                                   : size.flat<int64_t>()(axis);
    if (value < -1) {
      return InvalidArgument("size[", axis,
                             "] must be -1 (to the end) or more, got ", value);
    }
    const auto dim = [&](ShapeHandle shape) {
      return c->RankKnown(shape) ? c->Dim(shape, axis) : c->UnknownDim();
    };
    TF_RETURN_IF_ERROR(
        BoxExtent(c, axis, dim(full), dim(begin), value, &extents[axis]));
  }
  *output = c->MakeShape(extents);
  return absl::OkStatus();
}

absl::Status InferShape(InferenceContext* c) {
  ShapeHandle vector, ignored;
  DimensionHandle rank = c->UnknownDim();
  for (int input : {kShape, kBegin, kSize}) {
    if (!c->WithRank(c->input(input), 1, &vector).ok() ||
        !c->Merge(rank, c->Dim(vector, 0), &rank).ok()) {
      return InvalidArgument(
          "shape, begin and size must be vectors of one length, got shapes ",
          c->DebugString(c->input(kShape)), ", ",
          c->DebugString(c->input(kBegin)), " and ",
          c->DebugString(c->input(kSize)));
    }
  }
  bool batch;
  TF_RETURN_IF_ERROR(c->GetAttr("batch", &batch));
  const ShapeHandle pair = c->Vector(2);
  const ShapeHandle pairs = c->Matrix(InferenceContext::kUnknownDim, 2);
  ShapeHandle seed;
  if (!c->Merge(c->input(kSeed), batch ? pairs : pair, &seed).ok()) {
    return InvalidArgument("seed must have shape ", batch ? "[n, 2]" : "[2]",
                           ", got ", c->DebugString(c->input(kSeed)));
  }
  if (!c->WithRank(c->input(kScale), 0, &ignored).ok()) {
    return InvalidArgument("scale must be a scalar, got shape ",
                           c->DebugString(c->input(kScale)));
  }

  ShapeHandle output;
  if (const Tensor* size = c->input_tensor(kSize)) {
    TF_RETURN_IF_ERROR(ShapeOfKnownSize(c, *size, &output));
  } else {
    TF_RETURN_IF_ERROR(c->MakeShapeFromShapeTensor(kSize, &output));
    if (!c->RankKnown(output) && c->ValueKnown(rank)) {
      output = c->UnknownShapeOfRank(c->Value(rank));
    }
  }
  if (batch) {
    TF_RETURN_IF_ERROR(
        c->Concatenate(c->Vector(c->Dim(seed, 0)), output, &output));
  }
  c->set_output(0, output);
  return absl::OkStatus();
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
    .SetShapeFn(InferShape)
    .Doc(R"doc(
Draws a box of a variance-scaled random tensor.

Element i (row-major in the full shape) is a pure function of seed, dtype,
distribution, scale, fans and i, so any box has the values of the whole.

shape: Full shape of the variable, [rank].
seed: Two integers, [2]; for a batch, [n, 2].
begin: First element of the box along each axis, [rank].
size: Extent of the box along each axis, [rank]; -1 means to the end.
scale: Positive scaling factor.
output: The box; for a batch, one box for each seed, along a new first axis.
mode: What the scale is divided by.
distribution: What is drawn.
input_axes: Axes counted as input units; with output_axes empty too, the last
  two axes are input and output units and all others the receptive field.
output_axes: Axes counted as output units.
batch: Whether to draw for several seeds at once.
)doc");

}  // namespace tf_vsinit

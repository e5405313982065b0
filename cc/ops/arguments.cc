// Reads and checks the arguments of the ops.

#include "cc/ops/arguments.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/ops/check_rows.h"
#include "cc/ops/draw.h"
#include "cc/ops/errors.h"
#include "cc/stream/floating_point.h"

namespace tf_vsinit {
namespace {

using tensorflow::DataType;
using tensorflow::OpKernelContext;
using tensorflow::PartialTensorShape;
using tensorflow::Tensor;
using tensorflow::TensorShape;

// More than any memory holds, and few enough to count their bytes in int64.
constexpr int64_t kMostElements = int64_t{1} << 60;

absl::Status CheckAxes(const char* name, const std::vector<int64_t>& axes,
                       const std::vector<int64_t>& shape) {
  const int64_t rank = static_cast<int64_t>(shape.size());
  for (int64_t axis : axes) {
    if (axis < -rank || axis >= rank) {
      return InvalidArgument(name, " must be axes of shape ", ListOf(shape),
                             ", from ", -rank, " to ", rank - 1, ", got ",
                             ListOf(axes));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Fans> CheckedFans(const Attributes& attributes,
                                 const std::vector<int64_t>& shape) {
  // The product of no axes is 1.
  if (attributes.axes_given && attributes.input_axes.empty() &&
      attributes.output_axes.empty()) {
    return Fans{1, 1};
  }
  const auto& input_axes = attributes.input_axes;
  const auto& output_axes = attributes.output_axes;
  TF_RETURN_IF_ERROR(CheckAxes("input_axes", input_axes, shape));
  TF_RETURN_IF_ERROR(CheckAxes("output_axes", output_axes, shape));
  Fans fans;
  if (!ComputeFans(shape, input_axes, output_axes, &fans)) {
    return InvalidArgument("the fans must be below 2^63, got shape ",
                           ListOf(shape), " with input_axes ",
                           ListOf(input_axes), " and output_axes ",
                           ListOf(output_axes));
  }
  return fans;
}

double LargestOf(DataType dtype) {
  switch (dtype) {
    case tensorflow::DT_HALF:
      return 65504.0;
    case tensorflow::DT_BFLOAT16:
      return 0x1.FEp127;
    case tensorflow::DT_FLOAT:
      return std::numeric_limits<float>::max();
    default:
      return std::numeric_limits<double>::max();
  }
}

// The limit or standard deviation for a checked shape. Refuses a scale whose
// values the dtype could not hold.
absl::StatusOr<double> CheckedLimitOrStddev(const Attributes& attributes,
                                            const std::vector<int64_t>& shape,
                                            double scale) {
  const StandardFloatingPoint standard;
  if (!(scale > 0) || !std::isfinite(scale)) {
    return InvalidArgument("scale must be positive and finite, got ", scale);
  }
  TF_ASSIGN_OR_RETURN(const Fans fans, CheckedFans(attributes, shape));
  double result =
      LimitOrStddev(scale, attributes.mode, fans, attributes.distribution);
  if (attributes.float32_limit &&
      attributes.distribution == Distribution::kUniform) {
    result = static_cast<float>(result);
  }
  const bool in_float64 = attributes.dtype == tensorflow::DT_DOUBLE;
  const double largest =
      LargestMagnitude(result, attributes.distribution, in_float64);
  // A uniform also computes hi - lo. The TensorFlow stream does so in the
  // dtype, the other one in float32 or float64.
  const double range =
      attributes.distribution == Distribution::kUniform ? 2.0 * result : 0.0;
  const DataType range_dtype =
      in_float64 || attributes.stream == Stream::kTensorFlow
          ? attributes.dtype
          : tensorflow::DT_FLOAT;
  if (!(largest <= LargestOf(attributes.dtype))) {
    return InvalidArgument(
        "scale ", scale, " leads to values up to ", largest, ", which ",
        tensorflow::DataTypeString(attributes.dtype),
        " cannot hold; its largest is ", LargestOf(attributes.dtype));
  }
  if (!(range <= LargestOf(range_dtype))) {
    return InvalidArgument(
        "scale ", scale, " leads to a uniform distribution ", range,
        " wide, which ", tensorflow::DataTypeString(range_dtype),
        " cannot hold; its largest is ", LargestOf(range_dtype));
  }
  return result;
}

// Appends extents, -1 where not known. False if there are too many, or too many
// elements.
bool Append(absl::Span<const int64_t> extents, PartialTensorShape* shape) {
  for (const int64_t extent : extents) {
    if (!shape->AddDimWithStatus(extent).ok()) return false;
  }
  return shape->num_elements() < kMostElements;
}

// Reads and checks begin and size, and completes the call.
absl::Status ReadBox(const Attributes& attributes, OpKernelContext* context,
                     std::vector<int64_t> shape, double scale,
                     CheckedCall* call) {
  const Tensor *begin, *size;
  TF_RETURN_IF_ERROR(context->input("begin", &begin));
  TF_RETURN_IF_ERROR(context->input("size", &size));
  TF_ASSIGN_OR_RETURN(auto begin_vector, ReadVector("begin", *begin));
  TF_ASSIGN_OR_RETURN(auto size_vector, ReadVector("size", *size));
  TF_ASSIGN_OR_RETURN(call->draw, CheckedDraw(attributes, std::move(shape),
                                              std::move(begin_vector),
                                              std::move(size_vector), scale));
  TF_ASSIGN_OR_RETURN(
      const PartialTensorShape output,
      OutputShape(attributes.batch, call->seeds.count, call->draw.size));
  output.AsTensorShape(&call->output);
  return absl::OkStatus();
}

// Reads and checks rows, and completes the call.
absl::Status ReadRows(const Attributes& attributes, OpKernelContext* context,
                      std::vector<int64_t> shape, double scale,
                      CheckedCall* call) {
  const Tensor* rows;
  TF_RETURN_IF_ERROR(context->input("rows", &rows));
  TF_RETURN_IF_ERROR(CheckRowsShape(rows->shape().dim_sizes()));
  TF_ASSIGN_OR_RETURN(call->draw, CheckedRowsDraw(attributes, std::move(shape),
                                                  rows->NumElements(), scale));
  call->rows = {rows->data(), rows->dtype() == tensorflow::DT_INT64,
                rows->NumElements()};
  TF_RETURN_IF_ERROR(CheckRows(call->rows, call->draw.shape[0]));
  TF_ASSIGN_OR_RETURN(const PartialTensorShape output,
                      RowsOutputShape(call->draw.size));
  output.AsTensorShape(&call->output);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadAttributes(tensorflow::OpKernelConstruction* context,
                            Attributes* attributes) {
  TF_RETURN_IF_ERROR(context->GetAttr("dtype", &attributes->dtype));
  TF_RETURN_IF_ERROR(context->GetAttr("input_axes", &attributes->input_axes));
  TF_RETURN_IF_ERROR(context->GetAttr("output_axes", &attributes->output_axes));
  TF_RETURN_IF_ERROR(context->GetAttr("axes_given", &attributes->axes_given));
  attributes->lists_rows = context->def().op() == kRowsOp;
  attributes->batch = false;
  if (!attributes->lists_rows) {
    TF_RETURN_IF_ERROR(context->GetAttr("batch", &attributes->batch));
  }
  // The op's definition admits only the names below.
  std::string mode, distribution, stream;
  TF_RETURN_IF_ERROR(context->GetAttr("mode", &mode));
  TF_RETURN_IF_ERROR(context->GetAttr("distribution", &distribution));
  TF_RETURN_IF_ERROR(context->GetAttr("stream", &stream));
  attributes->mode = mode == "fan_in"    ? FanMode::kFanIn
                     : mode == "fan_out" ? FanMode::kFanOut
                     : mode == "fan_avg" ? FanMode::kFanAverage
                                         : FanMode::kFanGeometricAverage;
  attributes->distribution = distribution == "uniform" ? Distribution::kUniform
                             : distribution == "untruncated_normal"
                                 ? Distribution::kUntruncatedNormal
                                 : Distribution::kTruncatedNormal;
  attributes->stream =
      stream == "vsinit" ? Stream::kVsinit : Stream::kTensorFlow;
  attributes->float32_limit = stream == "keras_3";
  return absl::OkStatus();
}

ElementType ToElementType(DataType dtype) {
  switch (dtype) {
    case tensorflow::DT_HALF:
      return ElementType::kHalf;
    case tensorflow::DT_BFLOAT16:
      return ElementType::kBfloat16;
    case tensorflow::DT_FLOAT:
      return ElementType::kFloat;
    default:
      return ElementType::kDouble;
  }
}

absl::StatusOr<std::vector<int64_t>> ReadVector(const char* name,
                                                const Tensor& tensor) {
  if (tensor.dims() != 1) {
    return InvalidArgument(name, " must be a vector, got a tensor of shape ",
                           tensor.shape().DebugString());
  }
  if (tensor.NumElements() > TensorShape::MaxDimensions()) {
    return InvalidArgument(
        name, " must have at most ", TensorShape::MaxDimensions(),
        " entries, one for each axis, got ", tensor.NumElements());
  }
  std::vector<int64_t> values(tensor.NumElements());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = tensor.dtype() == tensorflow::DT_INT32
                    ? tensor.flat<int32_t>()(i)
                    : tensor.flat<int64_t>()(i);
  }
  return values;
}

absl::StatusOr<double> ReadScalar(const char* name, const Tensor& tensor) {
  if (tensor.dims() != 0) {
    return InvalidArgument(name, " must be a scalar, got a tensor of shape ",
                           tensor.shape().DebugString());
  }
  return tensor.scalar<double>()();
}

absl::Status CheckRank(int64_t rank, bool batch) {
  const int64_t most = TensorShape::MaxDimensions() - (batch ? 1 : 0);
  if (rank <= most) return absl::OkStatus();
  return InvalidArgument("shape must have at most ", most, " axes",
                         batch ? " for a batch of seeds" : "", ", got ", rank);
}

absl::Status CheckShape(absl::Span<const int64_t> shape) {
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] < 0) {
      return InvalidArgument("shape[", axis, "] must not be negative, got ",
                             shape[axis], " in shape ", ListOf(shape));
    }
  }
  if (HasCount(shape)) return absl::OkStatus();
  return InvalidArgument(
      "shape must have fewer than 2^63 elements, axes of extent 0 left out, "
      "got ",
      ListOf(shape));
}

absl::Status CheckAxis(size_t axis, int64_t shape, int64_t begin,
                       int64_t* size) {
  if (begin < 0 || begin > shape) {
    return InvalidArgument("begin[", axis, "] must be from 0 to shape[", axis,
                           "] = ", shape, ", got ", begin);
  }
  const int64_t room = shape - begin;
  if (*size < -1 || *size > room) {
    return InvalidArgument("size[", axis, "] must be -1 (to the end) or from",
                           " 0 to shape[", axis, "] - begin[", axis,
                           "] = ", room, ", got ", *size);
  }
  if (*size == -1) *size = room;
  return absl::OkStatus();
}

absl::Status CheckSeedShape(bool batch, absl::Span<const int64_t> shape) {
  const size_t rank = batch ? 2 : 1;
  if (shape.size() == rank && shape.back() == 2) return absl::OkStatus();
  return InvalidArgument("seed must have shape ", batch ? "[n, 2]" : "[2]",
                         ", got ", ListOf(shape));
}

absl::StatusOr<PartialTensorShape> OutputShape(bool batch, int64_t seeds,
                                               absl::Span<const int64_t> size) {
  PartialTensorShape shape(absl::Span<const int64_t>{});
  if ((!batch || shape.AddDimWithStatus(seeds).ok()) && Append(size, &shape)) {
    return shape;
  }
  return InvalidArgument(
      "size must cut out fewer than 2^60 elements, got ", ListOf(size),
      batch ? absl::StrCat(" for each of ", seeds, " seeds") : "");
}

absl::StatusOr<PartialTensorShape> RowsOutputShape(
    absl::Span<const int64_t> size) {
  PartialTensorShape shape(absl::Span<const int64_t>{});
  if (Append(size, &shape)) return shape;
  return InvalidArgument("rows must ask for fewer than 2^60 elements, got ",
                         size[0], " rows of shape ", ListOf(size.subspan(1)));
}

absl::Status CheckTableRank(int64_t rank) {
  if (rank > 0) return CheckRank(rank, /*batch=*/false);
  return InvalidArgument(
      "shape must have at least one axis, whose coordinates are the rows, got "
      "[]");
}

absl::Status CheckRowsShape(absl::Span<const int64_t> shape) {
  if (shape.size() == 1) return absl::OkStatus();
  return InvalidArgument("rows must be a vector, got a tensor of shape ",
                         ListOf(shape));
}

absl::StatusOr<Draw> CheckedDraw(const Attributes& attributes,
                                 std::vector<int64_t> shape,
                                 std::vector<int64_t> begin,
                                 std::vector<int64_t> size, double scale) {
  TF_RETURN_IF_ERROR(CheckRank(shape.size(), attributes.batch));
  TF_RETURN_IF_ERROR(CheckShape(shape));
  if (begin.size() != shape.size() || size.size() != shape.size()) {
    return InvalidArgument(
        "begin and size must have one entry per axis of shape ", ListOf(shape),
        ", got begin ", ListOf(begin), " and size ", ListOf(size));
  }
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    TF_RETURN_IF_ERROR(CheckAxis(axis, shape[axis], begin[axis], &size[axis]));
  }
  TF_ASSIGN_OR_RETURN(const double limit_or_stddev,
                      CheckedLimitOrStddev(attributes, shape, scale));
  return Draw{attributes.distribution, attributes.stream, limit_or_stddev,
              std::move(shape),        std::move(begin),  std::move(size)};
}

absl::StatusOr<Draw> CheckedRowsDraw(const Attributes& attributes,
                                     std::vector<int64_t> shape, int64_t rows,
                                     double scale) {
  TF_RETURN_IF_ERROR(CheckTableRank(shape.size()));
  TF_RETURN_IF_ERROR(CheckShape(shape));
  TF_ASSIGN_OR_RETURN(const double limit_or_stddev,
                      CheckedLimitOrStddev(attributes, shape, scale));
  std::vector<int64_t> begin(shape.size()), size = shape;
  size[0] = rows;
  return Draw{attributes.distribution, attributes.stream, limit_or_stddev,
              std::move(shape),        std::move(begin),  std::move(size)};
}

absl::Status CheckVariable(DataType dtype, const PartialTensorShape& drawn,
                           DataType variable_dtype,
                           const PartialTensorShape& variable_shape) {
  if (dtype != variable_dtype) {
    return InvalidArgument("dtype must be the variable's, ",
                           tensorflow::DataTypeString(variable_dtype), ", got ",
                           tensorflow::DataTypeString(dtype));
  }
  if (!variable_shape.IsCompatibleWith(drawn)) {
    return InvalidArgument("size must be the variable's shape ",
                           variable_shape.DebugString(), ", got ",
                           drawn.DebugString());
  }
  return absl::OkStatus();
}

absl::StatusOr<CheckedCall> ReadCall(const Attributes& attributes,
                                     OpKernelContext* context) {
  const Tensor *shape, *seed, *scale;
  TF_RETURN_IF_ERROR(context->input("shape", &shape));
  TF_RETURN_IF_ERROR(context->input("seed", &seed));
  TF_RETURN_IF_ERROR(context->input("scale", &scale));
  TF_ASSIGN_OR_RETURN(auto shape_vector, ReadVector("shape", *shape));
  TF_RETURN_IF_ERROR(
      CheckSeedShape(attributes.batch, seed->shape().dim_sizes()));
  TF_ASSIGN_OR_RETURN(const double scale_value, ReadScalar("scale", *scale));

  CheckedCall call;
  call.seeds = {seed->data(), seed->dtype() == tensorflow::DT_INT64,
                seed->NumElements() / 2};
  TF_RETURN_IF_ERROR(attributes.lists_rows
                         ? ReadRows(attributes, context,
                                    std::move(shape_vector), scale_value, &call)
                         : ReadBox(attributes, context, std::move(shape_vector),
                                   scale_value, &call));
  return call;
}

}  // namespace tf_vsinit

// Reading and checking what one call of the op asks for.

#include "cc/ops/draw.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/ops/errors.h"
#include "cc/stream/box.h"
#include "cc/stream/floating_point.h"

namespace tf_vsinit {
namespace {

using tensorflow::DataType;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

// Far beyond any memory, and their bytes can be counted in int64.
constexpr int64_t kMostElements = int64_t{1} << 60;

std::string ListOf(absl::Span<const int64_t> values) {
  return absl::StrCat("[", absl::StrJoin(values, ", "), "]");
}

absl::StatusOr<std::vector<int64_t>> ReadVector(OpKernelContext* context,
                                                const char* name) {
  const Tensor* tensor;
  TF_RETURN_IF_ERROR(context->input(name, &tensor));
  return CheckedVector(name, *tensor);
}

std::vector<int64_t> Integers(const Tensor& tensor) {
  std::vector<int64_t> values(tensor.NumElements());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = tensor.dtype() == tensorflow::DT_INT32
                    ? tensor.flat<int32_t>()(i)
                    : tensor.flat<int64_t>()(i);
  }
  return values;
}

absl::StatusOr<Seeds> ReadSeeds(const DrawAttributes& attributes,
                                OpKernelContext* context) {
  const Tensor* tensor;
  TF_RETURN_IF_ERROR(context->input("seed", &tensor));
  TF_RETURN_IF_ERROR(CheckSeedShape(attributes, tensor->shape().dim_sizes()));
  return Seeds{tensor->data(), tensor->dtype() == tensorflow::DT_INT64,
               tensor->NumElements() / 2};
}

absl::StatusOr<double> ReadScale(OpKernelContext* context) {
  const Tensor* tensor;
  TF_RETURN_IF_ERROR(context->input("scale", &tensor));
  return CheckedScalar("scale", *tensor);
}

absl::Status CheckShape(const std::vector<int64_t>& shape) {
  int64_t elements = 1;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] < 0) {
      return InvalidArgument("shape[", axis, "] must not be negative, got ",
                             shape[axis], " in shape ", ListOf(shape));
    }
    if (shape[axis] > 0 &&
        __builtin_mul_overflow(elements, shape[axis], &elements)) {
      return InvalidArgument("shape must have fewer than 2^63 elements, got ",
                             ListOf(shape));
    }
  }
  return absl::OkStatus();
}

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

absl::StatusOr<Fans> CheckedFans(const DrawAttributes& attributes,
                                 const std::vector<int64_t>& shape) {
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

}  // namespace

absl::Status ReadAttributes(tensorflow::OpKernelConstruction* context,
                            DrawAttributes* attributes) {
  TF_RETURN_IF_ERROR(context->GetAttr("dtype", &attributes->dtype));
  TF_RETURN_IF_ERROR(context->GetAttr("input_axes", &attributes->input_axes));
  TF_RETURN_IF_ERROR(context->GetAttr("output_axes", &attributes->output_axes));
  TF_RETURN_IF_ERROR(context->GetAttr("batch", &attributes->batch));
  // The op's definition admits no other names than those below.
  std::string mode, distribution;
  TF_RETURN_IF_ERROR(context->GetAttr("mode", &mode));
  TF_RETURN_IF_ERROR(context->GetAttr("distribution", &distribution));
  attributes->mode = mode == "fan_in"    ? FanMode::kFanIn
                     : mode == "fan_out" ? FanMode::kFanOut
                     : mode == "fan_avg" ? FanMode::kFanAverage
                                         : FanMode::kFanGeometricAverage;
  attributes->distribution = distribution == "uniform" ? Distribution::kUniform
                             : distribution == "untruncated_normal"
                                 ? Distribution::kUntruncatedNormal
                                 : Distribution::kTruncatedNormal;
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

absl::StatusOr<std::vector<int64_t>> CheckedVector(const char* name,
                                                   const Tensor& tensor) {
  if (tensor.dims() != 1) {
    return InvalidArgument(name, " must be a vector, got a tensor of shape ",
                           tensor.shape().DebugString());
  }
  return Integers(tensor);
}

absl::StatusOr<double> CheckedScalar(const char* name, const Tensor& tensor) {
  if (tensor.dims() != 0) {
    return InvalidArgument(name, " must be a scalar, got a tensor of shape ",
                           tensor.shape().DebugString());
  }
  return tensor.scalar<double>()();
}

absl::StatusOr<double> CheckedLimitOrStddev(const DrawAttributes& attributes,
                                            const std::vector<int64_t>& shape,
                                            double scale) {
  const StandardFloatingPoint standard;
  if (!(scale > 0) || !std::isfinite(scale)) {
    return InvalidArgument("scale must be positive and finite, got ", scale);
  }
  TF_ASSIGN_OR_RETURN(const Fans fans, CheckedFans(attributes, shape));
  const double result =
      LimitOrStddev(scale, attributes.mode, fans, attributes.distribution);
  const bool in_float64 = attributes.dtype == tensorflow::DT_DOUBLE;
  const double largest =
      LargestMagnitude(result, attributes.distribution, in_float64);
  // A uniform also computes hi - lo, in float32 or float64.
  const double range =
      attributes.distribution == Distribution::kUniform ? 2.0 * result : 0.0;
  if (!(largest <= LargestOf(attributes.dtype)) ||
      !(range <=
        LargestOf(in_float64 ? tensorflow::DT_DOUBLE : tensorflow::DT_FLOAT))) {
    return InvalidArgument(
        "scale ", scale, " leads to values up to ", largest, ", which ",
        tensorflow::DataTypeString(attributes.dtype),
        " cannot hold; its largest is ", LargestOf(attributes.dtype));
  }
  return result;
}

absl::Status CheckBox(const std::vector<int64_t>& shape,
                      const std::vector<int64_t>& begin,
                      std::vector<int64_t>* size) {
  TF_RETURN_IF_ERROR(CheckShape(shape));
  if (begin.size() != shape.size() || size->size() != shape.size()) {
    return InvalidArgument(
        "begin and size must have one entry per axis of shape ", ListOf(shape),
        ", got begin ", ListOf(begin), " and size ", ListOf(*size));
  }
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (begin[axis] < 0 || begin[axis] > shape[axis]) {
      return InvalidArgument("begin[", axis, "] must be from 0 to shape[", axis,
                             "] = ", shape[axis], ", got ", begin[axis]);
    }
    const int64_t room = shape[axis] - begin[axis];
    int64_t& extent = (*size)[axis];
    if (extent < -1 || extent > room) {
      return InvalidArgument("size[", axis, "] must be -1 (to the end) or from",
                             " 0 to shape[", axis, "] - begin[", axis,
                             "] = ", room, ", got ", extent);
    }
    if (extent == -1) extent = room;
  }
  if (Box(shape, begin, *size).count() >= uint64_t{kMostElements}) {
    return InvalidArgument("size must cut out fewer than 2^60 elements, got ",
                           ListOf(*size));
  }
  return absl::OkStatus();
}

absl::Status CheckSeedShape(const DrawAttributes& attributes,
                            absl::Span<const int64_t> shape) {
  const size_t rank = attributes.batch ? 2 : 1;
  if (shape.size() == rank && shape.back() == 2) return absl::OkStatus();
  return InvalidArgument("seed must have shape ",
                         attributes.batch ? "[n, 2]" : "[2]", ", got ",
                         ListOf(shape));
}

absl::StatusOr<TensorShape> OutputShape(const DrawAttributes& attributes,
                                        int64_t seeds,
                                        const std::vector<int64_t>& size) {
  TensorShape shape;
  if (attributes.batch) TF_RETURN_IF_ERROR(shape.AddDimWithStatus(seeds));
  for (int64_t extent : size) {
    TF_RETURN_IF_ERROR(shape.AddDimWithStatus(extent));
  }
  if (shape.num_elements() >= kMostElements) {
    return InvalidArgument("size must cut out fewer than 2^60 elements, got ",
                           ListOf(size), " for ", seeds, " seeds");
  }
  return shape;
}

absl::StatusOr<Draw> ReadDraw(const DrawAttributes& attributes,
                              OpKernelContext* context) {
  TF_ASSIGN_OR_RETURN(auto shape, ReadVector(context, "shape"));
  TF_ASSIGN_OR_RETURN(auto seeds, ReadSeeds(attributes, context));
  TF_ASSIGN_OR_RETURN(auto begin, ReadVector(context, "begin"));
  TF_ASSIGN_OR_RETURN(auto size, ReadVector(context, "size"));
  TF_ASSIGN_OR_RETURN(const double scale, ReadScale(context));
  TF_RETURN_IF_ERROR(CheckBox(shape, begin, &size));
  TF_ASSIGN_OR_RETURN(const double limit_or_stddev,
                      CheckedLimitOrStddev(attributes, shape, scale));
  TF_ASSIGN_OR_RETURN(TensorShape output,
                      OutputShape(attributes, seeds.count, size));
  return Draw{
      seeds,           limit_or_stddev,  std::move(shape), std::move(begin),
      std::move(size), std::move(output)};
}

}  // namespace tf_vsinit

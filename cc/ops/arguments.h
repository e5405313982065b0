// Reads and checks the arguments of the ops.

#ifndef TF_VSINIT_CC_OPS_ARGUMENTS_H_
#define TF_VSINIT_CC_OPS_ARGUMENTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cc/ops/draw.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element_type.h"
#include "cc/stream/rows.h"
#include "cc/stream/sampler.h"
#include "cc/stream/scale.h"
#include "cc/stream/seeds.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/framework/types.h"

namespace tf_vsinit {

// The ops. The second draws listed rows: instead of begin and size it takes
// rows, and has no batch.
inline constexpr char kOp[] = "VsinitStatelessVarianceScaling";
inline constexpr char kRowsOp[] = "VsinitStatelessVarianceScalingRows";

// The op and the attributes of a node.
struct Attributes {
  tensorflow::DataType dtype;
  FanMode mode;
  Distribution distribution;
  Stream stream;
  bool float32_limit;  // rounds the limit of a uniform to float32
  std::vector<int64_t> input_axes;
  std::vector<int64_t> output_axes;
  bool axes_given;
  bool batch;
  bool lists_rows;  // whether the op is kRowsOp
};

// The attributes and inputs of one call, checked.
struct CheckedCall {
  Draw draw;
  Seeds seeds;  // in the memory of the op's input
  Rows rows;    // likewise; without integers if the op lists none
  tensorflow::TensorShape output;
};

// The functions below return InvalidArgument for a bad argument, with its name
// and value.

// Reads the attributes of the node under construction.
absl::Status ReadAttributes(tensorflow::OpKernelConstruction* context,
                            Attributes* attributes);

// The element type of a dtype that the op accepts.
ElementType ToElementType(tensorflow::DataType dtype);

// The elements of an int32 or int64 vector, one for each axis.
absl::StatusOr<std::vector<int64_t>> ReadVector(
    const char* name, const tensorflow::Tensor& tensor);

// The element of a float64 scalar.
absl::StatusOr<double> ReadScalar(const char* name,
                                  const tensorflow::Tensor& tensor);

// Checks that there are no more axes than a tensor of TensorFlow can have.
absl::Status CheckRank(int64_t rank, bool batch);

// Checks the full shape of a variable.
absl::Status CheckShape(absl::Span<const int64_t> shape);

// Checks the box along one axis of a checked shape, and replaces a size of -1.
absl::Status CheckAxis(size_t axis, int64_t shape, int64_t begin,
                       int64_t* size);

// Checks the shape of the seeds: [2], or [n, 2] for a batch.
absl::Status CheckSeedShape(bool batch, absl::Span<const int64_t> shape);

// The output's shape: `size`, after the number of seeds if they are a batch. An
// extent of -1 is one that is not known.
absl::StatusOr<tensorflow::PartialTensorShape> OutputShape(
    bool batch, int64_t seeds, absl::Span<const int64_t> size);

// Checks the box and the scale. `size` may have -1.
absl::StatusOr<Draw> CheckedDraw(const Attributes& attributes,
                                 std::vector<int64_t> shape,
                                 std::vector<int64_t> begin,
                                 std::vector<int64_t> size, double scale);

// The shape of the output for rows: `size`, which starts with their number. An
// extent of -1 is one that is not known.
absl::StatusOr<tensorflow::PartialTensorShape> RowsOutputShape(
    absl::Span<const int64_t> size);

// Checks the number of axes of a table of rows.
absl::Status CheckTableRank(int64_t rank);

// Checks that rows are a vector, from the shape of the input.
absl::Status CheckRowsShape(absl::Span<const int64_t> shape);

// Checks the table and the scale, for a number of rows.
absl::StatusOr<Draw> CheckedRowsDraw(const Attributes& attributes,
                                     std::vector<int64_t> shape, int64_t rows,
                                     double scale);

// Checks that a variable can hold what a call draws.
absl::Status CheckVariable(
    tensorflow::DataType dtype, const tensorflow::PartialTensorShape& drawn,
    tensorflow::DataType variable_dtype,
    const tensorflow::PartialTensorShape& variable_shape);

// Reads and checks the inputs of a kernel.
absl::StatusOr<CheckedCall> ReadCall(const Attributes& attributes,
                                     tensorflow::OpKernelContext* context);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_ARGUMENTS_H_

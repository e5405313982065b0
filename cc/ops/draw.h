// What one call of the op asks for, read from its attributes and inputs and
// checked.

#ifndef TF_VSINIT_CC_OPS_DRAW_H_
#define TF_VSINIT_CC_OPS_DRAW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cc/stream/element_type.h"
#include "cc/stream/scale.h"
#include "cc/stream/seeds.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/framework/types.h"

namespace tf_vsinit {

// The op's attributes.
struct DrawAttributes {
  tensorflow::DataType dtype;
  FanMode mode;
  Distribution distribution;
  std::vector<int64_t> input_axes;
  std::vector<int64_t> output_axes;
  bool batch;
};

// What to draw: the box [begin, begin + size) of a variable of `shape`, for
// each seed in turn. Without a batch there is one seed.
struct Draw {
  Seeds seeds;  // in the memory of the op's input
  double limit_or_stddev;
  std::vector<int64_t> shape;
  std::vector<int64_t> begin;
  std::vector<int64_t> size;  // with no -1 left
  tensorflow::TensorShape output;
};

// Reads the attributes of the node under construction.
absl::Status ReadAttributes(tensorflow::OpKernelConstruction* context,
                            DrawAttributes* attributes);

// The element type of a dtype the op accepts.
ElementType ToElementType(tensorflow::DataType dtype);

// The elements of an int32 or int64 tensor. InvalidArgument, with the name of
// the argument, if it is not a vector.
absl::StatusOr<std::vector<int64_t>> CheckedVector(
    const char* name, const tensorflow::Tensor& tensor);

// The element of a float64 tensor. InvalidArgument if it is not a scalar.
absl::StatusOr<double> CheckedScalar(const char* name,
                                     const tensorflow::Tensor& tensor);

// The limit or standard deviation of a variable. InvalidArgument for axes
// outside the shape, a scale that is not positive and finite, and values that
// the dtype could not hold.
absl::StatusOr<double> CheckedLimitOrStddev(const DrawAttributes& attributes,
                                            const std::vector<int64_t>& shape,
                                            double scale);

// Checks the shape of the seeds. InvalidArgument if it is not [2], or [n, 2]
// for a batch.
absl::Status CheckSeedShape(const DrawAttributes& attributes,
                            absl::Span<const int64_t> shape);

// Checks the box that begin and size cut out of shape, and replaces -1 in size.
// InvalidArgument, naming the argument, for whatever is wrong.
absl::Status CheckBox(const std::vector<int64_t>& shape,
                      const std::vector<int64_t>& begin,
                      std::vector<int64_t>* size);

// The output's shape: size, after the number of seeds if they are a batch.
// InvalidArgument if it has too many elements.
absl::StatusOr<tensorflow::TensorShape> OutputShape(
    const DrawAttributes& attributes, int64_t seeds,
    const std::vector<int64_t>& size);

// Reads and checks the inputs shape, seed, begin, size and scale, in this
// order.
absl::StatusOr<Draw> ReadDraw(const DrawAttributes& attributes,
                              tensorflow::OpKernelContext* context);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_DRAW_H_

// The fans of a shape, and the limit or standard deviation that follows.
//
// Glorot and Bengio, AISTATS 2010; He, Zhang, Ren and Sun, ICCV 2015; LeCun,
// Bottou, Orr and Mueller, "Efficient BackProp", 1998. Fans are counted as
// Keras counts them.

#ifndef TF_VSINIT_CC_STREAM_SCALE_H_
#define TF_VSINIT_CC_STREAM_SCALE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cc/stream/distributions.h"

namespace tf_vsinit {

enum class FanMode { kFanIn, kFanOut, kFanAverage, kFanGeometricAverage };

struct Fans {
  int64_t in;
  int64_t out;
};

// Sets the product of axis sizes; false if it does not fit int64. An empty axis
// makes the product zero, wherever it stands and however long the others are.
inline bool SizesProduct(const std::vector<int64_t>& sizes, int64_t* product) {
  *product = std::count(sizes.begin(), sizes.end(), 0) > 0 ? 0 : 1;
  for (int64_t size : sizes) {
    if (__builtin_mul_overflow(*product, size, product)) return false;
  }
  return true;
}

// Sets the product of the sizes along `axes`, where negative axes count from
// the end; false if it does not fit int64.
inline bool AxesProduct(const std::vector<int64_t>& shape,
                        const std::vector<int64_t>& axes, int64_t* product) {
  const int64_t rank = static_cast<int64_t>(shape.size());
  std::vector<int64_t> sizes;
  for (int64_t axis : axes) {
    sizes.push_back(shape[axis < 0 ? axis + rank : axis]);
  }
  return SizesProduct(sizes, product);
}

// Sets the fans of a shape without named axes: the last two axes are input and
// output units, and all axes before them belong to the receptive field. False
// if a fan does not fit int64.
inline bool DefaultFans(const std::vector<int64_t>& shape, Fans* fans) {
  if (shape.size() < 2) {
    fans->in = fans->out = shape.empty() ? 1 : shape[0];
    return true;
  }
  std::vector<int64_t> input = shape, output = shape;
  input.pop_back();
  output.erase(output.end() - 2);
  return SizesProduct(input, &fans->in) && SizesProduct(output, &fans->out);
}

// Sets the fans of a shape: the products along the named axes, which exist, or
// the default if none is named. False if a fan does not fit int64.
inline bool ComputeFans(const std::vector<int64_t>& shape,
                        const std::vector<int64_t>& input_axes,
                        const std::vector<int64_t>& output_axes, Fans* fans) {
  if (input_axes.empty() && output_axes.empty()) {
    return DefaultFans(shape, fans);
  }
  return AxesProduct(shape, input_axes, &fans->in) &&
         AxesProduct(shape, output_axes, &fans->out);
}

// The fan that `mode` selects.
inline double FanCount(FanMode mode, const Fans& fans) {
  switch (mode) {
    case FanMode::kFanIn:
      return static_cast<double>(fans.in);
    case FanMode::kFanOut:
      return static_cast<double>(fans.out);
    case FanMode::kFanAverage:
      // Unsigned, because the sum of two int64 can need the 64th bit.
      return static_cast<double>(static_cast<uint64_t>(fans.in) +
                                 static_cast<uint64_t>(fans.out)) /
             2.0;
    case FanMode::kFanGeometricAverage:
      return std::sqrt(static_cast<double>(fans.in) *
                       static_cast<double>(fans.out));
  }
  return 1.0;
}

// The limit of a uniform, or the standard deviation of a normal before it is
// truncated. 0.8796... is the standard deviation of a standard normal truncated
// at two.
inline double LimitOrStddev(double scale, FanMode mode, const Fans& fans,
                            Distribution distribution) {
  const double count = FanCount(mode, fans);
  const double variance = scale / (count > 1.0 ? count : 1.0);
  switch (distribution) {
    case Distribution::kUniform:
      return std::sqrt(3.0 * variance);
    case Distribution::kUntruncatedNormal:
      return std::sqrt(variance);
    case Distribution::kTruncatedNormal:
      return std::sqrt(variance) / 0.87962566103423978;
  }
  return 0.0;
}

// A bound on the absolute value of every element. The largest standard normal
// deviates are 6.34 in float32 and 9.16 in float64.
inline double LargestMagnitude(double limit_or_stddev,
                               Distribution distribution, bool in_float64) {
  switch (distribution) {
    case Distribution::kUniform:
      return limit_or_stddev;
    case Distribution::kTruncatedNormal:
      return limit_or_stddev * 2.0;
    case Distribution::kUntruncatedNormal:
      return limit_or_stddev * (in_float64 ? 9.25 : 6.5);
  }
  return limit_or_stddev;
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_SCALE_H_

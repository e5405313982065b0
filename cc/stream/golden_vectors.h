// Reads the files of tests/golden for tests. Their headers describe the lines.

#ifndef TF_VSINIT_CC_STREAM_GOLDEN_VECTORS_H_
#define TF_VSINIT_CC_STREAM_GOLDEN_VECTORS_H_

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/portability.h"
#include "cc/stream/sampler.h"
#include "cc/stream/scale.h"

namespace tf_vsinit {

// One line: its fields before "=", without the kind, and after "=".
struct GoldenVector {
  Stream stream;
  std::string line;
  std::vector<std::string> arguments;
  std::vector<std::string> results;
};

// All vectors of one kind, of both streams. Throws if there are none.
inline std::vector<GoldenVector> GoldenVectors(const std::string& kind) {
  std::vector<GoldenVector> vectors;
  for (const Stream stream : {Stream::kVsinit, Stream::kTensorFlow}) {
    std::ifstream file(stream == Stream::kVsinit
                           ? "tests/golden/stream_v1.txt"
                           : "tests/golden/stream_tensorflow.txt");
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string field;
      if (!(fields >> field) || field != kind) continue;
      GoldenVector vector{stream, line, {}, {}};
      while (fields >> field && field != "=") vector.arguments.push_back(field);
      while (fields >> field) vector.results.push_back(field);
      vectors.push_back(vector);
    }
  }
  if (vectors.empty()) {
    throw std::runtime_error("no vectors \"" + kind + "\" in tests/golden");
  }
  return vectors;
}

// Fields of a line.

inline uint64_t HexField(const std::string& field) {
  return std::stoull(field, nullptr, 16);
}

inline double DoubleField(const std::string& field) {
  return BitCast<double>(HexField(field));
}

inline std::vector<int64_t> ListField(const std::string& field) {
  std::vector<int64_t> list;
  if (field == "-") return list;
  std::istringstream items(field);
  std::string item;
  while (std::getline(items, item, ',')) list.push_back(std::stoll(item));
  return list;
}

inline Distribution DistributionField(const std::string& field) {
  if (field == "truncated_normal") return Distribution::kTruncatedNormal;
  if (field == "untruncated_normal") return Distribution::kUntruncatedNormal;
  if (field == "uniform") return Distribution::kUniform;
  throw std::runtime_error("unknown distribution: " + field);
}

inline FanMode FanModeField(const std::string& field) {
  if (field == "fan_in") return FanMode::kFanIn;
  if (field == "fan_out") return FanMode::kFanOut;
  if (field == "fan_avg") return FanMode::kFanAverage;
  if (field == "fan_geo_avg") return FanMode::kFanGeometricAverage;
  throw std::runtime_error("unknown mode: " + field);
}

// Calls `function` with a value of the element type named by the field.
template <typename Function>
void WithElementType(const std::string& field, const Function& function) {
  if (field == "float16") {
    function(Half());
  } else if (field == "bfloat16") {
    function(Bfloat16());
  } else if (field == "float32") {
    function(0.0f);
  } else if (field == "float64") {
    function(0.0);
  } else {
    throw std::runtime_error("unknown element type: " + field);
  }
}

// The bits of a value, in 64 bits.
inline uint64_t BitsOf(Half value) { return value.bits; }
inline uint64_t BitsOf(Bfloat16 value) { return value.bits; }
inline uint64_t BitsOf(float value) { return BitCast<uint32_t>(value); }
inline uint64_t BitsOf(double value) { return BitCast<uint64_t>(value); }

// The fans of an "op" or a "scale" line. Throws if they do not fit int64.
inline Fans FansOfFields(const std::vector<int64_t>& shape,
                         const std::vector<int64_t>& input_axes,
                         const std::vector<int64_t>& output_axes) {
  Fans fans = {};
  if (!ComputeFans(shape, input_axes, output_axes, &fans)) {
    throw std::runtime_error("fans do not fit int64");
  }
  return fans;
}

// The box of an "element" or an "op" line.
struct GoldenDraw {
  std::string type;
  Sampler sampler;
  std::vector<int64_t> shape, begin, size;
};

inline GoldenDraw ElementDraw(const GoldenVector& vector) {
  const auto& field = vector.arguments;
  const int64_t first = std::stoll(field.at(5));
  const int64_t count = static_cast<int64_t>(vector.results.size());
  return {
      field.at(0),
      {DeriveStreamKey(std::stoll(field.at(3)), std::stoll(field.at(4))),
       DistributionField(field.at(1)), DoubleField(field.at(2)), vector.stream},
      {INT64_MAX},
      {first},
      {count}};
}

inline GoldenDraw OpDraw(const GoldenVector& vector) {
  const auto& field = vector.arguments;
  const auto shape = ListField(field.at(6));
  const auto distribution = DistributionField(field.at(1));
  const Fans fans =
      FansOfFields(shape, ListField(field.at(9)), ListField(field.at(10)));
  return {field.at(0),
          {DeriveStreamKey(std::stoll(field.at(4)), std::stoll(field.at(5))),
           distribution,
           LimitOrStddev(DoubleField(field.at(3)), FanModeField(field.at(2)),
                         fans, distribution),
           vector.stream},
          shape,
          ListField(field.at(7)),
          ListField(field.at(8))};
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_GOLDEN_VECTORS_H_

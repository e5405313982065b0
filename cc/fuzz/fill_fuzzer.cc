// Fuzzes the fill: any sampler, box and positions give the bits of ElementAt,
// in any rounding mode, and nothing else is written.

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "cc/cpu/fill.h"
#include "cc/cpu/instruction_set.h"
#include "cc/fuzz/input.h"
#include "cc/stream/box.h"
#include "cc/stream/element.h"
#include "cc/stream/element_type.h"
#include "cc/stream/rows.h"

namespace tf_vsinit {
namespace {

constexpr ElementType kTypes[] = {ElementType::kHalf, ElementType::kBfloat16,
                                  ElementType::kFloat, ElementType::kDouble};
constexpr Distribution kDistributions[] = {Distribution::kTruncatedNormal,
                                           Distribution::kUntruncatedNormal,
                                           Distribution::kUniform};
constexpr Stream kStreams[] = {Stream::kVsinit, Stream::kTensorFlow};
constexpr Reuse kReuses[] = {Reuse::kSoon, Reuse::kNotSoon};
constexpr int kRoundingModes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
                                  FE_TOWARDZERO};
constexpr uint64_t kMostElements = 8192;

// A limit or standard deviation that is zero, subnormal or normal, and whose
// values the type can hold.
double TakeLimitOrStddev(FuzzInput& input, ElementType type) {
  const int highest = type == ElementType::kHalf     ? 10
                      : type == ElementType::kDouble ? 1000
                                                     : 100;
  const double mantissa = input.Take<uint32_t>() * 0x1p-32;
  return std::ldexp(mantissa, highest - input.Take<uint16_t>() % 2100);
}

// A box of at most kMostElements elements, in a shape with fewer than 2^62. An
// axis of the box may be as long as that of the shape.
Box TakeBox(FuzzInput& input) {
  const size_t rank = input.Below(5);
  std::vector<int64_t> shape, begin, size;
  uint64_t room_in_shape = uint64_t{1} << 62;
  uint64_t room_in_box = kMostElements;
  for (size_t axis = 0; axis < rank; ++axis) {
    const uint64_t extent =
        (input.OneIn(4) ? input.Take<uint64_t>() : input.Take<uint8_t>()) %
        room_in_shape;
    const uint64_t first =
        input.OneIn(2) ? input.Take<uint64_t>() % (extent + 1) : 0;
    const uint64_t most = std::min(extent - first, room_in_box);
    const uint64_t count =
        input.OneIn(2) ? input.Take<uint16_t>() % (most + 1) : most;
    shape.push_back(static_cast<int64_t>(extent));
    begin.push_back(static_cast<int64_t>(first));
    size.push_back(static_cast<int64_t>(count));
    room_in_shape /= std::max(extent, uint64_t{1});
    room_in_box /= std::max(count, uint64_t{1});
  }
  return Box(shape, begin, size);
}

// Row numbers, in memory that holds nothing else.
struct RowNumbers {
  std::vector<int32_t> narrow;
  std::vector<int64_t> wide;

  Rows AsRows() const {
    return wide.empty()
               ? Rows{narrow.data(), false, static_cast<int64_t>(narrow.size())}
               : Rows{wide.data(), true, static_cast<int64_t>(wide.size())};
  }
};

RowNumbers TakeRows(FuzzInput& input, int64_t row_size) {
  RowNumbers rows;
  const size_t count = 1 + input.Below(64);
  const bool are_int64 = input.OneIn(2);
  for (size_t i = 0; i < count; ++i) {
    if (are_int64) {
      const uint64_t table = (uint64_t{1} << 62) / row_size;
      rows.wide.push_back(input.Take<uint64_t>() % table);
    } else {
      rows.narrow.push_back(input.Take<uint16_t>());
    }
  }
  return rows;
}

template <typename T>
bool IsElement(const Sampler& sampler, uint64_t index, const char* bytes) {
  const T element = ElementAt<T>(sampler, index);
  return std::memcmp(&element, bytes, sizeof(element)) == 0;
}

bool IsElement(const Sampler& sampler, ElementType type, uint64_t index,
               const char* bytes) {
  switch (type) {
    case ElementType::kHalf:
      return IsElement<Half>(sampler, index, bytes);
    case ElementType::kBfloat16:
      return IsElement<Bfloat16>(sampler, index, bytes);
    case ElementType::kFloat:
      return IsElement<float>(sampler, index, bytes);
    case ElementType::kDouble:
      return IsElement<double>(sampler, index, bytes);
  }
  return false;
}

// Fills the positions that the input names, and checks the result.
void CheckFill(FuzzInput& input, const Sampler& sampler, ElementType type,
               const Box& box) {
  const uint64_t begin =
      input.OneIn(2) ? input.Take<uint16_t>() % (box.count() + 1) : 0;
  const uint64_t end =
      box.count() -
      (input.OneIn(2) ? input.Take<uint16_t>() % (box.count() - begin + 1) : 0);
  const size_t element = ElementSize(type);
  const size_t bytes = (end - begin) * element;
  constexpr size_t kGuardBytes = 128;
  constexpr char kGuard = 0x5A;
  const size_t before = kGuardBytes + element * input.Below(64);
  std::vector<char> memory(before + bytes + kGuardBytes, kGuard);
  char* const out = memory.data() + before;
  const Reuse reuse = input.OneOf(kReuses);

  const int mode = input.OneOf(kRoundingModes);
  std::fesetround(mode);
  FillBox(sampler, type, box, begin, end, out, reuse);
  Require(std::fegetround() == mode, "the rounding mode is restored");
  std::fesetround(FE_TONEAREST);

  const auto untouched = [](char byte) { return byte == kGuard; };
  Require(std::all_of(memory.data(), out, untouched), "the front is untouched");
  Require(std::all_of(out + bytes, memory.data() + memory.size(), untouched),
          "the back is untouched");
  // About 256 of many elements, which differ from input to input, and the last.
  const uint64_t step = std::max((end - begin) / 256, uint64_t{1});
  const uint64_t first = begin + input.Take<uint8_t>() % step;
  for (uint64_t position = first; position < end; position += step) {
    Require(IsElement(sampler, type, box.RunAt(position).first,
                      out + (position - begin) * element),
            "an element is that of ElementAt");
  }
  if (begin < end) {
    Require(IsElement(sampler, type, box.RunAt(end - 1).first,
                      out + bytes - element),
            "the last element is that of ElementAt");
  }
}

}  // namespace
}  // namespace tf_vsinit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  using namespace tf_vsinit;
  static const std::vector<std::string> instruction_sets = InstructionSets();
  FuzzInput input(data, bytes);
  UseInstructionSet(instruction_sets[input.Below(instruction_sets.size())]);
  const ElementType type = input.OneOf(kTypes);
  const Distribution distribution = input.OneOf(kDistributions);
  const Stream stream = input.OneOf(kStreams);
  const double limit_or_stddev = TakeLimitOrStddev(input, type);
  const int64_t seed[] = {input.Integer(), input.Integer()};
  const Sampler sampler{DeriveStreamKey(seed[0], seed[1]), distribution,
                        limit_or_stddev, stream};
  if (input.OneIn(4)) {
    const int64_t row_size = 1 + input.Below(200);
    const RowNumbers rows = TakeRows(input, row_size);
    CheckFill(input, sampler, type, Box(rows.AsRows(), row_size));
  } else {
    CheckFill(input, sampler, type, TakeBox(input));
  }
  return 0;
}

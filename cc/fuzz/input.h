// Reads the bytes of a fuzz input as arguments.

#ifndef TF_VSINIT_CC_FUZZ_INPUT_H_
#define TF_VSINIT_CC_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace tf_vsinit {

// Reads beyond the end of the input give zeros.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}

  template <typename T>
  T Take() {
    T value = {};
    const size_t taken = std::min(size_, sizeof(value));
    if (taken > 0) std::memcpy(&value, bytes_, taken);
    bytes_ += taken;
    size_ -= taken;
    return value;
  }

  // From 0 to `count` - 1.
  size_t Below(size_t count) { return Take<uint8_t>() % count; }

  // True once in `n` times, if the bytes are random.
  bool OneIn(size_t n) { return Below(n) == n - 1; }

  template <typename T, size_t kCount>
  T OneOf(const T (&values)[kCount]) {
    return values[Below(kCount)];
  }

  // Returns an integer from -1 to 14 or, one time in 16, any integer.
  int64_t Integer() {
    const uint8_t byte = Take<uint8_t>();
    return byte < 0xF0 ? byte % 16 - 1 : Take<int64_t>() >> (byte % 16 * 4);
  }

  std::vector<int64_t> Integers(size_t count) {
    std::vector<int64_t> integers(count);
    for (int64_t& integer : integers) integer = Integer();
    return integers;
  }

 private:
  const uint8_t* bytes_;
  size_t size_;
};

// Ends the process if a property does not hold.
inline void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_FUZZ_INPUT_H_

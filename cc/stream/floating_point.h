// The floating-point environment that the stream is defined in.

#ifndef TF_VSINIT_CC_STREAM_FLOATING_POINT_H_
#define TF_VSINIT_CC_STREAM_FLOATING_POINT_H_

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace tf_vsinit {

// Makes the calling thread round to nearest and keep subnormals, and restores
// its mode when destroyed. TensorFlow's threads flush subnormals to zero.
class StandardFloatingPoint {
 public:
  StandardFloatingPoint(const StandardFloatingPoint&) = delete;
  StandardFloatingPoint& operator=(const StandardFloatingPoint&) = delete;

#if defined(__x86_64__)
  StandardFloatingPoint() : saved_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~StandardFloatingPoint() { _mm_setcsr(saved_); }

 private:
  const unsigned saved_;
#elif defined(__aarch64__)
  StandardFloatingPoint() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" : : "r"(uint64_t{0}));
  }
  ~StandardFloatingPoint() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }

 private:
  uint64_t saved_;
#else
  StandardFloatingPoint() {}
#endif
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_FLOATING_POINT_H_

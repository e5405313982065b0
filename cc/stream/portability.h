// What the stream needs from a compiler, for the host and for CUDA devices.

#ifndef TF_VSINIT_CC_STREAM_PORTABILITY_H_
#define TF_VSINIT_CC_STREAM_PORTABILITY_H_

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__FAST_MATH__)
#error "The stream fixes every rounding: compile it without -ffast-math."
#endif

#if defined(__CUDACC__)
#define TF_VSINIT_HOST_DEVICE __host__ __device__
#else
#define TF_VSINIT_HOST_DEVICE
#endif

namespace tf_vsinit {

// Reinterprets the bits of a value as another trivially copyable type.
template <typename To, typename From>
TF_VSINIT_HOST_DEVICE inline To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "sizes differ");
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

// a * b + c with one rounding. All other operations of the stream round one by
// one, so its users are compiled with -ffp-contract=off (nvcc: -fmad=false).
TF_VSINIT_HOST_DEVICE inline float FusedMultiplyAdd(float a, float b, float c) {
  return ::fmaf(a, b, c);
}
TF_VSINIT_HOST_DEVICE inline double FusedMultiplyAdd(double a, double b,
                                                     double c) {
  return ::fma(a, b, c);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_PORTABILITY_H_

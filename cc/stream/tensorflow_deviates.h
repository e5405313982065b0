// The TensorFlow stream: what words become before scaling, as in TensorFlow's
// random_distributions.h on a CPU (docs/tensorflow_stream.md).
//
// Uniforms come from the low bits of a word. Normals come by Box and Muller's
// transform from pairs of words, and truncation rejects some of them.

#ifndef TF_VSINIT_CC_STREAM_TENSORFLOW_DEVIATES_H_
#define TF_VSINIT_CC_STREAM_TENSORFLOW_DEVIATES_H_

#include <cmath>
#include <cstdint>

#include "cc/stream/distributions.h"
#include "cc/stream/glibc.h"
#include "cc/stream/glibc_float64.h"
#include "cc/stream/portability.h"

namespace tf_vsinit {

// 10 bits as a float16, 7 bits as a bfloat16, in [0, 1).
TF_VSINIT_HOST_DEVICE inline float UniformHalf(uint32_t word) {
  return static_cast<float>(word & 0x3FFu) * 0x1p-10f;
}
TF_VSINIT_HOST_DEVICE inline float UniformBfloat16(uint32_t word) {
  return static_cast<float>(word & 0x7Fu) * 0x1p-7f;
}

// The two normal deviates of a pair of words, in the order of the stream.
template <typename Real>
struct NormalPair {
  Real deviate[2];
};

// The angle that a word stands for, in [0, 2 pi].
TF_VSINIT_HOST_DEVICE inline float Angle(uint32_t word) {
  return static_cast<float>(2.0 * 0x1.921fb54442d18p+1 *
                            static_cast<double>(UniformFloat(word)));
}

// The number of quarter turns that is nearest to the angle.
TF_VSINIT_HOST_DEVICE inline uint32_t QuarterTurns(uint32_t word) {
  return ((word & 0x7FFFFFu) + 0x100000u) >> 21;
}

TF_VSINIT_HOST_DEVICE inline NormalPair<float> BoxMuller(uint32_t radius_word,
                                                         uint32_t angle_word) {
  const float uniform = UniformFloat(radius_word);
  const float u = uniform < 1e-7f ? 1e-7f : uniform;
  const float radius = ::sqrtf(-2.0f * glibc::Log(u));
  const glibc::SineCosine<float> unit =
      glibc::SinCos(Angle(angle_word), QuarterTurns(angle_word));
  return {{unit.sine * radius, unit.cosine * radius}};
}

TF_VSINIT_HOST_DEVICE inline NormalPair<double> BoxMuller(uint64_t radius_word,
                                                          uint64_t angle_word) {
  const double uniform = UniformDouble(radius_word);
  const double u = uniform < 1e-7 ? 1e-7 : uniform;
  const double radius = ::sqrt(-2.0 * glibc::Log(u));
  const glibc::SineCosine<double> unit =
      glibc::SinCos(2.0 * 0x1.921fb54442d18p+1 * UniformDouble(angle_word));
  return {{unit.sine * radius, unit.cosine * radius}};
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_TENSORFLOW_DEVIATES_H_

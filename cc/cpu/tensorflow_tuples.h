// Fills normals of the TensorFlow stream one tuple at a time, for machines
// whose vectors are not used.

#ifndef TF_VSINIT_CC_CPU_TENSORFLOW_TUPLES_H_
#define TF_VSINIT_CC_CPU_TENSORFLOW_TUPLES_H_

#include <cstdint>
#include <optional>

#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/tensorflow_element.h"

namespace tf_vsinit {

// Writes positions [begin, end) of `box` to `out`.
template <typename T>
void FillNormalTuples(const Sampler& sampler, const Box& box, uint64_t begin,
                      uint64_t end, T* out) {
  if (begin == end) return;
  constexpr uint64_t kPerTuple = ElementTraits<T>::kPerBlock;
  const TensorFlowScaling<T> scaling(
      static_cast<typename ElementTraits<T>::Real>(sampler.limit_or_stddev));
  const bool truncated = sampler.distribution == Distribution::kTruncatedNormal;
  uint64_t tuple = 0;
  std::optional<NormalTuple<T>> normals;
  Box::Cursor cursor(box, begin);
  for (uint64_t position = begin; position < end; ++position) {
    const uint64_t index = cursor.run().first;
    if (!normals || index / kPerTuple != tuple) {
      tuple = index / kPerTuple;
      normals.emplace(sampler.key, truncated, tuple);
    }
    *out++ = scaling.Apply(sampler.distribution,
                           normals->deviate[index % kPerTuple]);
    cursor.Advance(1);
  }
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_TENSORFLOW_TUPLES_H_

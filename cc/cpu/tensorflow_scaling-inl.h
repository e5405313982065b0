// The scaling of the TensorFlow stream, as TensorFlowScaling in
// cc/stream/tensorflow_element.h does it.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_TENSORFLOW_SCALING_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_TENSORFLOW_SCALING_INL_H_
#undef TF_VSINIT_CC_CPU_TENSORFLOW_SCALING_INL_H_
#else
#define TF_VSINIT_CC_CPU_TENSORFLOW_SCALING_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cc/cpu/vectors-inl.h"
#include "cc/stream/distributions.h"
#include "cc/stream/tensorflow_element.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// Values rounded to an element type, and stored in it once they are. A vector
// of 16-bit elements is half as long.
template <typename T>
struct ElementRounding;

template <>
struct ElementRounding<float> {
  static constexpr DF32 d{};
  static HWY_INLINE VF32 Round(VF32 values) { return values; }
  static HWY_INLINE VF32 Stored(VF32 values) { return values; }
};

template <>
struct ElementRounding<double> {
  static constexpr DF64 d{};
  static HWY_INLINE VF64 Round(VF64 values) { return values; }
  static HWY_INLINE VF64 Stored(VF64 values) { return values; }
};

template <>
struct ElementRounding<Bfloat16> {
  static constexpr hn::Rebind<uint16_t, DF32> d{};
  static HWY_INLINE VF32 Round(VF32 values) {
    const VU32 bits = hn::BitCast(du32, values);
    const VU32 last = hn::And(hn::ShiftRight<16>(bits), hn::Set(du32, 1u));
    const VU32 sum = hn::Add(hn::Add(bits, hn::Set(du32, 0x7FFFu)), last);
    return hn::BitCast(df32, hn::And(sum, hn::Set(du32, 0xFFFF0000u)));
  }
  static HWY_INLINE hn::Vec<decltype(d)> Stored(VF32 values) {
    const VU32 bits = hn::ShiftRight<16>(hn::BitCast(du32, values));
    return hn::DemoteTo(d, hn::BitCast(hn::RebindToSigned<DU32>(), bits));
  }
};

template <>
struct ElementRounding<Half> {
  static constexpr hn::Rebind<uint16_t, DF32> d{};
  static constexpr hn::Rebind<hwy::float16_t, DF32> halves{};
  static HWY_INLINE VF32 Round(VF32 values) {
    return hn::PromoteTo(df32, hn::DemoteTo(halves, values));
  }
  static HWY_INLINE hn::Vec<decltype(d)> Stored(VF32 values) {
    return hn::BitCast(d, hn::DemoteTo(halves, values));
  }
};

// Turns words into uniforms of a 16-bit type that are not yet rounded.
template <typename T>
class TensorFlowUniformScaling {
 public:
  using V = VF32;

  explicit HWY_INLINE TensorFlowUniformScaling(double limit)
      : TensorFlowUniformScaling(
            TensorFlowScaling<T>(static_cast<float>(limit))) {}

  template <size_t kCount>
  HWY_INLINE void Apply(const VU32* HWY_RESTRICT words,
                        VF32* HWY_RESTRICT values) const {
    // The bits of the significand after the point.
    constexpr int kBits = std::is_same_v<T, Half> ? 10 : 7;
    const VU32 mask = hn::Set(du32, (1u << kBits) - 1);
    HWY_UNROLL(12)
    for (size_t i = 0; i < kCount; ++i) {
      const VF32 integers = hn::ConvertTo(
          df32,
          hn::BitCast(hn::RebindToSigned<DU32>(), hn::And(words[i], mask)));
      const VF32 deviates =
          hn::Mul(integers, hn::Set(df32, 1.0f / (1 << kBits)));
      values[i] =
          hn::Add(ElementRounding<T>::Round(hn::Mul(deviates, range_)), low_);
    }
  }

 private:
  explicit HWY_INLINE TensorFlowUniformScaling(
      const TensorFlowScaling<T>& scalar)
      : range_(hn::Set(df32, scalar.range())),
        low_(hn::Set(df32, scalar.low())) {}

  VF32 range_;
  VF32 low_;
};

// Turns normal deviates in memory into elements.
template <typename T>
class TensorFlowNormalScaling {
 public:
  using Real = typename ElementTraits<T>::Real;

  explicit HWY_INLINE TensorFlowNormalScaling(double stddev)
      : stddev_(hn::Set(
            D(), TensorFlowScaling<T>(static_cast<Real>(stddev)).stddev())) {}

  // Writes `count` elements. Deviates may be read beyond the last one, as far
  // as a vector goes.
  HWY_INLINE void Write(const Real* HWY_RESTRICT deviates, size_t count,
                        bool non_temporal, T* HWY_RESTRICT out) const {
    if (non_temporal) {
      const size_t head = std::min(count, ToAlignment(out));
      WriteVectors<false>(deviates, head, out);
      WriteVectors<true>(deviates + head, count - head, out + head);
    } else {
      WriteVectors<false>(deviates, count, out);
    }
  }

 private:
  using D = hn::ScalableTag<Real>;
  using V = hn::Vec<D>;
  using Rounding = ElementRounding<T>;
  using Lane = hn::TFromD<decltype(Rounding::d)>;
  static constexpr size_t kLanes = hn::MaxLanes(D());

  // The number of elements from `out` to the next whole vector of them.
  static HWY_INLINE size_t ToAlignment(const T* out) {
    constexpr size_t kBytes = kLanes * sizeof(T);
    return (kBytes - reinterpret_cast<uintptr_t>(out) % kBytes) % kBytes /
           sizeof(T);
  }

  template <bool kNonTemporal>
  HWY_INLINE void WriteVectors(const Real* HWY_RESTRICT deviates, size_t count,
                               T* HWY_RESTRICT out) const {
    size_t done = 0;
    for (; done + kLanes <= count; done += kLanes) {
      Lane* to = reinterpret_cast<Lane*>(out + done);
      if constexpr (kNonTemporal) {
        hn::Stream(Elements(deviates + done), Rounding::d, to);
      } else {
        hn::StoreU(Elements(deviates + done), Rounding::d, to);
      }
    }
    if (done == count) return;
    HWY_ALIGN Lane rest[kLanes];
    hn::Store(Elements(deviates + done), Rounding::d, rest);
    memcpy(out + done, rest, (count - done) * sizeof(T));
  }

  HWY_INLINE auto Elements(const Real* HWY_RESTRICT deviates) const {
    const V rounded = Rounding::Round(hn::LoadU(D(), deviates));
    const V product = Rounding::Round(hn::Mul(rounded, stddev_));
    return Rounding::Stored(hn::Add(product, hn::Zero(D())));
  }

  V stddev_;
};

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

// Names for Highway's vectors of the current target, and how many of them the
// fill works on at a time.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_VECTORS_INL_H_
#undef TF_VSINIT_CC_CPU_VECTORS_INL_H_
#else
#define TF_VSINIT_CC_CPU_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "cc/cpu/targets.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

namespace hn = hwy::HWY_NAMESPACE;

// A tag (Highway's D) for each type of lane, and its vector.
using DU32 = hn::ScalableTag<uint32_t>;
using DU64 = hn::ScalableTag<uint64_t>;
using DF32 = hn::ScalableTag<float>;
using DF64 = hn::ScalableTag<double>;
using VU32 = hn::Vec<DU32>;
using VU64 = hn::Vec<DU64>;
using VF32 = hn::Vec<DF32>;
using VF64 = hn::Vec<DF64>;
constexpr DU32 du32;
constexpr DU64 du64;
constexpr DF32 df32;
constexpr DF64 df64;

constexpr size_t kVectorBytes = hn::MaxLanes(du32) * sizeof(uint32_t);

// A group is the Philox blocks that one iteration of the fill computes: one
// block in each 64-bit lane, in several vectors whose multiplications overlap.
constexpr size_t kBlocksPerVector = hn::MaxLanes(du64);
constexpr size_t kVectorsPerGroup = HWY_TARGET == HWY_AVX3 ? 6 : 4;
constexpr size_t kBlocksPerGroup = kBlocksPerVector * kVectorsPerGroup;

// The vectors of words whose normal deviates are computed in step: one alone
// would mostly wait for its own results.
constexpr size_t kVectorsInStep = HWY_TARGET == HWY_AVX3 ? 6 : 2;

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

// Looks up rows of float64 in tables too large for registers.

// Highway's include guard: the file is read once for each target.
#if defined(TF_VSINIT_CC_CPU_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TF_VSINIT_CC_CPU_ROWS_INL_H_
#undef TF_VSINIT_CC_CPU_ROWS_INL_H_
#else
#define TF_VSINIT_CC_CPU_ROWS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "cc/cpu/vectors-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tf_vsinit {
namespace HWY_NAMESPACE {
#if TF_VSINIT_HAS_VECTORS

// The pairs of float64 at the given places, one in every 128 bits.
HWY_INLINE VF64 PairsAt(const double* const* HWY_RESTRICT places) {
  const hn::Full128<double> part;
  const auto load = [&](size_t lane)
                        HWY_ATTR { return hn::Load(part, places[lane]); };
#if HWY_TARGET == HWY_AVX3
  const hn::Half<DF64> half;
  return hn::Combine(df64, hn::Combine(half, load(6), load(4)),
                     hn::Combine(half, load(2), load(0)));
#elif HWY_TARGET == HWY_AVX2
  return hn::Combine(df64, load(2), load(0));
#else
  static_assert(kBlocksPerVector == 2, "vectors of 128 bits");
  return load(0);
#endif
}

// The columns of the rows with the numbers in `rows`. Loading two columns at a
// time is faster than gather instructions.
template <size_t kColumns, size_t kRows>
HWY_INLINE void LookUpRows(const double (&table)[kRows][kColumns], VU64 rows,
                           VF64* HWY_RESTRICT columns) {
  static_assert(kColumns % 2 == 0, "columns are loaded in pairs");
  HWY_ALIGN uint64_t numbers[kBlocksPerVector];
  hn::Store(rows, du64, numbers);
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  // Keeps the compiler from extracting the numbers from the vector instead.
  asm("" : "+m"(numbers));
#endif
  const double* places[kBlocksPerVector];
  HWY_UNROLL(8)
  for (size_t lane = 0; lane < kBlocksPerVector; ++lane) {
    places[lane] = table[numbers[lane]];
  }
  HWY_UNROLL(2)
  for (size_t column = 0; column < kColumns; column += 2) {
    const VF64 even = PairsAt(places);
    const VF64 odd = PairsAt(places + 1);
    columns[column] = hn::InterleaveLower(df64, even, odd);
    columns[column + 1] = hn::InterleaveUpper(df64, even, odd);
    HWY_UNROLL(8)
    for (size_t lane = 0; lane < kBlocksPerVector; ++lane) places[lane] += 2;
  }
}

#endif  // TF_VSINIT_HAS_VECTORS
}  // namespace HWY_NAMESPACE
}  // namespace tf_vsinit
HWY_AFTER_NAMESPACE();

#endif  // include guard

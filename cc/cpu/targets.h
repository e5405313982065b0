// The instruction sets that the fill is compiled for. Include this before any
// header of Highway.

#ifndef TF_VSINIT_CC_CPU_TARGETS_H_
#define TF_VSINIT_CC_CPU_TARGETS_H_

// SVE vectors have no size at compile time, so no array can hold them; every
// SVE machine also runs NEON. AVX3_DL adds nothing that the fill uses, nor do
// the further kinds of AVX-512 in Highways after 1.0.3. SSSE3 and SSE4 have no
// FMA instruction, and the scalar path serves those machines.
#define HWY_DISABLED_TARGETS                                             \
  (HWY_SSSE3 | HWY_AVX3_DL | TF_VSINIT_NEWER_AVX3 | HWY_SVE | HWY_SVE2 | \
   HWY_SVE_256 | HWY_SVE2_128)
#include "hwy/detect_targets.h"
#if defined(HWY_AVX3_ZEN4) && defined(HWY_AVX3_SPR)
#define TF_VSINIT_NEWER_AVX3 (HWY_AVX3_ZEN4 | HWY_AVX3_SPR)
#else
#define TF_VSINIT_NEWER_AVX3 0
#endif

// Whether the target that is being compiled has a vector path. Without FMA
// instructions, each fused operation would be a call of the C library.
#define TF_VSINIT_HAS_VECTORS (HWY_NATIVE_FMA && HWY_TARGET != HWY_SCALAR)

#endif  // TF_VSINIT_CC_CPU_TARGETS_H_

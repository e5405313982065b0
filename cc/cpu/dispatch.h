// Calls the variant of a function for the instruction set in use. Highway's own
// dispatch needs its compiled library; this needs its headers alone. Include
// this after hwy/foreach_target.h.

#ifndef TF_VSINIT_CC_CPU_DISPATCH_H_
#define TF_VSINIT_CC_CPU_DISPATCH_H_

#include "cc/cpu/instruction_set.h"
#include "hwy/highway.h"

// TF_VSINIT_DISPATCH(Function)(arguments), where each target of this build has
// a HWY_NAMESPACE::Function.
#define TF_VSINIT_DISPATCH(function)                       \
  (TF_VSINIT_IF_AVX3(function) TF_VSINIT_IF_AVX2(function) \
       HWY_STATIC_DISPATCH(function))

#if HWY_TARGETS & HWY_AVX3 & ~HWY_STATIC_TARGET
#define TF_VSINIT_IF_AVX3(function) \
  ChosenTarget() == HWY_AVX3 ? N_AVX3::function:
#else
#define TF_VSINIT_IF_AVX3(function)
#endif

#if HWY_TARGETS & HWY_AVX2 & ~HWY_STATIC_TARGET
#define TF_VSINIT_IF_AVX2(function) \
  ChosenTarget() == HWY_AVX2 ? N_AVX2::function:
#else
#define TF_VSINIT_IF_AVX2(function)
#endif

#endif  // TF_VSINIT_CC_CPU_DISPATCH_H_

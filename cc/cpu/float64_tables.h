// The tables of glibc's float64 functions, laid out for vector look-ups.

#ifndef TF_VSINIT_CC_CPU_FLOAT64_TABLES_H_
#define TF_VSINIT_CC_CPU_FLOAT64_TABLES_H_

#include "cc/stream/glibc_float64.h"

namespace tf_vsinit {

struct Glibc64Rows {
  alignas(16) double log[128][2];
  // sine, its rest, cosine, its rest
  alignas(16) double sincos[111][4];
};

inline constexpr Glibc64Rows kGlibc64Rows = {{TF_VSINIT_GLIBC_LOG64_ROWS},
                                             {TF_VSINIT_GLIBC_SINCOS64_ROWS}};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_FLOAT64_TABLES_H_

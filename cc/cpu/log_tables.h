// The table of glibc's float32 logarithm, laid out for vector look-ups.

#ifndef TF_VSINIT_CC_CPU_LOG_TABLES_H_
#define TF_VSINIT_CC_CPU_LOG_TABLES_H_

#include <cstdint>

#include "cc/stream/glibc.h"

namespace tf_vsinit {

// The first of the 16 intervals of an octave, as a float64.
inline constexpr uint64_t kLogFirstBits64 = uint64_t{0x3FE66} << 44;

// One octave, an array per column: two AVX-512 registers hold a column. The
// reciprocals are divided by 2^23, for integers m and log(m / 2^23).
struct LogColumns {
  alignas(64) double reciprocal[16];
  alignas(64) double minus_twice_log[16];
};

// All octaves of the integers m below 2^23: in the rows from 16 k on, the
// reciprocals are divided by 2^k, and (k - 23) log(2) is added to the
// logarithms.
struct LogRows {
  alignas(16) double row[24 * 16][2];
};

constexpr LogColumns MakeLogColumns() {
  constexpr double kRows[16][2] = {TF_VSINIT_GLIBC_LOG_ROWS};
  LogColumns columns{};
  for (int i = 0; i < 16; ++i) {
    columns.reciprocal[i] = kRows[i][0] * 0x1p-23;
    columns.minus_twice_log[i] = -2 * kRows[i][1];
  }
  return columns;
}

constexpr LogRows MakeLogRows() {
  constexpr double kRows[16][2] = {TF_VSINIT_GLIBC_LOG_ROWS};
  LogRows rows{};
  double scale = 1;
  for (int k = 0; k < 24; ++k) {
    for (int i = 0; i < 16; ++i) {
      double(&row)[2] = rows.row[16 * k + i];
      row[0] = kRows[i][0] * scale;
      row[1] = -2 * (kRows[i][1] + (k - 23) * glibc::kLn2);
    }
    scale /= 2;
  }
  return rows;
}

inline constexpr LogColumns kLogColumns = MakeLogColumns();
inline constexpr LogRows kLogRows = MakeLogRows();

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_LOG_TABLES_H_

// The tables of the float32 normals, laid out for vector look-ups.

#ifndef TF_VSINIT_CC_CPU_TABLES_H_
#define TF_VSINIT_CC_CPU_TABLES_H_

#include <cstdint>

#include "cc/stream/normal_coefficients.h"

namespace tf_vsinit {

// A table of 16 rows, one array per column: 16 floats fill one AVX-512
// register, which an instruction can index. AVX2 indexes 8 floats: it looks up
// a row of the first half, and the bits in which the row 8 further on differs.
template <int kColumns>
struct Columns {
  alignas(64) float value[kColumns][16];
  alignas(32) uint32_t change[kColumns][8];
};

template <int kColumns>
constexpr Columns<kColumns> Transposed(const float (&rows)[16][kColumns]) {
  Columns<kColumns> columns{};
  for (int column = 0; column < kColumns; ++column) {
    for (int row = 0; row < 16; ++row) {
      columns.value[column][row] = rows[row][column];
    }
    for (int row = 0; row < 8; ++row) {
      columns.change[column][row] =
          __builtin_bit_cast(uint32_t, rows[row][column]) ^
          __builtin_bit_cast(uint32_t, rows[row + 8][column]);
    }
  }
  return columns;
}

inline constexpr float kTruncatedRows[16][7] = {TF_VSINIT_F32_TRUNCATED_ROWS};
inline constexpr float kUntruncatedRows[16][6] = {
    TF_VSINIT_F32_UNTRUNCATED_ROWS};
inline constexpr Columns<7> kTruncatedColumns = Transposed(kTruncatedRows);
inline constexpr Columns<6> kUntruncatedColumns = Transposed(kUntruncatedRows);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_TABLES_H_

// From words to standard deviates: uniform, normal and truncated normal.
//
// Stream version 1 (docs/stream.md) defines every operation below: its order
// and its rounding must not change without a new stream version.

#ifndef TF_VSINIT_CC_STREAM_DISTRIBUTIONS_H_
#define TF_VSINIT_CC_STREAM_DISTRIBUTIONS_H_

#include <cstdint>

#include "cc/stream/normal_coefficients.h"
#include "cc/stream/portability.h"

namespace tf_vsinit {

enum class Distribution { kTruncatedNormal, kUntruncatedNormal, kUniform };

// 1.5 * 2^20: adding it to u^2 leaves round(8 u^2) in the low bits of the sum.
inline constexpr float kRowMagic = 1572864.0f;
inline constexpr float kRowOffset = 0x1.88p-2f;
// The bits of sqrt(2). Subtracting the bits of a float and dropping the
// mantissa leaves the k for which value * 2^k is in (1/sqrt(2), sqrt(2)].
inline constexpr uint32_t kSqrt2Bits32 = 0x3FB504F3;
inline constexpr uint64_t kSqrt2Bits64 = 0x3FF6A09E667F3BCD;

// c[0] + x (c[1] + x (c[2] + ...)) by Horner's rule, fused.
template <int kCount, typename Real>
TF_VSINIT_HOST_DEVICE inline Real Polynomial(const Real (&c)[kCount], Real x) {
  Real sum = c[kCount - 1];
  for (int i = kCount - 2; i >= 0; --i) sum = FusedMultiplyAdd(sum, x, c[i]);
  return sum;
}

// 23 bits as a float in [0, 1).
TF_VSINIT_HOST_DEVICE inline float UniformFloat(uint32_t word) {
  return BitCast<float>((word & 0x7FFFFFu) | 0x3F800000u) - 1.0f;
}

// 52 bits as a double in [0, 1).
TF_VSINIT_HOST_DEVICE inline double UniformDouble(uint64_t word) {
  return BitCast<double>((word & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u) - 1.0;
}

// The distance of a word from the nearer end: the smaller of word and ~word.
// Neither tail loses precision, and z(~word) is exactly -z(word).
TF_VSINIT_HOST_DEVICE inline uint32_t TailBits(uint32_t word) {
  return word >> 31 ? ~word : word;
}
TF_VSINIT_HOST_DEVICE inline uint64_t TailBits(uint64_t word) {
  return word >> 63 ? ~word : word;
}

// 1 - 2 p_tail, with p_tail = (tail + 1/2) / 2^32.
TF_VSINIT_HOST_DEVICE inline float CentralVariable(uint32_t tail) {
  const uint32_t distance = tail ^ 0x7FFFFFFFu;
  return FusedMultiplyAdd(static_cast<float>(static_cast<int32_t>(distance)),
                          0x1p-31f, 0x1p-32f);
}

// 2 p_tail, with p_tail = (tail + 1/2) / 2^32.
TF_VSINIT_HOST_DEVICE inline float DoubledTail(uint32_t tail) {
  return FusedMultiplyAdd(static_cast<float>(static_cast<int32_t>(tail)),
                          0x1p-31f, 0x1p-32f);
}

// (bits + 1/2) / 2^63 for bits < 2^63, rounded once.
TF_VSINIT_HOST_DEVICE inline double Fraction63(uint64_t bits) {
  const double high = static_cast<double>(static_cast<uint32_t>(bits >> 32));
  const double low = static_cast<double>(static_cast<uint32_t>(bits));
  return FusedMultiplyAdd(high, 0x1p-31,
                          FusedMultiplyAdd(low, 0x1p-63, 0x1p-64));
}

// The same two variables in float64.
TF_VSINIT_HOST_DEVICE inline double CentralVariable(uint64_t tail) {
  return Fraction63(tail ^ 0x7FFFFFFFFFFFFFFFu);
}
TF_VSINIT_HOST_DEVICE inline double DoubledTail(uint64_t tail) {
  return Fraction63(tail);
}

// A row of a float32 table.
template <int kColumns>
struct TableRow {
  float c[kColumns];
};

// The coefficients of the float64 normals.
struct Float64Coefficients {
  double truncated_p[11], truncated_q[11];
  double central_p[8], central_q[8];
  double tail_p[9], tail_q[8];
  double twice_ln[20];
};

inline constexpr Float64Coefficients kFloat64Coefficients = {
    {TF_VSINIT_F64_TRUNCATED_P}, {TF_VSINIT_F64_TRUNCATED_Q},
    {TF_VSINIT_F64_CENTRAL_P},   {TF_VSINIT_F64_CENTRAL_Q},
    {TF_VSINIT_F64_TAIL_P},      {TF_VSINIT_F64_TAIL_Q},
    {TF_VSINIT_F64_TWICE_LN}};

// The tables, where the compiler puts them. The functions below also take an
// object with the same functions and faster memory.
struct CompiledTables {
  static const Float64Coefficients& Float64() { return kFloat64Coefficients; }
  TF_VSINIT_HOST_DEVICE static TableRow<7> Truncated(uint32_t row) {
    constexpr TableRow<7> kRows[16] = {TF_VSINIT_F32_TRUNCATED_ROWS};
    return kRows[row];
  }
  TF_VSINIT_HOST_DEVICE static TableRow<6> Untruncated(uint32_t row) {
    constexpr TableRow<6> kRows[16] = {TF_VSINIT_F32_UNTRUNCATED_ROWS};
    return kRows[row];
  }
};

// |z| of a standard normal truncated at two standard deviations.
template <typename Tables = CompiledTables>
TF_VSINIT_HOST_DEVICE inline float TruncatedMagnitude(
    uint32_t tail, const Tables& tables = {}) {
  const float t = CentralVariable(tail);
  const float u = FusedMultiplyAdd(t, t, kRowOffset);
  const TableRow<7> row = tables.Truncated(
      BitCast<uint32_t>(FusedMultiplyAdd(u, u, kRowMagic)) & 15);
  const float x = t - row.c[0];
  float z = row.c[6];
  for (int i = 5; i >= 1; --i) z = FusedMultiplyAdd(z, x, row.c[i]);
  return z;
}

template <typename Tables = CompiledTables>
TF_VSINIT_HOST_DEVICE inline double TruncatedMagnitude(
    uint64_t tail, const Tables& tables = {}) {
  const Float64Coefficients& c = tables.Float64();
  const double t = CentralVariable(tail);
  const double v = FusedMultiplyAdd(-t, t, 1.0);
  const double ratio =
      Polynomial(c.truncated_p, v) / Polynomial(c.truncated_q, v);
  return t * FusedMultiplyAdd(v, ratio, 2.0);
}

// |z| of a standard normal.
template <typename Tables = CompiledTables>
TF_VSINIT_HOST_DEVICE inline float UntruncatedMagnitude(
    uint32_t tail, const Tables& tables = {}) {
  constexpr float kLog2[] = {TF_VSINIT_F32_LOG2};
  const float doubled_tail = DoubledTail(tail);
  const float v = doubled_tail * (2.0f - doubled_tail);  // 1 - t^2
  const uint32_t bits = BitCast<uint32_t>(v);
  const uint32_t k = (kSqrt2Bits32 - bits) >> 23;
  const float f = BitCast<float>(bits + (k << 23)) - 1.0f;
  const float x =
      FusedMultiplyAdd(-f, Polynomial(kLog2, f), static_cast<float>(k & 1));
  return CentralVariable(tail) * Polynomial(tables.Untruncated(k >> 1).c, x);
}

template <typename Tables = CompiledTables>
TF_VSINIT_HOST_DEVICE inline double UntruncatedMagnitude(
    uint64_t tail, const Tables& tables = {}) {
  const Float64Coefficients& c = tables.Float64();
  const double doubled_tail = DoubledTail(tail);
  if (doubled_tail >= TF_VSINIT_F64_TAIL_BELOW) {
    const double t = CentralVariable(tail);
    const double v = FusedMultiplyAdd(-t, t, 1.0);
    const double ratio =
        Polynomial(c.central_p, v) / Polynomial(c.central_q, v);
    return t * FusedMultiplyAdd(t * t, ratio, TF_VSINIT_F64_SQRT_HALF_PI);
  }
  const uint64_t bits = BitCast<uint64_t>(doubled_tail);
  const uint64_t k = (kSqrt2Bits64 - bits) >> 52;
  const double f = BitCast<double>(bits + (k << 52)) - 1.0;
  const double minus_twice_ln =
      FusedMultiplyAdd(static_cast<double>(k), TF_VSINIT_F64_TWICE_LN_2,
                       -(f * Polynomial(c.twice_ln, f)));
  const double r = ::sqrt(minus_twice_ln);
  return r + Polynomial(c.tail_p, r) / Polynomial(c.tail_q, r);
}

// The standard deviate of a word: r in [0, 1) for a uniform, z for a normal.
template <typename Word, typename Tables = CompiledTables>
TF_VSINIT_HOST_DEVICE inline auto StandardDeviate(Distribution distribution,
                                                  Word word,
                                                  const Tables& tables = {}) {
  if (distribution == Distribution::kUniform) {
    if constexpr (sizeof(Word) == 4) {
      return UniformFloat(word);
    } else {
      return UniformDouble(word);
    }
  }
  const Word tail = TailBits(word);
  auto magnitude = distribution == Distribution::kTruncatedNormal
                       ? TruncatedMagnitude(tail, tables)
                       : UntruncatedMagnitude(tail, tables);
  // Words with a clear top bit are the negative half.
  constexpr Word kTopBit = Word{1} << (8 * sizeof(Word) - 1);
  return BitCast<decltype(magnitude)>(BitCast<Word>(magnitude) ^
                                      (~word & kTopBit));
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_DISTRIBUTIONS_H_

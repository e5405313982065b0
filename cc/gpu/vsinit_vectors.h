// The vectors of stream version 1.

#ifndef TF_VSINIT_CC_GPU_VSINIT_VECTORS_H_
#define TF_VSINIT_CC_GPU_VSINIT_VECTORS_H_

#include <cstdint>
#include <cstring>

#include "cc/gpu/plan.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/philox.h"
#include "cc/stream/portability.h"
#include "cc/stream/sampler.h"

namespace tf_vsinit {

// A float32 table, stored as pairs of columns. The 16 rows of a pair lie in 16
// different pairs of shared-memory banks, so the look-ups of a warp do not wait
// for one another, and each of the four brings two coefficients.
struct PairedRows {
  struct alignas(8) Pair {
    float value[2];
  };
  Pair pair[4][16];
};

template <int kColumns>
TF_VSINIT_HOST_DEVICE constexpr PairedRows PairColumns(
    const TableRow<kColumns> (&rows)[16]) {
  PairedRows paired{};
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      paired.pair[column / 2][row].value[column % 2] = rows[row].c[column];
    }
  }
  return paired;
}

TF_VSINIT_HOST_DEVICE constexpr PairedRows TruncatedPairs() {
  constexpr TableRow<7> kRows[16] = {TF_VSINIT_F32_TRUNCATED_ROWS};
  return PairColumns(kRows);
}

TF_VSINIT_HOST_DEVICE constexpr PairedRows UntruncatedPairs() {
  constexpr TableRow<6> kRows[16] = {TF_VSINIT_F32_UNTRUNCATED_ROWS};
  return PairColumns(kRows);
}

// The tables of one distribution, each in its fastest memory.
class DeviceTables {
 public:
  TF_VSINIT_HOST_DEVICE DeviceTables(const PairedRows& rows,
                                     const Float64Coefficients& float64)
      : rows_(rows), float64_(float64) {}

  TF_VSINIT_HOST_DEVICE const Float64Coefficients& Float64() const {
    return float64_;
  }

  TF_VSINIT_HOST_DEVICE TableRow<7> Truncated(uint32_t row) const {
    return Row<7>(row);
  }
  TF_VSINIT_HOST_DEVICE TableRow<6> Untruncated(uint32_t row) const {
    return Row<6>(row);
  }

 private:
  template <int kColumns>
  TF_VSINIT_HOST_DEVICE TableRow<kColumns> Row(uint32_t row) const {
    TableRow<kColumns> values;
    TF_VSINIT_UNROLL
    for (int column = 0; column < kColumns; ++column) {
      values.c[column] = rows_.pair[column / 2][row].value[column % 2];
    }
    return values;
  }

  const PairedRows& rows_;
  const Float64Coefficients& float64_;
};

// ---------------------------------------------------------------------------
// The words of a vector.

// Draws whole blocks, from `first_block` on.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void BlockWords(
    const StreamKey& key, uint64_t first_block,
    uint32_t (&words)[VectorTraits<T>::kWordCount]) {
  TF_VSINIT_UNROLL
  for (int i = 0; i < VectorTraits<T>::kBlockCount; ++i) {
    const PhiloxBlock block = StreamBlock(key, first_block + i);
    TF_VSINIT_UNROLL
    for (int j = 0; j < 4; ++j) words[4 * i + j] = block.word[j];
  }
}

// Draws the words of vector `first` + `i` of a run.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void VectorWords(
    const RunPlan& plan, const StreamKey& key, uint64_t first, uint32_t i,
    uint32_t (&words)[VectorTraits<T>::kWordCount]) {
  constexpr int kBlockCount = VectorTraits<T>::kBlockCount;
  const uint64_t first_block = plan.first_block + first * kBlockCount;
  BlockWords<T>(key, first_block + i * kBlockCount, words);
}

// Sets the words of elements [from, to) of a vector, which lie in one run.
// `index` is the stream index that element 0 would have in that run.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void RunWords(
    const StreamKey& key, uint64_t index, int from, int to,
    uint32_t (&words)[VectorTraits<T>::kWordCount]) {
  using Traits = VectorTraits<T>;
  constexpr int kPerElement = Traits::kWordsPerElement;
  constexpr int kWordCount = Traits::kWordCount;
  // `index` can be before the stream (negative), so the division rounds down.
  constexpr int kLog2PerBlock = kPerElement == 1 ? 2 : 1;
  const uint64_t first_block =
      static_cast<uint64_t>(static_cast<int64_t>(index) >> kLog2PerBlock);
  const int skipped = static_cast<int>(index % (4 / kPerElement)) * kPerElement;
  // The words of all blocks that the vector can touch, if they are needed.
  uint32_t stream[kWordCount + 4] = {};
  const int begin = from * kPerElement;
  const int end = to * kPerElement;
  TF_VSINIT_UNROLL
  for (int i = 0; i <= Traits::kBlockCount; ++i) {
    if (4 * i + 4 <= skipped + begin || skipped + end <= 4 * i) continue;
    const PhiloxBlock block = StreamBlock(key, first_block + i);
    TF_VSINIT_UNROLL
    for (int j = 0; j < 4; ++j) stream[4 * i + j] = block.word[j];
  }
  // Registers cannot be indexed at run time: shift by two, and by one.
  if (skipped & 2) {
    TF_VSINIT_UNROLL
    for (int i = 0; i < kWordCount + 2; ++i) stream[i] = stream[i + 2];
  }
  if (kPerElement == 1 && (skipped & 1)) {
    TF_VSINIT_UNROLL
    for (int i = 0; i < kWordCount; ++i) stream[i] = stream[i + 1];
  }
  TF_VSINIT_UNROLL
  for (int i = 0; i < kWordCount; ++i) {
    if (begin <= i && i < end) words[i] = stream[i];
  }
}

// Draws the words of vector `first` + `i` of a box: it can start anywhere in a
// block and hold parts of several runs.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void VectorWords(
    const BoxPlan& plan, const StreamKey& key, uint64_t first, uint32_t i,
    uint32_t (&words)[VectorTraits<T>::kWordCount]) {
  constexpr int kElementCount = VectorTraits<T>::kElementCount;
  const uint64_t slot = (first + i) * kElementCount;
  if (plan.in_step) {
    const uint64_t index = plan.RunAt(slot).first;
    BlockWords<T>(key, index / ElementTraits<T>::kPerBlock, words);
    return;
  }
  const OutputPlan& output = plan.output;
  int from =
      slot < output.first_slot ? static_cast<int>(output.first_slot - slot) : 0;
  const int end = output.end_slot - slot < kElementCount
                      ? static_cast<int>(output.end_slot - slot)
                      : kElementCount;
  while (from < end) {
    const Run run = plan.RunAt(slot + from - output.first_slot);
    const int to = run.count < static_cast<uint64_t>(end - from)
                       ? from + static_cast<int>(run.count)
                       : end;
    RunWords<T>(key, run.first - from, from, to, words);
    from = to;
  }
}

// ---------------------------------------------------------------------------
// The values of a vector.

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
// One instruction rounds two values to nearest even, as RoundTo does.
inline __device__ uint32_t RoundPair(float low, float high, Half*) {
  uint32_t bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
inline __device__ uint32_t RoundPair(float low, float high, Bfloat16*) {
  uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
#else
template <typename T>
TF_VSINIT_HOST_DEVICE inline uint32_t RoundPair(float low, float high, T*) {
  T rounded[2];
  RoundTo(low, &rounded[0]);
  RoundTo(high, &rounded[1]);
  return rounded[0].bits | uint32_t{rounded[1].bits} << 16;
}
#endif

// Rounds values to elements of type T, side by side.
template <typename T, typename Real, int kCount>
TF_VSINIT_HOST_DEVICE inline VectorBits Rounded(const Real (&values)[kCount]) {
  VectorBits bits;
  if constexpr (sizeof(T) == 2) {
    TF_VSINIT_UNROLL
    for (int i = 0; i < kCount / 2; ++i) {
      bits.word[i] =
          RoundPair(values[2 * i], values[2 * i + 1], static_cast<T*>(nullptr));
    }
  } else {
    static_assert(sizeof(T) == sizeof(Real), "nothing to round");
    memcpy(&bits, values, sizeof(bits));
  }
  return bits;
}

// Draws vectors of elements of type T.
template <typename T, Distribution kDistribution>
class VsinitVectors {
 public:
  using Element = T;
  using Real = typename ElementTraits<T>::Real;

  TF_VSINIT_HOST_DEVICE VsinitVectors(const StreamKey& key,
                                      Real limit_or_stddev,
                                      const DeviceTables& tables)
      : key_(key), scaling_(limit_or_stddev), tables_(tables) {}

  // Vector `first` + `i`. Elements outside the output have any value.
  template <typename Plan>
  TF_VSINIT_HOST_DEVICE VectorBits Draw(const Plan& plan, uint64_t first,
                                        uint32_t i) const {
    uint32_t words[VectorTraits<T>::kWordCount] = {};
    VectorWords<T>(plan, key_, first, i, words);
    return Values(words);
  }

 private:
  TF_VSINIT_HOST_DEVICE VectorBits
  Values(const uint32_t (&words)[VectorTraits<T>::kWordCount]) const {
    constexpr int kElementCount = VectorTraits<T>::kElementCount;
    Real values[kElementCount];
    TF_VSINIT_UNROLL
    for (int i = 0; i < kElementCount; ++i) {
      typename ElementTraits<T>::Word word =
          words[i * VectorTraits<T>::kWordsPerElement];
      if constexpr (sizeof(word) == 8) word = word << 32 | words[2 * i + 1];
      const auto deviate = StandardDeviate(kDistribution, word, tables_);
      values[i] = scaling_.Apply(kDistribution, deviate);
    }
    return Rounded<T>(values);
  }

  StreamKey key_;
  Scaling<T> scaling_;
  DeviceTables tables_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_GPU_VSINIT_VECTORS_H_

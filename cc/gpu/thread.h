// What one thread of a fill does: the body of the kernels, which a test also
// runs on the host, thread by thread.

#ifndef TF_VSINIT_CC_GPU_THREAD_H_
#define TF_VSINIT_CC_GPU_THREAD_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cc/gpu/plan.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element.h"
#include "cc/stream/philox.h"
#include "cc/stream/portability.h"

namespace tf_vsinit {

inline constexpr int kThreadsPerBlock = 256;
// A block goes on in tiles of this many chunks for each of its threads.
inline constexpr int kChunksPerThread = 4;
inline constexpr uint64_t kChunksPerTile = kThreadsPerBlock * kChunksPerThread;

// A float32 table by pairs of columns. A warp finds the 16 rows of a pair in 16
// different pairs of banks of shared memory, so that no look-up waits for
// another; each of the four brings two coefficients.
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

// The tables of one distribution, in the memories where they are fastest.
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

// What a thread needs to know besides the plan.
template <typename T>
struct ThreadContext {
  StreamKey key;
  Scaling<T> scaling;
  DeviceTables tables;
};

// ---------------------------------------------------------------------------
// The words of a chunk.

// Those of whole blocks, from `first_block` on.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void BlockWords(
    const StreamKey& key, uint64_t first_block,
    uint32_t (&words)[ChunkTraits<T>::kWords]) {
  TF_VSINIT_UNROLL
  for (int i = 0; i < ChunkTraits<T>::kBlocks; ++i) {
    const PhiloxBlock block = StreamBlock(key, first_block + i);
    TF_VSINIT_UNROLL
    for (int j = 0; j < 4; ++j) words[4 * i + j] = block.word[j];
  }
}

// Those of chunk `first` + `i` of a run.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void ChunkWords(
    const RunPlan& plan, const StreamKey& key, uint64_t first, uint32_t i,
    uint32_t (&words)[ChunkTraits<T>::kWords]) {
  constexpr int kBlocks = ChunkTraits<T>::kBlocks;
  const uint64_t first_block = plan.first_block + first * kBlocks;
  BlockWords<T>(key, first_block + i * kBlocks, words);
}

// Sets the words of elements [from, to) of a chunk whose element 0 would have
// the stream index `index`, were all of it in the same run.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void RunWords(
    const StreamKey& key, uint64_t index, int from, int to,
    uint32_t (&words)[ChunkTraits<T>::kWords]) {
  using Traits = ChunkTraits<T>;
  constexpr int kPerElement = Traits::kWordsPerElement;
  constexpr int kWords = Traits::kWords;
  // `index` may lie before the stream, so this division has to round down.
  constexpr int kLog2PerBlock = kPerElement == 1 ? 2 : 1;
  const uint64_t first_block =
      static_cast<uint64_t>(static_cast<int64_t>(index) >> kLog2PerBlock);
  const int skipped = static_cast<int>(index % (4 / kPerElement)) * kPerElement;
  // All blocks that the chunk can touch; what is not needed stays unset.
  uint32_t stream[kWords + 4] = {};
  const int begin = from * kPerElement;
  const int end = to * kPerElement;
  TF_VSINIT_UNROLL
  for (int i = 0; i <= Traits::kBlocks; ++i) {
    if (4 * i + 4 <= skipped + begin || skipped + end <= 4 * i) continue;
    const PhiloxBlock block = StreamBlock(key, first_block + i);
    TF_VSINIT_UNROLL
    for (int j = 0; j < 4; ++j) stream[4 * i + j] = block.word[j];
  }
  // Registers have no run-time index: shift by two and by one.
  if (skipped & 2) {
    TF_VSINIT_UNROLL
    for (int i = 0; i < kWords + 2; ++i) stream[i] = stream[i + 2];
  }
  if (kPerElement == 1 && (skipped & 1)) {
    TF_VSINIT_UNROLL
    for (int i = 0; i < kWords; ++i) stream[i] = stream[i + 1];
  }
  TF_VSINIT_UNROLL
  for (int i = 0; i < kWords; ++i) {
    if (begin <= i && i < end) words[i] = stream[i];
  }
}

// Those of chunk `first` + `i` of a box, which may begin anywhere and hold
// parts of several runs.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void ChunkWords(
    const BoxPlan& plan, const StreamKey& key, uint64_t first, uint32_t i,
    uint32_t (&words)[ChunkTraits<T>::kWords]) {
  constexpr int kElements = ChunkTraits<T>::kElements;
  const uint64_t slot = (first + i) * kElements;
  if (plan.in_step) {
    const uint64_t index = plan.RunAt(slot).first;
    BlockWords<T>(key, index / ElementTraits<T>::kPerBlock, words);
    return;
  }
  const OutputPlan& output = plan.output;
  int from =
      slot < output.first_slot ? static_cast<int>(output.first_slot - slot) : 0;
  const int end = output.end_slot - slot < kElements
                      ? static_cast<int>(output.end_slot - slot)
                      : kElements;
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
// The values of a chunk.

// 16 bytes, moved as one.
struct alignas(16) ChunkBits {
  uint32_t word[4];
};

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
// One instruction rounds two values, to nearest even as RoundTo does.
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

// The elements of type T that the values round to, side by side.
template <typename T, typename Real, int kCount>
TF_VSINIT_HOST_DEVICE inline ChunkBits Rounded(const Real (&values)[kCount]) {
  ChunkBits bits;
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

template <typename T, Distribution kDistribution>
TF_VSINIT_HOST_DEVICE inline ChunkBits ChunkValues(
    const ThreadContext<T>& context,
    const uint32_t (&words)[ChunkTraits<T>::kWords]) {
  using Traits = ElementTraits<T>;
  constexpr int kElements = ChunkTraits<T>::kElements;
  typename Traits::Real values[kElements];
  TF_VSINIT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    typename Traits::Word word = words[i * ChunkTraits<T>::kWordsPerElement];
    if constexpr (sizeof(word) == 8) word = word << 32 | words[2 * i + 1];
    const auto deviate = StandardDeviate(kDistribution, word, context.tables);
    values[i] = context.scaling.Apply(kDistribution, deviate);
  }
  return Rounded<T>(values);
}

// ---------------------------------------------------------------------------
// Storing, and going through the chunks.

// Stores the elements of a chunk that lie in the output.
template <typename T>
TF_VSINIT_HOST_DEVICE inline void StoreChunk(const OutputPlan& output,
                                             uint64_t chunk,
                                             const ChunkBits& bits) {
  constexpr int kElements = ChunkTraits<T>::kElements;
  const uint64_t slot = chunk * kElements;
  ChunkBits* out = reinterpret_cast<ChunkBits*>(output.base) + chunk;
  if (output.first_slot <= slot && slot + kElements <= output.end_slot) {
    *out = bits;
    return;
  }
  T elements[kElements];
  memcpy(elements, &bits, sizeof(elements));
  TF_VSINIT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    if (output.first_slot <= slot + i && slot + i < output.end_slot) {
      reinterpret_cast<T*>(out)[i] = elements[i];
    }
  }
}

// What thread `thread` stores of the tile whose first chunk is `first`. In a
// whole tile all slots lie in the output, and nothing is compared.
template <typename T, Distribution kDistribution, bool kIsWhole, typename Plan>
TF_VSINIT_HOST_DEVICE inline void FillTile(const Plan& plan,
                                           const ThreadContext<T>& context,
                                           uint64_t first, uint32_t thread) {
  const OutputPlan& output = plan.output;
  TF_VSINIT_NO_UNROLL
  for (int n = 0; n < kChunksPerThread; ++n) {
    const uint32_t i = n * kThreadsPerBlock + thread;
    if (!kIsWhole && first + i >= output.chunks) return;
    uint32_t words[ChunkTraits<T>::kWords] = {};
    ChunkWords<T>(plan, context.key, first, i, words);
    const ChunkBits bits = ChunkValues<T, kDistribution>(context, words);
    if (kIsWhole) {
      (reinterpret_cast<ChunkBits*>(output.base) + first)[i] = bits;
    } else {
      StoreChunk<T>(output, first + i, bits);
    }
  }
}

// All that thread `thread` of block `block` stores when there are `blocks`.
// What depends on the tile alone is the same in the whole block, and costs
// its threads next to nothing.
template <typename T, Distribution kDistribution, typename Plan>
TF_VSINIT_HOST_DEVICE inline void FillThread(const Plan& plan,
                                             const ThreadContext<T>& context,
                                             uint64_t block, uint64_t blocks,
                                             uint32_t thread) {
  constexpr int kElements = ChunkTraits<T>::kElements;
  const OutputPlan& output = plan.output;
  const uint64_t tiles = (output.chunks + kChunksPerTile - 1) / kChunksPerTile;
  for (uint64_t tile = block; tile < tiles; tile += blocks) {
    const uint64_t first = tile * kChunksPerTile;
    // Beside a box's divisions, comparisons are nothing.
    const bool is_whole =
        std::is_same_v<Plan, RunPlan> &&
        output.first_slot <= first * kElements &&
        (first + kChunksPerTile) * kElements <= output.end_slot;
    if (is_whole) {
      FillTile<T, kDistribution, true>(plan, context, first, thread);
    } else {
      FillTile<T, kDistribution, false>(plan, context, first, thread);
    }
  }
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_GPU_THREAD_H_

// Short runs of elements, gathered so that their blocks are computed together.

#ifndef TF_VSINIT_CC_CPU_GATHERED_RUNS_H_
#define TF_VSINIT_CC_CPU_GATHERED_RUNS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "cc/stream/element.h"

namespace tf_vsinit {

// At most kMax tuples of elements: those that a block has words for. Tuple n
// starts at block kBlocksPerTuple n. Order is a BlockOrder.
template <typename T, size_t kMax, uint64_t kBlocksPerTuple, class Order>
class GatheredRuns {
 public:
  static constexpr uint64_t kPerTuple = ElementTraits<T>::kPerBlock;

  // Where a run goes.
  struct Gathered {
    T* out;
    uint32_t offset;  // of its first element, from that of the first tuple
    uint32_t count;
  };

  // Adds what there is room for of a run, and returns the number of elements:
  // zero if the runs must be written and cleared first.
  uint64_t Add(uint64_t first, uint64_t count, T* out) {
    const uint64_t tuple = first / kPerTuple;
    const uint64_t block = tuple * kBlocksPerTuple;
    const uint64_t skip = first % kPerTuple;
    const uint64_t wanted = (skip + count + kPerTuple - 1) / kPerTuple;
    const uint64_t tuples = std::min(wanted, uint64_t{kMax} - tuples_);
    if (tuples == 0) return 0;
    const uint64_t some = std::min(count, tuples * kPerTuple - skip);
    runs_[run_count_++] = {out,
                           static_cast<uint32_t>(tuples_ * kPerTuple + skip),
                           static_cast<uint32_t>(some)};
    for (uint64_t i = 0; i < tuples; ++i) {
      blocks_[Order::Position(tuples_ + i)] = block + i * kBlocksPerTuple;
    }
    tuples_ += tuples;
    return some;
  }

  // Fills the list up to a multiple of `multiple` tuples, and returns that
  // number. What is drawn for the others is not used.
  size_t PadTo(size_t multiple) {
    const size_t padded = (tuples_ + multiple - 1) / multiple * multiple;
    for (size_t i = tuples_; i < padded; ++i) blocks_[Order::Position(i)] = 0;
    return padded;
  }

  void Clear() {
    tuples_ = 0;
    run_count_ = 0;
  }

  bool empty() const { return tuples_ == 0; }
  const Gathered* begin() const { return runs_; }
  const Gathered* end() const { return runs_ + run_count_; }
  // The first blocks of the tuples, listed and by tuple.
  const uint64_t* blocks() const { return blocks_; }
  uint64_t BlockOf(size_t tuple) const {
    return blocks_[Order::Position(tuple)];
  }

 private:
  size_t tuples_ = 0;
  size_t run_count_ = 0;
  alignas(64) uint64_t blocks_[kMax];
  Gathered runs_[kMax];
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_GATHERED_RUNS_H_

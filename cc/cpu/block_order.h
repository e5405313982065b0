// The order in which vectors hold the blocks of a group.

#ifndef TF_VSINIT_CC_CPU_BLOCK_ORDER_H_
#define TF_VSINIT_CC_CPU_BLOCK_ORDER_H_

#include <cstddef>
#include <cstdint>

namespace tf_vsinit {

// Transposes matrices: blocks fill a matrix column by column, and positions run
// along its rows.
template <size_t kRows, size_t kColumns>
struct BlockOrder {
  // The order repeats after this many blocks.
  static constexpr size_t kPeriod = kRows * kColumns;
  static constexpr bool kIsIdentity = kRows == 1 || kColumns == 1;

  // The position of block `block`.
  static constexpr size_t Position(size_t block) {
    const size_t within = block % kPeriod;
    return block - within + within % kRows * kColumns + within / kRows;
  }
  // The block at a position.
  static constexpr size_t Block(size_t position) {
    return BlockOrder<kColumns, kRows>::Position(position);
  }
};

using NaturalOrder = BlockOrder<1, 1>;

// The blocks at the first positions of an order. In static memory: gcc would
// copy a local array of constants.
template <class Order, size_t kCount>
struct FirstBlocks {
  constexpr FirstBlocks() : block{} {
    for (size_t i = 0; i < kCount; ++i) block[i] = Order::Block(i);
  }
  uint64_t block[kCount];
};
template <class Order, size_t kCount>
inline constexpr FirstBlocks<Order, kCount> kFirstBlocks;

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_BLOCK_ORDER_H_

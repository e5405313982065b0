// Byte shuffles that move the chosen lanes of four floats behind others.

#ifndef TF_VSINIT_CC_CPU_CHOSEN_LANES_H_
#define TF_VSINIT_CC_CPU_CHOSEN_LANES_H_

#include <array>
#include <cstdint>

namespace tf_vsinit {

// For TableLookupBytesOr0 of Highway, which makes zero where a byte has its
// highest bit set.
struct ChosenLanes {
  alignas(16) uint8_t bytes[16];
};

// Moves by the number of the lanes that stay free in front, and by the bits of
// the chosen lanes. Chosen lanes that find no room are dropped.
using ChosenLanesTable = std::array<std::array<ChosenLanes, 16>, 4>;

constexpr ChosenLanesTable MakeChosenLanesTable() {
  ChosenLanesTable table{};
  for (int free = 0; free < 4; ++free) {
    for (int chosen = 0; chosen < 16; ++chosen) {
      uint8_t(&bytes)[16] = table[free][chosen].bytes;
      for (uint8_t& byte : bytes) byte = 0x80;
      int to = free;
      for (int lane = 0; lane < 4; ++lane) {
        if ((chosen >> lane & 1) == 0 || to == 4) continue;
        for (int byte = 0; byte < 4; ++byte) {
          bytes[4 * to + byte] = static_cast<uint8_t>(4 * lane + byte);
        }
        ++to;
      }
    }
  }
  return table;
}

inline constexpr ChosenLanesTable kChosenLanes = MakeChosenLanesTable();

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_CHOSEN_LANES_H_

// Byte shuffles that pack the chosen lanes of four floats.

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

// Indexed by the number of lanes to leave zero in front of the chosen ones, and
// by the bits of the chosen lanes. Chosen lanes that do not fit are dropped.
using ChosenLanesTable = std::array<std::array<ChosenLanes, 16>, 4>;

constexpr ChosenLanesTable MakeChosenLanesTable() {
  ChosenLanesTable table{};
  for (int front = 0; front < 4; ++front) {
    for (int chosen = 0; chosen < 16; ++chosen) {
      uint8_t(&bytes)[16] = table[front][chosen].bytes;
      for (uint8_t& byte : bytes) byte = 0x80;
      int to = front;
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

// Byte shuffles that move the chosen lanes of four floats to the front.

#ifndef TF_VSINIT_CC_CPU_LANES_TO_FRONT_H_
#define TF_VSINIT_CC_CPU_LANES_TO_FRONT_H_

#include <array>
#include <cstdint>

namespace tf_vsinit {

struct LanesToFront {
  alignas(16) uint8_t bytes[16];
  uint8_t count;  // of chosen lanes
};

constexpr std::array<LanesToFront, 16> MakeLanesToFront() {
  std::array<LanesToFront, 16> moves{};
  for (int chosen = 0; chosen < 16; ++chosen) {
    LanesToFront& move = moves[chosen];
    for (int lane = 0; lane < 4; ++lane) {
      if ((chosen >> lane & 1) == 0) continue;
      for (int byte = 0; byte < 4; ++byte) {
        move.bytes[4 * move.count + byte] =
            static_cast<uint8_t>(4 * lane + byte);
      }
      ++move.count;
    }
  }
  return moves;
}

// By the bits of the chosen lanes.
inline constexpr std::array<LanesToFront, 16> kLanesToFront =
    MakeLanesToFront();

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_LANES_TO_FRONT_H_

// What the op library says of itself to `python -m tf_vsinit`.

#include <string>

#include "cc/cpu/fill.h"

// The instruction set the CPU kernel uses on this machine; lives for ever.
extern "C" __attribute__((visibility("default"))) const char*
tf_vsinit_instruction_set() {
  static const std::string* const name =
      new std::string(tf_vsinit::InstructionSet());
  return name->c_str();
}

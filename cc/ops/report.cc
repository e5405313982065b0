// C functions by which `python -m tf_vsinit` asks for the instruction set.

#include <string>

#include "cc/cpu/instruction_set.h"

#define TF_VSINIT_EXPORT extern "C" __attribute__((visibility("default")))

// The instruction set in use. The string is valid until the same thread calls
// again.
TF_VSINIT_EXPORT const char* tf_vsinit_instruction_set() {
  static thread_local std::string name;
  name = tf_vsinit::InstructionSet();
  return name.c_str();
}

// Switches to another instruction set, for benchmarks; "" switches back to the
// default. Returns false if this machine does not have it.
TF_VSINIT_EXPORT bool tf_vsinit_use_instruction_set(const char* name) {
  return tf_vsinit::UseInstructionSet(name);
}

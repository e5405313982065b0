// What the op library tells `python -m tf_vsinit` of its CPU kernel.

#include <string>

#include "cc/cpu/instruction_set.h"

#define TF_VSINIT_EXPORT extern "C" __attribute__((visibility("default")))

// The instruction set in use; good until the calling thread asks again.
TF_VSINIT_EXPORT const char* tf_vsinit_instruction_set() {
  static thread_local std::string name;
  name = tf_vsinit::InstructionSet();
  return name.c_str();
}

// Switches to another instruction set, to compare them; "" switches back.
// False if this machine does not have it.
TF_VSINIT_EXPORT bool tf_vsinit_use_instruction_set(const char* name) {
  return tf_vsinit::UseInstructionSet(name);
}

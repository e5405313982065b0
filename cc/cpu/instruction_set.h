// The instruction set that the fill uses.

#ifndef TF_VSINIT_CC_CPU_INSTRUCTION_SET_H_
#define TF_VSINIT_CC_CPU_INSTRUCTION_SET_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tf_vsinit {

// The instruction set in use: "AVX3" (AVX-512), "AVX2", "NEON" or "scalar".
std::string InstructionSet();

// The same as one of Highway's targets, such as HWY_AVX2.
int64_t ChosenTarget();

// For tests and benchmarks: the names that this machine can run, best first,
// and a switch to one of them ("" restores the default). The switch returns
// false for any other name.
std::vector<std::string> InstructionSets();
bool UseInstructionSet(const std::string& name);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_INSTRUCTION_SET_H_

// Fills memory with a part of a variable's values on the CPU.

#ifndef TF_VSINIT_CC_CPU_FILL_H_
#define TF_VSINIT_CC_CPU_FILL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "cc/stream/box.h"
#include "cc/stream/element.h"
#include "cc/stream/element_type.h"

namespace tf_vsinit {

// Whether the values written are about to leave the caches anyway.
enum class Reuse { kSoon, kNotSoon };

// Writes positions [begin, end) of `box` to `out`, which is where position
// `begin` goes and is aligned to the element type. Safe to call from many
// threads at once; whatever the split, the target and the alignment, position i
// gets the bits of ElementAt for its stream index.
void FillBox(const Sampler& sampler, ElementType type, const Box& box,
             uint64_t begin, uint64_t end, void* out, Reuse reuse);

// Nanoseconds that one element takes, roughly, for planning the work.
double NanosecondsPerElement(const Sampler& sampler, ElementType type);

// The instruction set in use: "AVX3" (AVX-512), "AVX2", "NEON" or "scalar".
std::string InstructionSet();

// For tests: the names this machine can run, and a switch to one of them
// ("" gives back the default). False for a name that is not among them.
std::vector<std::string> InstructionSets();
bool UseInstructionSet(const std::string& name);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_FILL_H_

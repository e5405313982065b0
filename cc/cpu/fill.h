// Fills memory with a box of a variable's values on the CPU.

#ifndef TF_VSINIT_CC_CPU_FILL_H_
#define TF_VSINIT_CC_CPU_FILL_H_

#include <cstdint>

#include "cc/stream/box.h"
#include "cc/stream/element.h"
#include "cc/stream/element_type.h"

namespace tf_vsinit {

// When the values are read again. kNotSoon asks for non-temporal stores.
enum class Reuse { kSoon, kNotSoon };

// Writes positions [begin, end) of `box` to `out`, which receives position
// `begin` first and is aligned to the element type. Thread-safe. Position i
// gets the bits of ElementAt for its index, whatever begin, end, the alignment
// and the instruction set.
void FillBox(const Sampler& sampler, ElementType type, const Box& box,
             uint64_t begin, uint64_t end, void* out, Reuse reuse);

// A rough estimate of the time that one element takes, for planning the work.
double NanosecondsPerElement(const Sampler& sampler, ElementType type);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_FILL_H_

// Memory that the system has promised but not yet provided.
//
// A tensor of a variable is nearly always such memory. The first write to each
// of its pages traps into the kernel, which costs more than the values do;
// asking for many pages at once costs less.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_
#define TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_

#include <cstddef>

namespace tf_vsinit {

// Whether the middle of the `bytes` at `memory`, which are to be many pages, is
// not there yet. False where the system cannot tell.
bool IsFresh(const void* memory, size_t bytes);

// Asks for all pages that lie within the `bytes` at `memory`. Does nothing
// where the system cannot do that.
void ProvidePages(void* memory, size_t bytes);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_

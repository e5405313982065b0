// Fresh memory: memory that the system has not yet backed with pages.
//
// The tensor of a new variable is nearly always in fresh memory. The first
// write to each of its pages traps into the system, which takes longer than
// drawing the values. Asking for many pages at once takes less.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_
#define TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_

#include <cstddef>

namespace tf_vsinit {

// Whether the `bytes` at `memory`, which should be many pages, are fresh,
// judged by the page in their middle. False where the system cannot tell.
bool IsFresh(const void* memory, size_t bytes);

// Asks for all whole pages within the `bytes` at `memory`. Does nothing where
// the system cannot provide them.
void ProvidePages(void* memory, size_t bytes);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_

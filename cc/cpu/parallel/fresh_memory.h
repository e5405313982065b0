// Fresh memory: memory that the system has not yet backed with pages.
//
// The tensor of a new variable is nearly always in fresh memory. The first
// write to each of its pages traps into the system, which takes longer than
// drawing the values. Asking for many pages at once takes less, and huge pages
// take least.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_
#define TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_

#include <cstddef>

namespace tf_vsinit {

// Of x86-64, and of aarch64 with small pages of 4 KiB.
inline constexpr size_t kHugePageBytes = size_t{1} << 21;

// Whether the `bytes` at `memory`, which should be many pages, are fresh,
// judged by the page in their middle. False where the system cannot tell.
bool IsFresh(const void* memory, size_t bytes);

// Asks for all whole pages within the `bytes` at `memory`. Does nothing where
// the system cannot provide them.
void ProvidePages(void* memory, size_t bytes);

// Allows the system to back whole huge pages within the `bytes` at `memory` by
// huge pages. Linux does not do so by itself unless it is set up to.
void AllowHugePages(void* memory, size_t bytes);

// Forbids further huge pages there, also where Linux gives them to all. Both
// marks stay until the memory is unmapped.
void ForbidHugePages(void* memory, size_t bytes);

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_

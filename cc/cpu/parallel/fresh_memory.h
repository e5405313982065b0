// Fresh memory: memory that the system has not yet backed with pages.
//
// The tensor of a new variable is nearly always in fresh memory. The first
// write to each of its pages traps into the system, which takes longer than
// drawing the values. Asking for many pages at once takes less, and huge pages
// take least.

#ifndef TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_
#define TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_

#include <chrono>
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

// Allows the system to provide huge pages within the memory of a result. Linux
// does not do so by itself unless it is set up to.
class HugePages {
 public:
  // On a virtual machine, 2 MiB of small pages took 1.1 ms. A huge page took
  // 0.25 ms if the host had memory ready, and else 3.5 ms. The first 2 MiB of a
  // result can have both kinds, so the limit is above the sum of the first two.
  static constexpr std::chrono::nanoseconds kLongestTime =
      std::chrono::milliseconds{2};

  // Allows them within the `bytes` at `memory`, if these are at least 4 MiB, as
  // NumPy does for its arrays.
  HugePages(void* memory, size_t bytes,
            std::chrono::nanoseconds longest_time = kLongestTime);

  // Asks for all whole pages within a part of the memory. If that takes longer
  // than the longest time, forbids more huge pages, also where Linux gives them
  // to all. This stays until the memory is unmapped. Thread-safe.
  void Provide(void* part, size_t bytes) const;

 private:
  void* memory_;
  size_t bytes_;  // 0 if they are not allowed
  std::chrono::nanoseconds longest_time_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_CPU_PARALLEL_FRESH_MEMORY_H_

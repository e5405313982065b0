// Asks Linux whether pages are there, for pages, and for huge ones.

#include "cc/cpu/parallel/fresh_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace tf_vsinit {
namespace {

uintptr_t PageBytes() {
  static const uintptr_t bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

uintptr_t RoundDown(uintptr_t address, uintptr_t multiple) {
  return address / multiple * multiple;
}

// Gives the system advice on the whole pages within the `bytes` at `memory`.
void AdviseOnPages(void* memory, size_t bytes, uintptr_t page_bytes,
                   int advice) {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = RoundDown(begin + page_bytes - 1, page_bytes);
  const uintptr_t last = RoundDown(begin + bytes, page_bytes);
  if (first < last) {
    madvise(reinterpret_cast<void*>(first), last - first, advice);
  }
}

}  // namespace

bool IsFresh(const void* memory, size_t bytes) {
  const uintptr_t page =
      RoundDown(reinterpret_cast<uintptr_t>(memory) + bytes / 2, PageBytes());
  unsigned char resident = 1;
  const int error =
      mincore(reinterpret_cast<void*>(page), PageBytes(), &resident);
  return error == 0 && (resident & 1) == 0;
}

void ProvidePages(void* memory, size_t bytes) {
// Since Linux 5.14. Older kernels refuse it, and the writes trap as usual.
#ifdef MADV_POPULATE_WRITE
  constexpr int kPopulateWrite = MADV_POPULATE_WRITE;
#else
  constexpr int kPopulateWrite = 23;
#endif
  AdviseOnPages(memory, bytes, PageBytes(), kPopulateWrite);
}

void AllowHugePages(void* memory, size_t bytes) {
  AdviseOnPages(memory, bytes, kHugePageBytes, MADV_HUGEPAGE);
}

void ForbidHugePages(void* memory, size_t bytes) {
  AdviseOnPages(memory, bytes, kHugePageBytes, MADV_NOHUGEPAGE);
}

}  // namespace tf_vsinit

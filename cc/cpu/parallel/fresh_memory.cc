// Asks Linux whether pages are there, and for pages.

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

uintptr_t PageOf(uintptr_t address) { return address & ~(PageBytes() - 1); }

}  // namespace

bool IsFresh(const void* memory, size_t bytes) {
  const uintptr_t page =
      PageOf(reinterpret_cast<uintptr_t>(memory) + bytes / 2);
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
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = PageOf(begin + PageBytes() - 1);
  const uintptr_t last = PageOf(begin + bytes);
  if (first < last) {
    madvise(reinterpret_cast<void*>(first), last - first, kPopulateWrite);
  }
}

}  // namespace tf_vsinit

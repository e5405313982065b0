// Asks Linux whether pages are there, for pages, and for huge ones.

#include "cc/cpu/parallel/fresh_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tf_vsinit {
namespace {

constexpr size_t kLeastBytes = size_t{4} << 20;
// Reading the clock twice takes longer than the values of a small box.
constexpr size_t kBytesOfTimedPart = size_t{1} << 15;

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

HugePages::HugePages(void* memory, size_t bytes,
                     std::chrono::nanoseconds longest_time)
    : memory_(memory),
      bytes_(bytes >= kLeastBytes ? bytes : 0),
      longest_time_(longest_time) {
  AdviseOnPages(memory_, bytes_, kHugePageBytes, MADV_HUGEPAGE);
}

void HugePages::Provide(void* part, size_t bytes) const {
  if (bytes_ == 0 || bytes < kBytesOfTimedPart) {
    ProvidePages(part, bytes);
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  ProvidePages(part, bytes);
  if (std::chrono::steady_clock::now() - start > longest_time_) {
    AdviseOnPages(memory_, bytes_, kHugePageBytes, MADV_NOHUGEPAGE);
  }
}

}  // namespace tf_vsinit

// Fresh memory is recognised, and gets pages and huge pages on request.

#include "cc/cpu/parallel/fresh_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstring>

#include "gtest/gtest.h"

namespace tf_vsinit {
namespace {

class FreshMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    bytes_ = 64 * page_;
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    memory_ = static_cast<char*>(memory);
    // A huge page would come as a whole.
    madvise(memory_, bytes_, MADV_NOHUGEPAGE);
  }
  void TearDown() override { munmap(memory_, bytes_); }

  // Asks the kernel itself, for the last page.
  bool KernelProvidesPages() const {
    constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE
    return madvise(memory_ + bytes_ - page_, page_, kPopulateWrite) == 0;
  }

  bool IsPageFresh(size_t page) const {
    return IsFresh(memory_ + page * page_, page_);
  }

  size_t page_;
  size_t bytes_;
  char* memory_;
};

TEST_F(FreshMemoryTest, MemoryIsFreshUntilItIsWritten) {
  EXPECT_TRUE(IsFresh(memory_, bytes_));
  memset(memory_, 1, bytes_);
  EXPECT_FALSE(IsFresh(memory_, bytes_));
}

TEST_F(FreshMemoryTest, MemoryThatIsNotMappedIsNotFresh) {
  munmap(memory_, bytes_);
  EXPECT_FALSE(IsFresh(memory_, bytes_));
}

TEST_F(FreshMemoryTest, WholePagesAreProvidedAndKeepTheirContents) {
  memory_[8 * page_] = 42;
  ProvidePages(memory_ + 1, 16 * page_);
  EXPECT_TRUE(IsPageFresh(0));
  EXPECT_TRUE(IsPageFresh(16));
  EXPECT_EQ(memory_[8 * page_], 42);
  if (!KernelProvidesPages()) {
    GTEST_SKIP() << "the kernel, older than 5.14, provides no pages on request";
  }
  for (size_t page = 1; page < 16; ++page) EXPECT_FALSE(IsPageFresh(page));
}

TEST_F(FreshMemoryTest, LessThanAPageIsLeftAlone) {
  ProvidePages(memory_ + 1, page_ - 1);
  ProvidePages(memory_, 0);
  EXPECT_TRUE(IsPageFresh(0));
}

// The middle of one huge page to the middle of the fourth.
class HugePagesTest : public testing::Test {
 protected:
  void SetUp() override {
    mapped_ = static_cast<char*>(mmap(nullptr, kMapped, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(static_cast<void*>(mapped_), MAP_FAILED);
    const uintptr_t address = reinterpret_cast<uintptr_t>(mapped_);
    const uintptr_t over = address % kHugePageBytes;
    char* const first = mapped_ + (over == 0 ? 0 : kHugePageBytes - over);
    memory_ = first + kHugePageBytes / 2;
    if (IsBackedByOneWrite(first + 4 * kHugePageBytes)) {
      GTEST_SKIP() << "all memory gets huge pages here";
    }
    madvise(first + 5 * kHugePageBytes, kHugePageBytes, MADV_HUGEPAGE);
    if (!IsBackedByOneWrite(first + 5 * kHugePageBytes)) {
      GTEST_SKIP() << "no memory gets huge pages here";
    }
  }
  void TearDown() override { munmap(mapped_, kMapped); }

  // A huge page that has memory in it, counted from that of the first byte.
  char* HugePage(int i) const {
    return memory_ - kHugePageBytes / 2 + i * kHugePageBytes;
  }

  // Whether a write to the first byte of a page backs the whole huge page.
  static bool IsBackedByOneWrite(char* huge_page) {
    *huge_page = 1;
    return !IsFresh(huge_page, kHugePageBytes);
  }

  static constexpr size_t kMapped = 7 * kHugePageBytes;
  static constexpr size_t kBytes = 3 * kHugePageBytes;

  char* mapped_;
  char* memory_;
};

TEST_F(HugePagesTest, OnlyWholeOnesAreAllowed) {
  const HugePages huge_pages(memory_, kBytes);
  EXPECT_FALSE(IsBackedByOneWrite(HugePage(0)));
  EXPECT_TRUE(IsBackedByOneWrite(HugePage(1)));
  EXPECT_TRUE(IsBackedByOneWrite(HugePage(2)));
  EXPECT_FALSE(IsBackedByOneWrite(HugePage(3)));
}

TEST_F(HugePagesTest, NoneAreAllowedBelowFourMebibytes) {
  const HugePages huge_pages(HugePage(1), 2 * kHugePageBytes - 1);
  EXPECT_FALSE(IsBackedByOneWrite(HugePage(1)));
}

TEST_F(HugePagesTest, TheyStayAllowedWithinTheLongestTime) {
  const HugePages huge_pages(memory_, kBytes, std::chrono::hours(1));
  huge_pages.Provide(HugePage(1), kHugePageBytes);
  EXPECT_FALSE(IsFresh(HugePage(1), kHugePageBytes));
  EXPECT_TRUE(IsBackedByOneWrite(HugePage(2)));
}

TEST_F(HugePagesTest, TheyAreForbiddenAfterTheLongestTime) {
  const HugePages huge_pages(memory_, kBytes, std::chrono::nanoseconds(-1));
  huge_pages.Provide(HugePage(1), kHugePageBytes);
  EXPECT_FALSE(IsFresh(HugePage(1), kHugePageBytes));
  EXPECT_FALSE(IsBackedByOneWrite(HugePage(2)));
}

}  // namespace
}  // namespace tf_vsinit

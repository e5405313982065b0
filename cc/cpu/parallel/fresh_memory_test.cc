// Fresh memory is recognised, and gets pages on request.

#include "cc/cpu/parallel/fresh_memory.h"

#include <sys/mman.h>
#include <unistd.h>

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

}  // namespace
}  // namespace tf_vsinit

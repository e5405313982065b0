// The C interface and its kernels, compiled for the host: which kernel is
// launched, with which grid, and what it draws.

// clang-format off: the header replaces CUDA's.
#include <cuda_runtime.h>
// clang-format on

#include "cc/gpu/fill.cu"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <cstring>
#include <string>
#include <vector>

#include "cc/stream/golden_vectors.h"
#include "gtest/gtest.h"

namespace tf_vsinit {
namespace {

constexpr double kLimitOrStddev = 0.0731;

// Valid arguments, and the memory that they point to.
class GpuFillTest : public testing::Test {
 protected:
  GpuFillTest() : output_(64 << 10) {
    emulated_device = EmulatedDevice();
    arguments_.distribution = kTfVsinitUniform;
    arguments_.element_type = kTfVsinitFloat;
    arguments_.limit_or_stddev = kLimitOrStddev;
    arguments_.seed_kind = kTfVsinitHostInt64;
    arguments_.seed = seed_;
    arguments_.output = output_.data();
    arguments_.stream = kTfVsinitVsinitStream;
    arguments_.cuda_stream = &cuda_stream_;
    arguments_.rows = nullptr;
    arguments_.rows_are_int64 = 0;
    SetBox({100}, {0}, {100});
  }

  void SetBox(const std::vector<int64_t>& shape,
              const std::vector<int64_t>& begin,
              const std::vector<int64_t>& size) {
    shape_ = shape;
    begin_ = begin;
    size_ = size;
    arguments_.rank = static_cast<int32_t>(shape.size());
    arguments_.shape = shape_.data();
    arguments_.begin = begin_.data();
    arguments_.size = size_.data();
  }

  // Asks for rows of a table of `shape`.
  template <typename Integer>
  void SetRows(std::vector<int64_t> shape, const std::vector<Integer>& rows) {
    std::vector<int64_t> size = shape;
    size[0] = static_cast<int64_t>(rows.size());
    SetBox(shape, std::vector<int64_t>(shape.size()), size);
    arguments_.rows = rows.data();
    arguments_.rows_are_int64 = sizeof(Integer) == 8;
  }

  Box RowsBox() const {
    int64_t row_size = 1;
    for (size_t axis = 1; axis < size_.size(); ++axis) row_size *= size_[axis];
    return Box({arguments_.rows, arguments_.rows_are_int64 != 0, size_[0]},
               row_size);
  }

  // Launches, and compares the box with the scalar truth.
  template <typename T>
  void ExpectTruth(int64_t seed0, int64_t seed1) {
    ASSERT_EQ(TfVsinitGpuFill(&arguments_), 0);
    ExpectOutput<T>(seed0, seed1);
  }

  template <typename T>
  void ExpectOutput(int64_t seed0, int64_t seed1) {
    const Sampler sampler{DeriveStreamKey(seed0, seed1),
                          static_cast<Distribution>(arguments_.distribution),
                          arguments_.limit_or_stddev,
                          static_cast<Stream>(arguments_.stream)};
    const Box box =
        arguments_.rows == nullptr ? Box(shape_, begin_, size_) : RowsBox();
    ASSERT_LE(box.count() * sizeof(T), output_.size());
    for (uint64_t i = 0; i < box.count(); ++i) {
      T got;
      std::memcpy(&got, static_cast<char*>(arguments_.output) + i * sizeof(T),
                  sizeof(T));
      const T want = ElementAt<T>(sampler, box.RunAt(i).first);
      ASSERT_EQ(BitsOf(got), BitsOf(want)) << "position " << i;
    }
  }

  template <typename T>
  void ExpectTruthOfEveryStreamAndDistribution(int32_t element_type) {
    arguments_.element_type = element_type;
    for (int32_t stream : {0, 1}) {
      arguments_.stream = stream;
      for (int32_t distribution : {0, 1, 2}) {
        arguments_.distribution = distribution;
        ExpectTruth<T>(seed_[0], seed_[1]);
      }
    }
  }

  void ExpectError(const std::string& message) {
    const int32_t error = TfVsinitGpuFill(&arguments_);
    EXPECT_LT(error, 0);
    EXPECT_NE(std::string(TfVsinitGpuErrorMessage(error)).find(message),
              std::string::npos)
        << TfVsinitGpuErrorMessage(error) << " does not say " << message;
    EXPECT_EQ(emulated_device.launches, 0);
  }

  int64_t seed_[2] = {-7, int64_t{1} << 40};
  char cuda_stream_;  // only its address is used
  std::vector<char> output_;
  std::vector<int64_t> shape_, begin_, size_;
  TfVsinitGpuFillArguments arguments_;
};

TEST_F(GpuFillTest, DrawsEveryTypeStreamAndDistributionForRunsAndBoxes) {
  const auto check = [&] {
    ExpectTruthOfEveryStreamAndDistribution<Half>(kTfVsinitHalf);
    ExpectTruthOfEveryStreamAndDistribution<Bfloat16>(kTfVsinitBfloat16);
    ExpectTruthOfEveryStreamAndDistribution<float>(kTfVsinitFloat);
    ExpectTruthOfEveryStreamAndDistribution<double>(kTfVsinitDouble);
  };
  check();
  SetBox({}, {}, {});
  check();
  SetBox({int64_t{1} << 40}, {(int64_t{1} << 34) - 50}, {100});
  check();
  SetBox({30, 40}, {1, 3}, {20, 21});
  check();
}

TEST_F(GpuFillTest, DrawsListedRowsOfEveryTypeStreamAndDistribution) {
  const std::vector<int32_t> narrow = {8, 0, 3, 3, 8, 7, 1};
  const std::vector<int64_t> wide = {int64_t{1} << 50, 0, 5, 5,
                                     (int64_t{1} << 51) - 1};
  // Rows that fill vectors of the output, and rows that do not.
  for (int64_t row_size : {1, 2, 3, 5, 8, 64, 100}) {
    for (char* output : {output_.data(), output_.data() + 8}) {
      arguments_.output = output;
      const auto check = [&] {
        ExpectTruthOfEveryStreamAndDistribution<Half>(kTfVsinitHalf);
        ExpectTruthOfEveryStreamAndDistribution<Bfloat16>(kTfVsinitBfloat16);
        ExpectTruthOfEveryStreamAndDistribution<float>(kTfVsinitFloat);
        ExpectTruthOfEveryStreamAndDistribution<double>(kTfVsinitDouble);
      };
      SetRows({9, row_size}, narrow);
      check();
      SetRows({int64_t{1} << 51, row_size}, wide);
      check();
    }
  }
  arguments_.element_type = kTfVsinitFloat;
  SetRows({9, 2, 3}, narrow);
  ExpectTruth<float>(seed_[0], seed_[1]);
  SetRows({9}, narrow);
  ExpectTruth<float>(seed_[0], seed_[1]);
}

TEST_F(GpuFillTest, NoRowsAndEmptyRowsLaunchNothing) {
  const std::vector<int64_t> rows = {1, 2};
  SetRows({9, 0}, rows);
  EXPECT_EQ(TfVsinitGpuFill(&arguments_), 0);
  size_[0] = 0;
  EXPECT_EQ(TfVsinitGpuFill(&arguments_), 0);
  EXPECT_EQ(emulated_device.launches, 0);
}

TEST_F(GpuFillTest, NamesInvalidRows) {
  const std::vector<int64_t> rows = {1, 2};
  SetRows({9, 5}, rows);
  begin_[0] = 1;
  ExpectError("for rows, begin must be the origin");
  SetRows({9, 5}, rows);
  size_[1] = 4;
  ExpectError("for rows");
  SetRows({9}, rows);
  arguments_.rank = 0;
  ExpectError("for rows");
}

TEST_F(GpuFillTest, ReadsDeviceMemoryInTheOrderOfTheStream) {
  int32_t copy[2];
  const int32_t device[2] = {3, 4};
  EXPECT_EQ(TfVsinitGpuRead(device, copy, sizeof(copy), &cuda_stream_), 0);
  EXPECT_EQ(copy[1], 4);
  EXPECT_EQ(emulated_device.last_stream,
            reinterpret_cast<cudaStream_t>(&cuda_stream_));
  emulated_device.launch_error = cudaErrorEmulated;
  EXPECT_EQ(TfVsinitGpuRead(device, copy, 8, nullptr), cudaErrorEmulated);
}

#if defined(__x86_64__)
TEST_F(GpuFillTest, KeepsSubnormalsWhenTheCallerFlushesThem) {
  constexpr unsigned kFlushToZero = 0x8000, kZeroDenormals = 0x40;
  arguments_.limit_or_stddev = 3e-40;
  for (int32_t stream : {0, 1}) {
    arguments_.stream = stream;
    for (int32_t distribution : {0, 1, 2}) {
      arguments_.distribution = distribution;
      const unsigned saved = _mm_getcsr();
      _mm_setcsr(saved | kFlushToZero | kZeroDenormals);
      const int32_t error = TfVsinitGpuFill(&arguments_);
      _mm_setcsr(saved);
      ASSERT_EQ(error, 0);
      ExpectOutput<float>(seed_[0], seed_[1]);
    }
  }
}
#endif

TEST_F(GpuFillTest, ReadsSeedsOfEveryKind) {
  const int32_t narrow[2] = {-7, 5};
  const int64_t wide[2] = {-7, 5};
  for (int32_t kind : {kTfVsinitHostInt64, kTfVsinitDeviceInt64}) {
    arguments_.seed_kind = kind;
    arguments_.seed = wide;
    ExpectTruth<float>(-7, 5);
  }
  for (int32_t kind : {kTfVsinitHostInt32, kTfVsinitDeviceInt32}) {
    arguments_.seed_kind = kind;
    arguments_.seed = narrow;
    ExpectTruth<float>(-7, 5);
  }
}

TEST_F(GpuFillTest, LaunchesNoMoreBlocksThanTilesOrResidentBlocks) {
  EXPECT_EQ(TfVsinitGpuFill(&arguments_), 0);
  EXPECT_EQ(emulated_device.last_grid, 1u);
  EXPECT_EQ(emulated_device.last_stream,
            reinterpret_cast<cudaStream_t>(&cuda_stream_));
  // More than three tiles, for two multiprocessors with one block each.
  SetBox({12345}, {0}, {12345});
  ExpectTruth<float>(seed_[0], seed_[1]);
  EXPECT_EQ(emulated_device.last_grid, 2u);
}

TEST_F(GpuFillTest, SizesTheGridForEachDevice) {
  // The grid of the last device is not remembered.
  emulated_device.multiprocessors = {{0, 2}, {1, 3}, {64, 1}};
  SetBox({12345}, {0}, {12345});
  for (int repetition = 0; repetition < 2; ++repetition) {
    for (const auto& [device, multiprocessors] :
         emulated_device.multiprocessors) {
      emulated_device.current = device;
      ExpectTruth<float>(seed_[0], seed_[1]);
      EXPECT_EQ(static_cast<int>(emulated_device.last_grid), multiprocessors)
          << device;
    }
  }
}

TEST_F(GpuFillTest, LaunchesNothingForAnEmptyBox) {
  arguments_.output = nullptr;
  SetBox({5, 6}, {0, 6}, {5, 0});
  EXPECT_EQ(TfVsinitGpuFill(&arguments_), 0);
  SetBox({0}, {0}, {0});
  EXPECT_EQ(TfVsinitGpuFill(&arguments_), 0);
  EXPECT_EQ(emulated_device.launches, 0);
}

TEST_F(GpuFillTest, ReturnsTheErrorOfALaunch) {
  emulated_device.launch_error = cudaErrorEmulated;
  EXPECT_EQ(TfVsinitGpuFill(&arguments_), cudaErrorEmulated);
  EXPECT_STREQ(TfVsinitGpuErrorMessage(cudaErrorEmulated), "emulated error");
}

TEST_F(GpuFillTest, NamesInvalidArguments) {
  const TfVsinitGpuFillArguments good = arguments_;
  arguments_.distribution = 3;
  ExpectError("distribution");
  arguments_ = good;
  arguments_.stream = 2;
  ExpectError("stream");
  arguments_ = good;
  arguments_.element_type = -1;
  ExpectError("element_type");
  arguments_ = good;
  arguments_.seed_kind = 4;
  ExpectError("seed_kind");
  arguments_ = good;
  arguments_.seed = nullptr;
  ExpectError("null");
  arguments_ = good;
  arguments_.output = nullptr;
  ExpectError("null");
  arguments_ = good;
  arguments_.size = nullptr;
  ExpectError("null");
  arguments_ = good;
  arguments_.output = output_.data() + 2;
  ExpectError("aligned");
  arguments_ = good;
  arguments_.rank = -1;
  ExpectError("shape");
}

TEST_F(GpuFillTest, NamesInvalidBoxes) {
  SetBox({10, 10}, {0, 5}, {10, 6});
  ExpectError("begin and size");
  SetBox({10, 10}, {0, -1}, {10, 6});
  ExpectError("begin and size");
  SetBox({10, 10}, {0, 0}, {10, -1});
  ExpectError("begin and size");
  SetBox({-1}, {0}, {0});
  ExpectError("shape");
  SetBox({int64_t{1} << 32, int64_t{1} << 31}, {0, 0}, {1, 1});
  ExpectError("int64");
}

}  // namespace
}  // namespace tf_vsinit

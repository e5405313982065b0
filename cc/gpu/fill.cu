// The CUDA kernels behind cc/gpu/fill.h, and their launch.

#include <cuda_runtime.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "cc/gpu/fill.h"
#include "cc/gpu/plan.h"
#include "cc/gpu/tensorflow_vectors.h"
#include "cc/gpu/thread.h"
#include "cc/gpu/vsinit_vectors.h"
#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/philox.h"
#include "cc/stream/sampler.h"

namespace tf_vsinit {

// Instructions take operands straight from constant memory. The object has
// external linkage: otherwise the compiler builds each value with two more
// instructions.
__constant__ Float64Coefficients device_float64_coefficients =
    kFloat64Coefficients;

namespace {

// A seed as a kernel takes it: by value, or as a pointer to device memory.
struct SeedArgument {
  int32_t kind;  // TfVsinitSeedKind
  int64_t value[2];
  const void* device;
};

// Returns a value that is the same in the whole warp, all of which must call
// this, in a way that shows the compiler so: it then keeps the value, and what
// follows from it, in uniform registers.
__device__ uint32_t WarpUniform(uint32_t value) {
#if __CUDA_ARCH__ >= 800
  return __reduce_or_sync(0xFFFFFFFFu, value);
#else
  return value;
#endif
}

__device__ StreamKey DeriveKey(const SeedArgument& seed) {
  int64_t value[2] = {seed.value[0], seed.value[1]};
  if (seed.kind == kTfVsinitDeviceInt64) {
    value[0] = static_cast<const int64_t*>(seed.device)[0];
    value[1] = static_cast<const int64_t*>(seed.device)[1];
  } else if (seed.kind == kTfVsinitDeviceInt32) {
    value[0] = static_cast<const int32_t*>(seed.device)[0];
    value[1] = static_cast<const int32_t*>(seed.device)[1];
  }
  const StreamKey key = DeriveStreamKey(value[0], value[1]);
  return {{WarpUniform(key.key[0]), WarpUniform(key.key[1])},
          {WarpUniform(key.counter_high[0]), WarpUniform(key.counter_high[1])}};
}

// Rounds the parameter on the device, because threads of the host can flush
// subnormals to zero. WarpUniform hides where the value comes from, or else the
// compiler would round again for every vector.
__device__ float RoundedOnce(double limit_or_stddev, float) {
  const auto rounded = static_cast<float>(limit_or_stddev);
  return BitCast<float>(WarpUniform(BitCast<uint32_t>(rounded)));
}
__device__ double RoundedOnce(double limit_or_stddev, double) {
  return limit_or_stddev;
}

__device__ constexpr PairedRows kTruncatedPairs = TruncatedPairs();
__device__ constexpr PairedRows kUntruncatedPairs = UntruncatedPairs();

// Copies a table to shared memory; each of the first threads copies one pair.
__device__ void LoadRows(const PairedRows& from, PairedRows* to) {
  constexpr int kPairs = sizeof(PairedRows) / sizeof(PairedRows::Pair);
  static_assert(kPairs <= kThreadsPerBlock, "a block has too few threads");
  if (threadIdx.x < kPairs) {
    to->pair[threadIdx.x / 16][threadIdx.x % 16] =
        from.pair[threadIdx.x / 16][threadIdx.x % 16];
  }
}

template <typename T, Distribution kDistribution, Stream kStream, typename Plan>
__global__ void __launch_bounds__(kThreadsPerBlock)
    FillKernel(const __grid_constant__ Plan plan,
               const __grid_constant__ SeedArgument seed,
               const double limit_or_stddev) {
  __shared__ PairedRows rows;
  if constexpr (kStream == Stream::kVsinit &&
                kDistribution != Distribution::kUniform && sizeof(T) <= 4) {
    LoadRows(kDistribution == Distribution::kTruncatedNormal
                 ? kTruncatedPairs
                 : kUntruncatedPairs,
             &rows);
    __syncthreads();
  }
  using Real = typename ElementTraits<T>::Real;
  const StreamKey key = DeriveKey(seed);
  const Real rounded = RoundedOnce(limit_or_stddev, Real());
  if constexpr (kStream == Stream::kVsinit) {
    const VsinitVectors<T, kDistribution> vectors(
        key, rounded, DeviceTables(rows, device_float64_coefficients));
    FillThread(plan, vectors, blockIdx.x, gridDim.x, threadIdx.x);
  } else {
    const TensorFlowVectors<T, kDistribution> vectors(key, rounded);
    FillThread(plan, vectors, blockIdx.x, gridDim.x, threadIdx.x);
  }
}

// ---------------------------------------------------------------------------
// Launching.

// What TfVsinitGpuFill returns for invalid arguments.
enum ArgumentError : int32_t {
  kBadDistribution = -1,
  kBadElementType = -2,
  kBadSeedKind = -3,
  kNullPointer = -4,
  kBadBox = -5,
  kMisalignedOutput = -6,
  kBadStream = -7,
};

// Sets the number of thread blocks of a kernel that the current device runs at
// once. Asks CUDA once per device.
template <typename Kernel>
cudaError_t ResidentBlocks(Kernel* kernel, std::atomic<int>* known,
                           int known_devices, int* blocks) {
  int device;
  cudaError_t error = cudaGetDevice(&device);
  if (error != cudaSuccess) return error;
  if (device < known_devices) {
    *blocks = known[device].load(std::memory_order_relaxed);
    if (*blocks > 0) return cudaSuccess;
  }
  int multiprocessors, per_multiprocessor;
  error = cudaDeviceGetAttribute(&multiprocessors,
                                 cudaDevAttrMultiProcessorCount, device);
  if (error != cudaSuccess) return error;
  error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(
      &per_multiprocessor, kernel, kThreadsPerBlock, 0);
  if (error != cudaSuccess) return error;
  *blocks = multiprocessors * std::max(per_multiprocessor, 1);
  if (device < known_devices) {
    known[device].store(*blocks, std::memory_order_relaxed);
  }
  return cudaSuccess;
}

template <typename T, Distribution kDistribution, Stream kStream, typename Plan>
cudaError_t LaunchKernel(Plan plan, SeedArgument seed, double limit_or_stddev,
                         cudaStream_t cuda_stream) {
  constexpr int kKnownDevices = 64;
  static std::atomic<int> known[kKnownDevices];
  const auto kernel = &FillKernel<T, kDistribution, kStream, Plan>;
  int blocks;
  const cudaError_t error =
      ResidentBlocks(kernel, known, kKnownDevices, &blocks);
  if (error != cudaSuccess) return error;
  const uint64_t tiles =
      (plan.output.vectors + kVectorsPerTile - 1) / kVectorsPerTile;
  if (tiles < static_cast<uint64_t>(blocks)) blocks = static_cast<int>(tiles);
  void* parameters[] = {&plan, &seed, &limit_or_stddev};
  return cudaLaunchKernel(kernel, dim3(blocks), dim3(kThreadsPerBlock),
                          parameters, 0, cuda_stream);
}

template <typename T, Distribution kDistribution, Stream kStream>
cudaError_t LaunchPlan(const TfVsinitGpuFillArguments& arguments,
                       const Box& box, const SeedArgument& seed) {
  const auto cuda_stream = static_cast<cudaStream_t>(arguments.cuda_stream);
  RunPlan run;
  if (PlanRun<T>(box, arguments.output, &run)) {
    return LaunchKernel<T, kDistribution, kStream>(
        run, seed, arguments.limit_or_stddev, cuda_stream);
  }
  return LaunchKernel<T, kDistribution, kStream>(
      PlanBox<T>(box, arguments.output), seed, arguments.limit_or_stddev,
      cuda_stream);
}

template <typename T, Distribution kDistribution>
int32_t LaunchStream(const TfVsinitGpuFillArguments& arguments, const Box& box,
                     const SeedArgument& seed) {
  switch (arguments.stream) {
    case kTfVsinitVsinitStream:
      return LaunchPlan<T, kDistribution, Stream::kVsinit>(arguments, box,
                                                           seed);
    case kTfVsinitTensorFlowStream:
      return LaunchPlan<T, kDistribution, Stream::kTensorFlow>(arguments, box,
                                                               seed);
  }
  return kBadStream;
}

template <typename T>
int32_t LaunchElementType(const TfVsinitGpuFillArguments& arguments,
                          const Box& box, const SeedArgument& seed) {
  if (reinterpret_cast<uintptr_t>(arguments.output) % sizeof(T) != 0) {
    return kMisalignedOutput;
  }
  switch (arguments.distribution) {
    case kTfVsinitTruncatedNormal:
      return LaunchStream<T, Distribution::kTruncatedNormal>(arguments, box,
                                                             seed);
    case kTfVsinitUntruncatedNormal:
      return LaunchStream<T, Distribution::kUntruncatedNormal>(arguments, box,
                                                               seed);
    case kTfVsinitUniform:
      return LaunchStream<T, Distribution::kUniform>(arguments, box, seed);
  }
  return kBadDistribution;
}

int32_t Launch(const TfVsinitGpuFillArguments& arguments, const Box& box,
               const SeedArgument& seed) {
  switch (arguments.element_type) {
    case kTfVsinitHalf:
      return LaunchElementType<Half>(arguments, box, seed);
    case kTfVsinitBfloat16:
      return LaunchElementType<Bfloat16>(arguments, box, seed);
    case kTfVsinitFloat:
      return LaunchElementType<float>(arguments, box, seed);
    case kTfVsinitDouble:
      return LaunchElementType<double>(arguments, box, seed);
  }
  return kBadElementType;
}

// ---------------------------------------------------------------------------
// Checking.

// Whether the box lies inside the shape, and the shape's element count fits
// int64. Rows can be more than the shape has, because they can repeat.
bool IsBox(const TfVsinitGpuFillArguments& arguments) {
  if (arguments.rank < 0) return false;
  int64_t count = 1;
  for (int32_t axis = 0; axis < arguments.rank; ++axis) {
    const int64_t extent = arguments.shape[axis];
    const int64_t begin = arguments.begin[axis];
    const int64_t size = arguments.size[axis];
    if (extent < 0 || begin < 0 || size < 0 || begin > extent ||
        __builtin_mul_overflow(count, extent, &count)) {
      return false;
    }
    const bool is_listed = arguments.rows != nullptr && axis == 0;
    if (!is_listed && size > extent - begin) return false;
    if (arguments.rows != nullptr &&
        (begin != 0 || (axis > 0 && size != extent))) {
      return false;
    }
  }
  return arguments.rows == nullptr || arguments.rank > 0;
}

// Sets the seed as the kernel takes it; false if there is no such seed kind.
bool ReadSeed(const TfVsinitGpuFillArguments& arguments, SeedArgument* seed) {
  *seed = {arguments.seed_kind, {0, 0}, nullptr};
  switch (arguments.seed_kind) {
    case kTfVsinitHostInt64:
      std::copy_n(static_cast<const int64_t*>(arguments.seed), 2, seed->value);
      return true;
    case kTfVsinitHostInt32:
      std::copy_n(static_cast<const int32_t*>(arguments.seed), 2, seed->value);
      return true;
    case kTfVsinitDeviceInt64:
    case kTfVsinitDeviceInt32:
      seed->device = arguments.seed;
      return true;
  }
  return false;
}

}  // namespace
}  // namespace tf_vsinit

int32_t TfVsinitGpuFill(const TfVsinitGpuFillArguments* arguments) {
  using namespace tf_vsinit;
  const bool has_axes = arguments->rank > 0;
  if (arguments->seed == nullptr ||
      (has_axes &&
       (arguments->shape == nullptr || arguments->begin == nullptr ||
        arguments->size == nullptr))) {
    return kNullPointer;
  }
  if (!IsBox(*arguments)) return kBadBox;
  SeedArgument seed;
  if (!ReadSeed(*arguments, &seed)) return kBadSeedKind;
  const auto axes = [&](const int64_t* first) {
    return std::vector<int64_t>(first, first + arguments->rank);
  };
  const std::vector<int64_t> size = axes(arguments->size);
  int64_t count = 1;
  for (const int64_t extent : size) count *= extent;
  if (count == 0) return 0;
  const Box box =
      arguments->rows == nullptr
          ? Box(axes(arguments->shape), axes(arguments->begin), size)
          : Box({arguments->rows, arguments->rows_are_int64 != 0, size[0]},
                count / size[0]);
  if (arguments->output == nullptr) return kNullPointer;
  return Launch(*arguments, box, seed);
}

int32_t TfVsinitGpuRead(const void* device, void* host, int64_t bytes,
                        void* cuda_stream) {
  const auto stream = static_cast<cudaStream_t>(cuda_stream);
  const cudaError_t error = cudaMemcpyAsync(
      host, device, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream);
  return error == cudaSuccess ? cudaStreamSynchronize(stream) : error;
}

const char* TfVsinitGpuErrorMessage(int32_t error) {
  using namespace tf_vsinit;
  switch (error) {
    case kBadDistribution:
      return "distribution must be one of TfVsinitDistribution";
    case kBadStream:
      return "stream must be one of TfVsinitStream";
    case kBadElementType:
      return "element_type must be one of TfVsinitElementType";
    case kBadSeedKind:
      return "seed_kind must be one of TfVsinitSeedKind";
    case kNullPointer:
      return "shape, begin, size, seed and output must not be null pointers";
    case kBadBox:
      return "begin and size must lie inside shape (for rows, begin must be "
             "the "
             "origin and size end as shape does), and the element count of "
             "shape "
             "must fit int64";
    case kMisalignedOutput:
      return "output must be aligned to the element type";
  }
  return cudaGetErrorString(static_cast<cudaError_t>(error));
}

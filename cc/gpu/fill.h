// Fills GPU memory with a box of a variable's values, or with rows in any
// order. This is the C interface of the CUDA kernels: TensorFlow's kernels call
// it, and tests and benchmarks do through ctypes.

#ifndef TF_VSINIT_CC_GPU_FILL_H_
#define TF_VSINIT_CC_GPU_FILL_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

// Numbered as Distribution in cc/stream/distributions.h.
enum TfVsinitDistribution {
  kTfVsinitTruncatedNormal = 0,
  kTfVsinitUntruncatedNormal = 1,
  kTfVsinitUniform = 2,
};

// Numbered as Stream in cc/stream/sampler.h.
enum TfVsinitStream {
  kTfVsinitVsinitStream = 0,
  kTfVsinitTensorFlowStream = 1,
};

// Numbered as ElementType in cc/stream/element_type.h.
enum TfVsinitElementType {
  kTfVsinitHalf = 0,
  kTfVsinitBfloat16 = 1,
  kTfVsinitFloat = 2,
  kTfVsinitDouble = 3,
};

// The memory and the type of the two integers of a seed. int32 seeds are
// sign-extended.
enum TfVsinitSeedKind {
  kTfVsinitHostInt64 = 0,
  kTfVsinitHostInt32 = 1,
  kTfVsinitDeviceInt64 = 2,
  kTfVsinitDeviceInt32 = 3,
};

// What to draw, and where to put it. Set every field.
struct TfVsinitGpuFillArguments {
  int32_t distribution;  // TfVsinitDistribution
  int32_t stream;        // TfVsinitStream
  int32_t element_type;  // TfVsinitElementType
  // The limit of a uniform, or the standard deviation of a normal before it is
  // truncated.
  double limit_or_stddev;
  // The box [begin, begin + size) of the full shape, in host memory: `rank`
  // int64 each, with no -1 left in size. Read before the call returns.
  int32_t rank;
  int32_t seed_kind;  // TfVsinitSeedKind
  const int64_t* shape;
  const int64_t* begin;
  const int64_t* size;
  // Two integers of the kind in seed_kind. Host memory is read before the call
  // returns; device memory is read by the kernel, in the
  // order of the CUDA stream.
  const void* seed;
  // Device memory for the box, row-major; aligned to the element type.
  void* output;
  // A cudaStream_t (which is a CUstream) of the current device; null is the
  // default stream.
  void* cuda_stream;
  // Null for a box. Otherwise rows stand for the coordinates along axis 0:
  // begin is the origin, size[0] is the number of rows, and the other extents
  // of size are those of shape. Device memory for size[0] int64 or int32, which
  // must be at least 0 and below shape[0]; read by the kernel, in the order of
  // the CUDA stream.
  const void* rows;
  int32_t rows_are_int64;
};

// Launches the fill on the CUDA stream and returns 0 or an error, without
// waiting for the fill. Allocates nothing, and can be captured in a CUDA graph.
// Launches nothing for a box without elements. A later CUDA call returns the
// errors of the running kernel, as for any kernel.
int32_t TfVsinitGpuFill(const struct TfVsinitGpuFillArguments* arguments);

// Copies `bytes` of device memory to host memory, after the work that the CUDA
// stream has, and waits for that. Returns 0 or an error.
int32_t TfVsinitGpuRead(const void* device, void* host, int64_t bytes,
                        void* cuda_stream);

// The message for a value that these functions returned, a string that is never
// freed. Negative values are errors in the arguments; positive ones are
// cudaError_t.
const char* TfVsinitGpuErrorMessage(int32_t error);

#pragma GCC visibility pop
#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // TF_VSINIT_CC_GPU_FILL_H_

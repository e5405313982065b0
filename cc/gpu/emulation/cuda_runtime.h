// Emulates on the host what cc/gpu/fill.cu uses of CUDA. A test compiles that
// file with a C++ compiler and runs its kernels thread by thread.

#ifndef TF_VSINIT_CC_GPU_EMULATION_CUDA_RUNTIME_H_
#define TF_VSINIT_CC_GPU_EMULATION_CUDA_RUNTIME_H_

#include <cstddef>
#include <cstring>
#include <map>
#include <type_traits>
#include <utility>

#include "cc/stream/floating_point.h"

#define __global__
#define __device__
#define __constant__
#define __grid_constant__
#define __launch_bounds__(threads)
// Thread blocks run one at a time, and all load the same values.
#define __shared__ static

struct dim3 {
  explicit dim3(unsigned int x_in) : x(x_in) {}
  unsigned int x;
};
struct EmulatedIndex {
  unsigned int x;
};
inline EmulatedIndex blockIdx, gridDim, threadIdx;

// The threads of a thread block run one after the other, so a barrier cannot
// wait. Instead, a launch runs the grid twice: shared memory is complete the
// second time.
inline void __syncthreads() {}

enum cudaError_t { cudaSuccess = 0, cudaErrorEmulated = 1000 };
enum cudaMemcpyKind { cudaMemcpyDeviceToHost };
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount };
using cudaStream_t = struct EmulatedStream*;

// The state of the devices: tests set it, and read what was launched.
struct EmulatedDevice {
  int current = 0;
  std::map<int, int> multiprocessors = {{0, 2}};
  int blocks_per_multiprocessor = 1;
  cudaError_t launch_error = cudaSuccess;
  int launches = 0;
  unsigned int last_grid = 0;
  cudaStream_t last_stream = nullptr;
};
inline EmulatedDevice emulated_device;

inline const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorEmulated ? "emulated error" : "other error";
}
inline cudaError_t cudaGetDevice(int* device) {
  *device = emulated_device.current;
  return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr,
                                          int device) {
  *value = emulated_device.multiprocessors.at(device);
  return cudaSuccess;
}
template <typename Kernel>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Kernel*,
                                                          int, std::size_t) {
  *blocks = emulated_device.blocks_per_multiprocessor;
  return cudaSuccess;
}

inline cudaError_t cudaMemcpyAsync(void* to, const void* from,
                                   std::size_t bytes, cudaMemcpyKind,
                                   cudaStream_t stream) {
  emulated_device.last_stream = stream;
  std::memcpy(to, from, bytes);
  return emulated_device.launch_error;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

template <typename... Parameters, std::size_t... kIndex>
void EmulateThread(void (*kernel)(Parameters...), void** parameters,
                   std::index_sequence<kIndex...>) {
  kernel(*static_cast<std::remove_const_t<Parameters>*>(parameters[kIndex])...);
}

template <typename... Parameters>
cudaError_t cudaLaunchKernel(void (*kernel)(Parameters...), dim3 grid,
                             dim3 block, void** parameters, std::size_t,
                             cudaStream_t stream) {
  if (emulated_device.launch_error != cudaSuccess) {
    return emulated_device.launch_error;
  }
  ++emulated_device.launches;
  emulated_device.last_grid = grid.x;
  emulated_device.last_stream = stream;
  // A GPU does not share the floating-point mode of the calling thread.
  const tf_vsinit::StandardFloatingPoint standard;
  gridDim.x = grid.x;
  for (int repetition = 0; repetition < 2; ++repetition) {
    for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x) {
      for (threadIdx.x = 0; threadIdx.x < block.x; ++threadIdx.x) {
        EmulateThread(kernel, parameters,
                      std::index_sequence_for<Parameters...>());
      }
    }
  }
  return cudaSuccess;
}

#endif  // TF_VSINIT_CC_GPU_EMULATION_CUDA_RUNTIME_H_

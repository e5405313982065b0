// The GPU kernel of the ops on a fake device: what it allocates, launches and
// refuses.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cc/gpu/fill.h"
#include "cc/ops/fake_gpu_fill.h"
#include "cc/ops/host_device.h"
#include "tensorflow/core/framework/allocator.h"
#include "tensorflow/core/framework/node_def_builder.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/types.h"
#include "tensorflow/core/public/version.h"
#include "xla/stream_executor/stream.h"

namespace tf_vsinit {
namespace {

using tensorflow::DataType;
using tensorflow::DEVICE_CPU;
using tensorflow::DEVICE_GPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

constexpr char kDeviceName[] = "/job:localhost/replica:0/task:0/device:GPU:0";

// A stream that returns its handle. Every other call fails the test: above all
// copies and waits.
class HandleOnlyStream : public stream_executor::Stream {
 public:
  explicit HandleOnlyStream(void* handle) : handle_(handle) {}

  PlatformSpecificHandle platform_specific_handle() const override {
    return {handle_};
  }
  bool ok() const override { return true; }
  absl::StatusOr<Stream*> GetOrCreateSubStream() override { return Refused(); }
  void ReturnSubStream(Stream*) override { ADD_FAILURE(); }
  absl::Status WaitFor(Stream*) override { return Refused(); }
  absl::Status WaitFor(stream_executor::Event*) override { return Refused(); }
  absl::Status RecordEvent(stream_executor::Event*) override {
    return Refused();
  }
  absl::Status Memcpy(void*, const stream_executor::DeviceAddressBase&,
                      uint64_t) override {
    return Refused();
  }
  absl::Status Memcpy(stream_executor::DeviceAddressBase*, const void*,
                      uint64_t) override {
    return Refused();
  }
  absl::Status BlockHostUntilDone() override { return Refused(); }
  absl::Status DoHostCallbackWithStatus(
      absl::AnyInvocable<absl::Status() &&>) override {
    return Refused();
  }
  stream_executor::StreamExecutor* parent() const override {
    ADD_FAILURE();
    return nullptr;
  }
  stream_executor::CudaComputeCapability GetCudaComputeCapability()
      const override {
    return {};
  }
  stream_executor::RocmComputeCapability GetRocmComputeCapability()
      const override {
    return {};
  }
  stream_executor::OneAPIComputeCapability GetOneAPIComputeCapability()
      const override {
    return {};
  }
  std::variant<stream_executor::StreamPriority, int> priority() const override {
    return stream_executor::StreamPriority::Default;
  }
  const std::string& GetName() const override { return name_; }
  void SetName(std::string) override { ADD_FAILURE(); }

 private:
  static absl::Status Refused() {
    ADD_FAILURE() << "a kernel may only launch";
    return absl::InternalError("a kernel may only launch");
  }

  void* const handle_;
  const std::string name_ = "handle only";
};

class StreamContext : public tensorflow::DeviceContext {
 public:
  explicit StreamContext(stream_executor::Stream* stream) : stream_(stream) {}
  stream_executor::Stream* stream() const override { return stream_; }

  void CopyCPUTensorToDevice(const Tensor* from, tensorflow::Device*,
                             Tensor* to, tensorflow::StatusCallback done,
                             bool) const override {
    ASSERT_EQ(to->TotalBytes(), from->TotalBytes());
    std::memcpy(to->data(), from->data(), from->TotalBytes());
    done(absl::OkStatus());
  }

 private:
  stream_executor::Stream* const stream_;
};

// Counts allocations from the CPU's allocator.
class CountingAllocator : public tensorflow::Allocator {
 public:
  std::string Name() override { return "counting"; }
  void* AllocateRaw(size_t alignment, size_t bytes) override {
    ++count_;
    bytes_ += bytes;
    return tensorflow::cpu_allocator()->AllocateRaw(alignment, bytes);
  }
  void DeallocateRaw(void* memory) override {
    tensorflow::cpu_allocator()->DeallocateRaw(memory);
  }

  size_t count() const { return count_; }
  size_t bytes() const { return bytes_; }

 private:
  size_t count_ = 0;
  size_t bytes_ = 0;
};

// One call of an op: of the one that draws rows if there are rows.
struct Call {
  std::vector<int64_t> shape;
  std::vector<int64_t> begin;
  std::vector<int64_t> size;
  std::vector<int64_t> seed = {1, 2};
  double scale = 1.0;
  DataType dtype = tensorflow::DT_FLOAT;
  std::string distribution = "truncated_normal";
  std::vector<int64_t> input_axes = {};
  std::vector<int64_t> output_axes = {};
  bool batch = false;  // `seed` then holds one pair after another
  DataType seed_dtype = tensorflow::DT_INT64;
  std::string stream = "vsinit";
  std::optional<std::vector<int64_t>> rows = std::nullopt;
  DataType rows_dtype = tensorflow::DT_INT64;
};

Tensor VectorTensor(const std::vector<int64_t>& values) {
  Tensor tensor(tensorflow::DT_INT64,
                tensorflow::TensorShape({static_cast<int64_t>(values.size())}));
  std::copy(values.begin(), values.end(), tensor.flat<int64_t>().data());
  return tensor;
}

Tensor VectorTensor(const std::vector<int64_t>& values, DataType dtype) {
  if (dtype == tensorflow::DT_INT64) return VectorTensor(values);
  Tensor tensor(tensorflow::DT_INT32,
                tensorflow::TensorShape({static_cast<int64_t>(values.size())}));
  std::copy(values.begin(), values.end(), tensor.flat<int32_t>().data());
  return tensor;
}

Tensor SeedTensor(const Call& call) {
  Tensor flat = VectorTensor(call.seed, call.seed_dtype);
  if (!call.batch) return flat;
  Tensor pairs;
  EXPECT_TRUE(pairs.CopyFrom(flat, {flat.NumElements() / 2, 2}));
  return pairs;
}

class GpuKernelTest : public testing::Test {
 protected:
  void SetUp() override { ResetFakeGpu(); }

  std::unique_ptr<OpKernel> MakeKernel(const char* device_type,
                                       const Call& call) {
    tensorflow::NodeDef node;
    tensorflow::NodeDefBuilder builder(
        "draw", call.rows ? "VsinitStatelessVarianceScalingRows"
                          : "VsinitStatelessVarianceScaling");
    builder.Input("shape", 0, tensorflow::DT_INT64)
        .Input("seed", 0, call.seed_dtype);
    if (call.rows) {
      builder.Input("rows", 0, call.rows_dtype);
    } else {
      builder.Input("begin", 0, tensorflow::DT_INT64)
          .Input("size", 0, tensorflow::DT_INT64)
          .Attr("batch", call.batch);
    }
    absl::Status status = builder.Input("scale", 0, tensorflow::DT_DOUBLE)
                              .Attr("dtype", call.dtype)
                              .Attr("distribution", call.distribution)
                              .Attr("stream", call.stream)
                              .Attr("input_axes", call.input_axes)
                              .Attr("output_axes", call.output_axes)
                              .Finalize(&node);
    EXPECT_TRUE(status.ok()) << status;
    auto kernel = tensorflow::CreateOpKernel(
        tensorflow::DeviceType(device_type), &device_,
        tensorflow::cpu_allocator(), node, TF_GRAPH_DEF_VERSION, &status);
    EXPECT_TRUE(status.ok()) << status;
    return kernel;
  }

  // Runs a kernel for `device_type`. Returns its status, and its output if OK.
  absl::Status Run(const char* device_type, const Call& call,
                   Tensor* output = nullptr) {
    const auto kernel = MakeKernel(device_type, call);
    std::vector<Tensor> tensors = {VectorTensor(call.shape), SeedTensor(call)};
    if (call.rows) {
      tensors.push_back(VectorTensor(*call.rows, call.rows_dtype));
    } else {
      tensors.push_back(VectorTensor(call.begin));
      tensors.push_back(VectorTensor(call.size));
    }
    tensors.push_back(
        Tensor(tensorflow::DT_DOUBLE, tensorflow::TensorShape({})));
    tensors.back().scalar<double>()() = call.scale;
    std::vector<tensorflow::TensorValue> inputs;
    for (Tensor& tensor : tensors) inputs.emplace_back(&tensor);

    tensorflow::AllocatorAttributes on_device;
    OpKernelContext::Params params;
    params.device = &device_;
    params.op_kernel = kernel.get();
    params.inputs = inputs;
    params.op_device_context = context_.get();
    params.output_attr_array = &on_device;
    OpKernelContext context(&params);
    kernel->Compute(&context);
    if (context.status().ok() && output != nullptr) {
      *output = *context.mutable_output(0);
    }
    return context.status();
  }

  int handle_;  // only its address is used
  HandleOnlyStream stream_{&handle_};
  tensorflow::core::RefCountPtr<StreamContext> context_{
      new StreamContext(&stream_)};
  HostDevice<CountingAllocator> device_{kDeviceName};
};

TEST_F(GpuKernelTest, TakesItsInputsFromTheHostAndLeavesItsOutputOnTheDevice) {
  const auto kernel = MakeKernel(DEVICE_GPU, {{4}, {0}, {-1}});
  for (tensorflow::MemoryType type : kernel->input_memory_types()) {
    EXPECT_EQ(type, tensorflow::HOST_MEMORY);
  }
  EXPECT_EQ(kernel->output_memory_types()[0], tensorflow::DEVICE_MEMORY);
}

TEST_F(GpuKernelTest, LaunchesOnceOnTheStreamOfTheDevice) {
  Tensor output;
  ASSERT_TRUE(Run(DEVICE_GPU,
                  {{5, 7, 11}, {1, 0, 3}, {-1, 2, 8}, {-3, int64_t{1} << 40}},
                  &output)
                  .ok());
  ASSERT_EQ(FakeLaunches().size(), 1);
  const FakeLaunch& launch = FakeLaunches()[0];
  EXPECT_EQ(launch.arguments.cuda_stream, &handle_);
  EXPECT_EQ(launch.arguments.output, output.data());
  EXPECT_EQ(launch.arguments.stream, kTfVsinitVsinitStream);
  EXPECT_EQ(launch.arguments.seed_kind, kTfVsinitHostInt64);
  EXPECT_EQ(launch.shape, (std::vector<int64_t>{5, 7, 11}));
  EXPECT_EQ(launch.begin, (std::vector<int64_t>{1, 0, 3}));
  EXPECT_EQ(launch.size, (std::vector<int64_t>{4, 2, 8}));
  EXPECT_EQ(output.shape(), tensorflow::TensorShape({4, 2, 8}));
}

TEST_F(GpuKernelTest, LaunchesOnceForEachSeedOfABatch) {
  Call call = {{6, 5}, {2, 1}, {3, -1}, {1, 2, -3, 4, 5, int64_t{1} << 40}};
  call.batch = true;
  Tensor cpu, gpu;
  ASSERT_TRUE(Run(DEVICE_CPU, call, &cpu).ok());
  ASSERT_TRUE(Run(DEVICE_GPU, call, &gpu).ok());
  EXPECT_EQ(FakeLaunches().size(), 3);
  EXPECT_EQ(gpu.shape(), tensorflow::TensorShape({3, 3, 4}));
  EXPECT_EQ(gpu.tensor_data(), cpu.tensor_data());
}

TEST_F(GpuKernelTest, PassesSeedsOf32BitsAsTheyAre) {
  Call call = {{6, 5}, {2, 1}, {3, -1}, {1, 2, -3, 4}};
  call.batch = true;
  Tensor wide, narrow;
  ASSERT_TRUE(Run(DEVICE_GPU, call, &wide).ok());
  call.seed_dtype = tensorflow::DT_INT32;
  ResetFakeGpu();
  ASSERT_TRUE(Run(DEVICE_GPU, call, &narrow).ok());
  ASSERT_EQ(FakeLaunches().size(), 2);
  EXPECT_EQ(FakeLaunches()[1].arguments.seed_kind, kTfVsinitHostInt32);
  EXPECT_EQ(narrow.tensor_data(), wide.tensor_data());
}

TEST_F(GpuKernelTest, AllocatesItsOutputAndNothingElse) {
  Tensor output;
  ASSERT_TRUE(Run(DEVICE_GPU, {{300, 200}, {100, 0}, {-1, -1}}, &output).ok());
  EXPECT_EQ(device_.allocator().count(), 1);
  EXPECT_EQ(device_.allocator().bytes(), 200 * 200 * sizeof(float));
}

TEST_F(GpuKernelTest, AnEmptyTensorLaunchesNothing) {
  Tensor output;
  ASSERT_TRUE(Run(DEVICE_GPU, {{4, 0}, {0, 0}, {-1, -1}}, &output).ok());
  EXPECT_EQ(output.shape(), tensorflow::TensorShape({4, 0}));
  ASSERT_TRUE(Run(DEVICE_GPU, {{4, 6}, {4, 0}, {-1, -1}}, &output).ok());
  EXPECT_EQ(output.shape(), tensorflow::TensorShape({0, 6}));
  EXPECT_TRUE(FakeLaunches().empty());
}

TEST_F(GpuKernelTest, LaunchesWhatTheCpuKernelDraws) {
  for (DataType dtype : {tensorflow::DT_HALF, tensorflow::DT_BFLOAT16,
                         tensorflow::DT_FLOAT, tensorflow::DT_DOUBLE}) {
    for (const char* distribution :
         {"truncated_normal", "untruncated_normal", "uniform"}) {
      for (const Call& box :
           {Call{{}, {}, {}}, Call{{33, 17}, {0, 0}, {-1, -1}},
            Call{{6, 5, 9}, {2, 1, 3}, {3, -1, 5}, {-7, 9}, 2.5}}) {
        Call call = box;
        call.dtype = dtype;
        call.distribution = distribution;
        Tensor cpu, gpu;
        ASSERT_TRUE(Run(DEVICE_CPU, call, &cpu).ok());
        ASSERT_TRUE(Run(DEVICE_GPU, call, &gpu).ok());
        EXPECT_EQ(gpu.shape(), cpu.shape());
        EXPECT_EQ(gpu.tensor_data(), cpu.tensor_data())
            << tensorflow::DataTypeString(dtype) << " " << distribution;
      }
    }
  }
}

TEST_F(GpuKernelTest, LaunchesTheTensorFlowStream) {
  for (DataType dtype : {tensorflow::DT_HALF, tensorflow::DT_DOUBLE}) {
    Call call = {{33, 17}, {2, 1}, {-1, -1}};
    call.dtype = dtype;
    call.stream = "tensorflow";
    Tensor cpu, gpu;
    ASSERT_TRUE(Run(DEVICE_CPU, call, &cpu).ok());
    ResetFakeGpu();
    ASSERT_TRUE(Run(DEVICE_GPU, call, &gpu).ok());
    ASSERT_EQ(FakeLaunches().size(), 1);
    EXPECT_EQ(FakeLaunches()[0].arguments.stream, kTfVsinitTensorFlowStream);
    EXPECT_EQ(gpu.tensor_data(), cpu.tensor_data());
  }
}

// Rows of a table of this shape.
Call RowsCall(std::vector<int64_t> shape, std::vector<int64_t> rows) {
  Call call = {std::move(shape), {}, {}};
  call.rows = std::move(rows);
  return call;
}

TEST_F(GpuKernelTest, LaunchesTheRowsThatTheCpuKernelDraws) {
  for (DataType dtype : {tensorflow::DT_INT32, tensorflow::DT_INT64}) {
    Call call = RowsCall({9, 2, 5}, {8, 0, 3, 3, 7, 1, 2, 8, 8, 0});
    call.rows_dtype = dtype;
    Tensor cpu, gpu;
    ASSERT_TRUE(Run(DEVICE_CPU, call, &cpu).ok());
    ResetFakeGpu();
    ASSERT_TRUE(Run(DEVICE_GPU, call, &gpu).ok());
    EXPECT_EQ(gpu.shape(), tensorflow::TensorShape({10, 2, 5}));
    EXPECT_EQ(gpu.tensor_data(), cpu.tensor_data());
    ASSERT_EQ(FakeLaunches().size(), 1);
    EXPECT_EQ(FakeLaunches()[0].shape, (std::vector<int64_t>{9, 2, 5}));
    EXPECT_EQ(FakeLaunches()[0].size, (std::vector<int64_t>{10, 2, 5}));
  }
}

TEST_F(GpuKernelTest, TakesRowsFromTheHostAndCopiesThemToTheDevice) {
  const Call call = RowsCall({9, 5}, {8, 0, 3});
  const auto kernel = MakeKernel(DEVICE_GPU, call);
  for (tensorflow::MemoryType type : kernel->input_memory_types()) {
    EXPECT_EQ(type, tensorflow::HOST_MEMORY);
  }
  ASSERT_TRUE(Run(DEVICE_GPU, call).ok());
  // The output, and the copy of the rows.
  EXPECT_EQ(device_.allocator().count(), 2);
  EXPECT_EQ(device_.allocator().bytes(), 3 * 5 * sizeof(float) + 3 * 8);
}

TEST_F(GpuKernelTest, NoRowsLaunchNothing) {
  Tensor output;
  ASSERT_TRUE(Run(DEVICE_GPU, RowsCall({9, 5}, {}), &output).ok());
  EXPECT_EQ(output.shape(), tensorflow::TensorShape({0, 5}));
  EXPECT_TRUE(FakeLaunches().empty());
}

TEST_F(GpuKernelTest, BadRowsGetTheSameErrorAsOnTheCpu) {
  for (const Call& call :
       {RowsCall({9, 5}, {3, 9}), RowsCall({9, 5}, {-1}), RowsCall({}, {0})}) {
    const absl::Status cpu = Run(DEVICE_CPU, call);
    const absl::Status gpu = Run(DEVICE_GPU, call);
    EXPECT_EQ(gpu.code(), absl::StatusCode::kInvalidArgument) << gpu;
    EXPECT_EQ(gpu.message(), cpu.message());
  }
  EXPECT_TRUE(FakeLaunches().empty());
}

TEST_F(GpuKernelTest, AFailedLaunchIsAnErrorWithCudasMessage) {
  ResetFakeGpu(209);
  const absl::Status status = Run(DEVICE_GPU, {{8}, {0}, {-1}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find(kFakeGpuMessage), std::string::npos);
  EXPECT_NE(status.message().find("209"), std::string::npos) << status;
}

TEST_F(GpuKernelTest, ADeviceWithoutAStreamIsAnErrorThatNamesIt) {
  context_.reset();
  const absl::Status status = Run(DEVICE_GPU, {{8}, {0}, {-1}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find(kDeviceName), std::string::npos) << status;
  EXPECT_TRUE(FakeLaunches().empty());
}

TEST_F(GpuKernelTest, BadInputGetsTheSameErrorAsOnTheCpu) {
  const Call calls[] = {
      {{3, -4}, {0, 0}, {-1, -1}},
      {{3, 4}, {0}, {-1, -1}},
      {{3, 4}, {0, 5}, {-1, -1}},
      {{3, 4}, {0, 0}, {4, -1}},
      {{3, 4}, {0, 0}, {-1, -1}, {1, 2, 3}},
      {{3, 4}, {0, 0}, {-1, -1}, {1, 2}, -1.0},
      {{3, 4}, {0, 0}, {-1, -1}, {1, 2}, 1e20, tensorflow::DT_HALF},
      {{3, 4},
       {0, 0},
       {-1, -1},
       {1, 2},
       1.0,
       tensorflow::DT_FLOAT,
       "uniform",
       {2},
       {0}},
  };
  for (const Call& call : calls) {
    const absl::Status cpu = Run(DEVICE_CPU, call);
    const absl::Status gpu = Run(DEVICE_GPU, call);
    EXPECT_EQ(gpu.code(), absl::StatusCode::kInvalidArgument) << gpu;
    EXPECT_EQ(gpu.message(), cpu.message());
  }
  EXPECT_TRUE(FakeLaunches().empty());
}

}  // namespace
}  // namespace tf_vsinit

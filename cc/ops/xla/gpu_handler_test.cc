// The GPU handlers, called as XLA calls them, with a fake stream.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cc/gpu/fill.h"
#include "cc/ops/draw.h"
#include "cc/ops/fake_gpu_fill.h"
#include "cc/ops/xla/call.h"
#include "cc/ops/xla/find_handler.h"
#include "cc/ops/xla/handler.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

// Addresses in "device memory", which nothing on the host may read.
void* const kSeed = reinterpret_cast<void*>(0x10000);
void* const kOutput = reinterpret_cast<void*>(0x20000);
void* const kStream = reinterpret_cast<void*>(0x30000);

XLA_FFI_Error* GiveStream(XLA_FFI_Stream_Get_Args* args) {
  args->stream = kStream;
  return nullptr;
}

struct Buffer {
  XLA_FFI_DataType dtype;
  void* data;
  std::vector<int64_t> dims;

  XLA_FFI_Buffer ForXla() {
    return {XLA_FFI_Buffer_STRUCT_SIZE,        nullptr,    dtype, data,
            static_cast<int64_t>(dims.size()), dims.data()};
  }
};

// A call as the lowering writes it: for rows if it has them.
struct Call {
  Buffer seed = {XLA_FFI_DataType_S64, kSeed, {2}};
  Buffer output = {XLA_FFI_DataType_F32, kOutput, {3, 4}};
  Draw draw = {
      Distribution::kUniform, Stream::kVsinit, 0.25, {9, 4}, {5, 0}, {3, 4}};
  std::optional<Buffer> rows = std::nullopt;
};

// A call for three rows, which the fake GPU reads from here.
Call RowsCall(XLA_FFI_DataType dtype, void* rows) {
  Call call;
  call.draw.begin = {0, 0};
  call.rows = Buffer{dtype, rows, {3}};
  return call;
}

// The attributes of a Draw as XLA passes them. They point into the Draw.
class XlaAttributes {
 public:
  explicit XlaAttributes(Draw* draw) {
    VisitXlaAttributes(*draw, [this](const char* name, auto& field) {
      names_.push_back({name, strlen(name)});
      Add(&field);
    });
    for (XLA_FFI_ByteSpan& name : names_) name_pointers_.push_back(&name);
  }

  XLA_FFI_Attrs ForXla() {
    return {XLA_FFI_Attrs_STRUCT_SIZE,
            nullptr,
            static_cast<int64_t>(names_.size()),
            types_.data(),
            name_pointers_.data(),
            values_.data()};
  }

 private:
  void Add(std::vector<int64_t>* values) {
    arrays_.push_back({XLA_FFI_DataType_S64, values->size(), values->data()});
    types_.push_back(XLA_FFI_AttrType_ARRAY);
    values_.push_back(&arrays_.back());
  }
  void Add(Distribution* distribution) {
    AddScalar(XLA_FFI_DataType_S32, distribution);
  }
  void Add(Stream* stream) { AddScalar(XLA_FFI_DataType_S32, stream); }
  void Add(double* value) { AddScalar(XLA_FFI_DataType_F64, value); }
  void AddScalar(XLA_FFI_DataType type, void* value) {
    scalars_.push_back({type, value});
    types_.push_back(XLA_FFI_AttrType_SCALAR);
    values_.push_back(&scalars_.back());
  }

  // Deques keep the addresses of what they hold.
  std::deque<XLA_FFI_Array> arrays_;
  std::deque<XLA_FFI_Scalar> scalars_;
  std::vector<XLA_FFI_ByteSpan> names_;
  std::vector<XLA_FFI_ByteSpan*> name_pointers_;
  std::vector<XLA_FFI_AttrType> types_;
  std::vector<void*> values_;
};

// XLA's table of functions, except for the stream.
XLA_FFI_Api ApiWithFakeStream() {
  XLA_FFI_Api api = *ffi::GetXlaFfiApi();
  api.XLA_FFI_Stream_Get = GiveStream;
  return api;
}

// Runs the registered handler; returns what it answers, empty for success.
std::string CallHandler(Call call) {
  const auto handler =
      ffi::FindHandler(call.rows ? kXlaRowsCallTarget : kXlaCallTarget, "CUDA");
  if (!handler.ok()) return std::string(handler.status().message());

  XLA_FFI_Buffer seed = call.seed.ForXla(), output = call.output.ForXla();
  XLA_FFI_Buffer rows = call.rows ? call.rows->ForXla() : seed;
  XLA_FFI_ArgType arg_types[] = {XLA_FFI_ArgType_BUFFER,
                                 XLA_FFI_ArgType_BUFFER};
  XLA_FFI_RetType ret_type = XLA_FFI_RetType_BUFFER;
  void *args[] = {&seed, &rows}, *ret = &output;

  XlaAttributes attributes(&call.draw);

  const XLA_FFI_Api api = ApiWithFakeStream();
  XLA_FFI_CallFrame frame = {};
  frame.struct_size = XLA_FFI_CallFrame_STRUCT_SIZE;
  frame.api = &api;
  frame.stage = XLA_FFI_ExecutionStage_EXECUTE;
  frame.args = {XLA_FFI_Args_STRUCT_SIZE, nullptr, call.rows ? 2 : 1, arg_types,
                args};
  frame.rets = {XLA_FFI_Rets_STRUCT_SIZE, nullptr, 1, &ret_type, &ret};
  frame.attrs = attributes.ForXla();

  XLA_FFI_Error* error = handler->bundle.execute(&frame);
  if (error == nullptr) return "";
  const std::string message = ffi::internal::GetErrorMessage(&api, error);
  ffi::internal::DestroyError(&api, error);
  return message;
}

class GpuHandlerTest : public testing::Test {
 protected:
  void SetUp() override { ResetFakeGpu(); }
};

TEST_F(GpuHandlerTest, LaunchesOnXlasStreamAndLeavesTheSeedOnTheDevice) {
  ASSERT_EQ(CallHandler({}), "");
  ASSERT_EQ(FakeLaunches().size(), 1);
  const FakeLaunch& launch = FakeLaunches()[0];
  EXPECT_EQ(launch.arguments.cuda_stream, kStream);
  EXPECT_EQ(launch.arguments.seed, kSeed);
  EXPECT_EQ(launch.arguments.seed_kind, kTfVsinitDeviceInt64);
  EXPECT_EQ(launch.arguments.output, kOutput);
  EXPECT_EQ(launch.arguments.distribution, kTfVsinitUniform);
  EXPECT_EQ(launch.arguments.stream, kTfVsinitVsinitStream);
  EXPECT_EQ(launch.arguments.limit_or_stddev, 0.25);
  EXPECT_EQ(launch.shape, (std::vector<int64_t>{9, 4}));
  EXPECT_EQ(launch.begin, (std::vector<int64_t>{5, 0}));
  EXPECT_EQ(launch.size, (std::vector<int64_t>{3, 4}));
}

TEST_F(GpuHandlerTest, TakesSeedsOf32Bits) {
  Call call;
  call.seed.dtype = XLA_FFI_DataType_S32;
  ASSERT_EQ(CallHandler(call), "");
  EXPECT_EQ(FakeLaunches()[0].arguments.seed_kind, kTfVsinitDeviceInt32);
}

TEST_F(GpuHandlerTest, LaunchesOnceForEachSeedOfABatch) {
  for (const auto& [dtype, bytes] :
       {std::pair{XLA_FFI_DataType_S32, 4}, {XLA_FFI_DataType_S64, 8}}) {
    ResetFakeGpu();
    Call call;
    call.seed.dtype = dtype;
    call.seed.dims = {3, 2};
    call.output.dims = {3, 3, 4};
    ASSERT_EQ(CallHandler(call), "");
    ASSERT_EQ(FakeLaunches().size(), 3);
    for (int i = 0; i < 3; ++i) {
      const FakeLaunch& launch = FakeLaunches()[i];
      EXPECT_EQ(launch.size, (std::vector<int64_t>{3, 4}));
      EXPECT_EQ(launch.arguments.seed,
                static_cast<char*>(kSeed) + i * 2 * bytes);
      EXPECT_EQ(launch.arguments.output,
                static_cast<char*>(kOutput) + i * 12 * sizeof(float));
    }
  }
}

TEST_F(GpuHandlerTest, DrawsEveryElementType) {
  const std::pair<XLA_FFI_DataType, int32_t> types[] = {
      {XLA_FFI_DataType_F16, kTfVsinitHalf},
      {XLA_FFI_DataType_BF16, kTfVsinitBfloat16},
      {XLA_FFI_DataType_F32, kTfVsinitFloat},
      {XLA_FFI_DataType_F64, kTfVsinitDouble}};
  for (const auto& [xla_type, element_type] : types) {
    ResetFakeGpu();
    Call call;
    call.output.dtype = xla_type;
    ASSERT_EQ(CallHandler(call), "");
    EXPECT_EQ(FakeLaunches()[0].arguments.element_type, element_type);
  }
}

TEST_F(GpuHandlerTest, DrawsTheTensorFlowStream) {
  Call call;
  call.draw.stream = Stream::kTensorFlow;
  ASSERT_EQ(CallHandler(call), "");
  EXPECT_EQ(FakeLaunches()[0].arguments.stream, kTfVsinitTensorFlowStream);
}

TEST_F(GpuHandlerTest, AScalarIsABoxWithoutAxes) {
  Call call;
  call.draw.shape = call.draw.begin = call.draw.size = {};
  call.output.dims = {};
  ASSERT_EQ(CallHandler(call), "");
  EXPECT_EQ(FakeLaunches()[0].arguments.rank, 0);
}

TEST_F(GpuHandlerTest, AnEmptyBoxLaunchesNothing) {
  Call call;
  call.draw.size = call.output.dims = {0, 4};
  EXPECT_EQ(CallHandler(call), "");
  EXPECT_TRUE(FakeLaunches().empty());
}

TEST_F(GpuHandlerTest, AFailedLaunchIsAnErrorWithCudasMessage) {
  ResetFakeGpu(209);
  EXPECT_NE(CallHandler({}).find(kFakeGpuMessage), std::string::npos)
      << CallHandler({});
}

TEST_F(GpuHandlerTest, LaunchesRowsAndLeavesThemOnTheDevice) {
  int64_t wide[] = {8, 0, 8};
  int32_t narrow[] = {8, 0, 8};
  for (Call call : {RowsCall(XLA_FFI_DataType_S64, wide),
                    RowsCall(XLA_FFI_DataType_S32, narrow)}) {
    ResetFakeGpu();
    ASSERT_EQ(CallHandler(call), "");
    EXPECT_EQ(StreamOfFakeRead(), kStream);
    ASSERT_EQ(FakeLaunches().size(), 1);
    const FakeLaunch& launch = FakeLaunches()[0];
    EXPECT_EQ(launch.arguments.rows, call.rows->data);
    EXPECT_EQ(launch.arguments.rows_are_int64,
              call.rows->dtype == XLA_FFI_DataType_S64);
    EXPECT_EQ(launch.shape, (std::vector<int64_t>{9, 4}));
    EXPECT_EQ(launch.size, (std::vector<int64_t>{3, 4}));
  }
}

TEST_F(GpuHandlerTest, RowsOutsideTheTableAreAnErrorThatNamesThem) {
  int64_t rows[] = {8, 9, 0};
  EXPECT_NE(CallHandler(RowsCall(XLA_FFI_DataType_S64, rows))
                .find("rows[1] must be at least 0 and below shape[0] = 9, got "
                      "9"),
            std::string::npos);
  EXPECT_TRUE(FakeLaunches().empty());
}

TEST_F(GpuHandlerTest, AFailedReadOfRowsIsAnErrorWithCudasMessage) {
  int64_t rows[] = {8, 1, 0};
  ResetFakeGpu(209);
  EXPECT_NE(CallHandler(RowsCall(XLA_FFI_DataType_S64, rows))
                .find("could not read rows from the GPU"),
            std::string::npos);
}

TEST_F(GpuHandlerTest, RefusesRowsThatTheLoweringDoesNotWrite) {
  int64_t rows[] = {8, 1, 0};
  const Call good = RowsCall(XLA_FFI_DataType_S64, rows);
  Call more_rows = good, other_type = good, more_seeds = good;
  more_rows.rows->dims = {4};
  other_type.rows->dtype = XLA_FFI_DataType_F32;
  more_seeds.seed.dims = {2, 2};
  more_seeds.output.dims = {2, 3, 4};
  for (const Call& call : {more_rows, other_type, more_seeds}) {
    EXPECT_NE(CallHandler(call).find("do not agree"), std::string::npos);
  }
  EXPECT_TRUE(FakeLaunches().empty());
}

TEST_F(GpuHandlerTest, RefusesACallThatTheLoweringDoesNotWrite) {
  Call other_seed, more_seeds, other_type, other_size, other_rank, outside,
      negative, overflowing, other_distribution, other_stream;
  other_seed.seed.dims = {3};
  more_seeds.seed.dims = {2, 2};
  other_type.output.dtype = XLA_FFI_DataType_S32;
  other_size.draw.size = {3, 3};
  other_rank.draw.begin = {5};
  outside.draw.begin = {7, 0};
  negative.draw.size = {-3, -4};
  overflowing.draw.shape = overflowing.draw.size = {1LL << 32, 1LL << 32};
  overflowing.output.dims = {0};
  other_distribution.draw.distribution = static_cast<Distribution>(3);
  other_stream.draw.stream = static_cast<Stream>(2);
  for (const Call& call :
       {other_seed, more_seeds, other_type, other_size, other_rank, outside,
        negative, overflowing, other_distribution, other_stream}) {
    EXPECT_NE(CallHandler(call).find("do not agree"), std::string::npos)
        << CallHandler(call);
  }
  EXPECT_TRUE(FakeLaunches().empty());
}

}  // namespace
}  // namespace tf_vsinit

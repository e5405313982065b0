// Fuzzes the buffers and attributes of XLA's calls: the CPU handlers run a
// call, or refuse it without writing its result, and touch no other memory.

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "cc/fuzz/input.h"
#include "cc/ops/draw.h"
#include "cc/ops/xla/call.h"
#include "cc/ops/xla/find_handler.h"
#include "cc/ops/xla/handler.h"

namespace tf_vsinit {
namespace {

namespace ffi = xla::ffi;

constexpr XLA_FFI_DataType kIntegers[] = {XLA_FFI_DataType_S64,
                                          XLA_FFI_DataType_S32};
constexpr XLA_FFI_DataType kFloats[] = {
    XLA_FFI_DataType_F32, XLA_FFI_DataType_F16, XLA_FFI_DataType_BF16,
    XLA_FFI_DataType_F64};
constexpr XLA_FFI_DataType kOthers[] = {
    XLA_FFI_DataType_S32, XLA_FFI_DataType_S64, XLA_FFI_DataType_F64,
    XLA_FFI_DataType_U8, XLA_FFI_DataType_PRED};
constexpr int64_t kMostElements = 1 << 14;

// A buffer with memory of its own.
class Buffer {
 public:
  Buffer(XLA_FFI_DataType dtype, std::vector<int64_t> dims)
      : dtype_(dtype), dims_(std::move(dims)) {
    int64_t count = 1;
    for (const int64_t extent : dims_) count *= extent;
    memory_.resize(count * ffi::ByteWidth(static_cast<ffi::DataType>(dtype)));
  }

  std::vector<char>& memory() { return memory_; }
  XLA_FFI_Buffer ForXla() {
    return {
        XLA_FFI_Buffer_STRUCT_SIZE,         nullptr,     dtype_, memory_.data(),
        static_cast<int64_t>(dims_.size()), dims_.data()};
  }

 private:
  XLA_FFI_DataType dtype_;
  std::vector<int64_t> dims_;
  std::vector<char> memory_;
};

// A scalar type that is usually `usual`.
XLA_FFI_DataType TakeType(FuzzInput& input, XLA_FFI_DataType usual) {
  return input.OneIn(24) ? input.OneOf(kOthers) : usual;
}

// Returns up to four small extents.
std::vector<int64_t> TakeDims(FuzzInput& input) {
  std::vector<int64_t> dims(input.Below(5));
  for (int64_t& extent : dims) extent = input.Below(11);
  return dims;
}

// Returns `dims`, or others if a buffer of them would be large.
std::vector<int64_t> SmallDims(FuzzInput& input, std::vector<int64_t> dims) {
  int64_t count = 1;
  for (const int64_t extent : dims) {
    if (extent < 0 || extent > kMostElements) return TakeDims(input);
    count *= extent;
    if (count > kMostElements) return TakeDims(input);
  }
  return dims;
}

Buffer TakeIntegers(FuzzInput& input, std::vector<int64_t> dims) {
  const XLA_FFI_DataType dtype = input.OneOf(kIntegers);
  Buffer buffer(TakeType(input, dtype), std::move(dims));
  for (char& byte : buffer.memory()) byte = 0;
  const size_t width = dtype == XLA_FFI_DataType_S32 ? 4 : 8;
  for (size_t at = 0; at + width <= buffer.memory().size(); at += width) {
    const int64_t integer = input.Integer();
    std::memcpy(&buffer.memory()[at], &integer, width);
  }
  return buffer;
}

// The attributes of a Draw as XLA passes them. Sometimes one has a wrong name
// or type, or is missing. They point into the Draw.
class XlaAttributes {
 public:
  XlaAttributes(FuzzInput& input, Draw* draw) : input_(input) {
    VisitXlaAttributes(*draw, [this](const char* name, auto& field) {
      if (input_.OneIn(32)) return;
      names_.push_back(input_.OneIn(32) ? "surplus" : name);
      Add(&field);
    });
    for (const std::string& name : names_) {
      spans_.push_back({name.data(), name.size()});
      span_pointers_.push_back(&spans_.back());
    }
  }

  XLA_FFI_Attrs ForXla() {
    return {XLA_FFI_Attrs_STRUCT_SIZE,
            nullptr,
            static_cast<int64_t>(names_.size()),
            types_.data(),
            span_pointers_.data(),
            values_.data()};
  }

 private:
  void Add(std::vector<int64_t>* values) {
    arrays_.push_back({TakeType(input_, XLA_FFI_DataType_S64), values->size(),
                       values->data()});
    types_.push_back(XLA_FFI_AttrType_ARRAY);
    values_.push_back(&arrays_.back());
  }
  void Add(Distribution* value) { AddScalar(XLA_FFI_DataType_S32, value); }
  void Add(Stream* value) { AddScalar(XLA_FFI_DataType_S32, value); }
  void Add(double* value) { AddScalar(XLA_FFI_DataType_F64, value); }
  void AddScalar(XLA_FFI_DataType type, void* value) {
    scalars_.push_back({TakeType(input_, type), value});
    types_.push_back(XLA_FFI_AttrType_SCALAR);
    values_.push_back(&scalars_.back());
  }

  FuzzInput& input_;
  // Deques keep the addresses of what they hold.
  std::deque<XLA_FFI_Array> arrays_;
  std::deque<XLA_FFI_Scalar> scalars_;
  std::deque<std::string> names_;
  std::deque<XLA_FFI_ByteSpan> spans_;
  std::vector<XLA_FFI_ByteSpan*> span_pointers_;
  std::vector<XLA_FFI_AttrType> types_;
  std::vector<void*> values_;
};

XLA_FFI_Error* GiveTwoThreads(XLA_FFI_ThreadPool_NumThreads_Args* args) {
  *args->num_threads = 2;
  return nullptr;
}

XLA_FFI_Error* RunAtOnce(XLA_FFI_ThreadPool_Schedule_Args* args) {
  args->task(args->data);
  return nullptr;
}

// XLA's table of functions, except for those of the pool.
XLA_FFI_Api ApiWithFakePool() {
  XLA_FFI_Api api = *ffi::GetXlaFfiApi();
  api.XLA_FFI_ThreadPool_NumThreads = GiveTwoThreads;
  api.XLA_FFI_ThreadPool_Schedule = RunAtOnce;
  return api;
}

const ffi::HandlerRegistration& Handler(bool lists_rows) {
  static const auto& box = *new auto(ffi::FindHandler(kXlaCallTarget, "Host"));
  static const auto& rows =
      *new auto(ffi::FindHandler(kXlaRowsCallTarget, "Host"));
  const auto& found = lists_rows ? rows : box;
  Require(found.ok(), "the handler is registered");
  return *found;
}

// Calls a handler. Returns whether it succeeds.
bool CallHandler(bool lists_rows, Buffer& seeds, Buffer& rows, Buffer& output,
                 XlaAttributes& attributes) {
  XLA_FFI_Buffer buffers[] = {seeds.ForXla(), rows.ForXla(), output.ForXla()};
  XLA_FFI_ArgType arg_types[] = {XLA_FFI_ArgType_BUFFER,
                                 XLA_FFI_ArgType_BUFFER};
  XLA_FFI_RetType ret_type = XLA_FFI_RetType_BUFFER;
  void *args[] = {&buffers[0], &buffers[1]}, *ret = &buffers[2];

  static const XLA_FFI_Api api = ApiWithFakePool();
  XLA_FFI_CallFrame frame = {};
  frame.struct_size = XLA_FFI_CallFrame_STRUCT_SIZE;
  frame.api = &api;
  frame.stage = XLA_FFI_ExecutionStage_EXECUTE;
  frame.args = {XLA_FFI_Args_STRUCT_SIZE, nullptr, lists_rows ? 2 : 1,
                arg_types, args};
  frame.rets = {XLA_FFI_Rets_STRUCT_SIZE, nullptr, 1, &ret_type, &ret};
  frame.attrs = attributes.ForXla();

  XLA_FFI_Error* error = Handler(lists_rows).bundle.execute(&frame);
  if (error != nullptr) ffi::internal::DestroyError(&api, error);
  return error == nullptr;
}

Draw TakeDraw(FuzzInput& input) {
  const size_t rank = input.Below(4);
  Draw draw = {static_cast<Distribution>(input.Below(4)),
               static_cast<Stream>(input.Below(3)),
               0.25,
               input.Integers(rank),
               std::vector<int64_t>(rank, 0),
               {}};
  draw.size = draw.shape;
  if (input.OneIn(4)) draw.limit_or_stddev = input.Take<double>();
  if (input.OneIn(3)) draw.begin = input.Integers(rank);
  if (input.OneIn(3)) draw.size = input.Integers(rank);
  if (input.OneIn(32)) draw.begin = input.Integers(input.Below(4));
  return draw;
}

// Whether memory keeps the byte that it was filled with.
bool IsUntouched(const std::vector<char>& memory, char byte) {
  for (const char found : memory) {
    if (found != byte) return false;
  }
  return true;
}

}  // namespace
}  // namespace tf_vsinit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  using namespace tf_vsinit;
  FuzzInput input(data, bytes);
  const bool lists_rows = input.OneIn(2);
  Draw draw = TakeDraw(input);
  std::vector<int64_t> output_dims = draw.size;
  std::vector<int64_t> seed_dims = {2};
  if (input.OneIn(3)) {
    seed_dims.insert(seed_dims.begin(), input.Below(4));
    output_dims.insert(output_dims.begin(), seed_dims[0]);
  }
  if (input.OneIn(24)) seed_dims = TakeDims(input);
  if (input.OneIn(24)) output_dims = TakeDims(input);
  std::vector<int64_t> rows_dims = {
      draw.size.empty() || input.OneIn(24) ? 3 : draw.size[0]};

  Buffer seeds = TakeIntegers(input, SmallDims(input, seed_dims));
  Buffer rows = TakeIntegers(input, SmallDims(input, rows_dims));
  const XLA_FFI_DataType dtype = input.OneOf(kFloats);
  Buffer output(TakeType(input, dtype), SmallDims(input, output_dims));
  XlaAttributes attributes(input, &draw);
  constexpr char kNaN = -1;  // all bits set
  for (char& byte : output.memory()) byte = kNaN;
  const bool drawn = CallHandler(lists_rows, seeds, rows, output, attributes);
  Require(drawn || IsUntouched(output.memory(), kNaN),
          "a handler that refuses a call leaves its result alone");
  return 0;
}

// Reads the ops' custom calls in a handler.
//
// Of XLA's two sets of headers with the same names (see call.h), this file
// includes the one for use outside of XLA.

#ifndef TF_VSINIT_CC_OPS_XLA_HANDLER_H_
#define TF_VSINIT_CC_OPS_XLA_HANDLER_H_

#include <cstdint>
#include <vector>

#include "cc/ops/draw.h"
#include "cc/ops/xla/call.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element_type.h"
#include "cc/stream/rows.h"
#include "cc/stream/sampler.h"
#include "cc/stream/seeds.h"
#include "xla/ffi/api/ffi.h"

namespace xla::ffi {

// xla/ffi/ffi_api.h declares it too, and includes half of XLA. tensorflow and
// tensorflow-cpu both export it; only tensorflow exports XLA_FFI_GetApi, which
// returns the same table.
const XLA_FFI_Api* GetXlaFfiApi();

}  // namespace xla::ffi

namespace tf_vsinit {

// A call, read from its attributes and buffers.
struct HandlerCall {
  Draw draw;
  ElementType type;
  Seeds seeds;  // in the memory of the call's operand
  Rows rows;    // likewise; without integers if the call lists none
};

// The operand, result and attributes of a call, after a context of XLA's.
template <typename Context>
auto BindCall() {
  namespace ffi = xla::ffi;
  return ffi::Ffi::Bind()
      .Ctx<Context>()
      .template Arg<ffi::AnyBuffer>()
      .template Ret<ffi::AnyBuffer>()
      .Attrs();
}

// The same for rows.
template <typename Context>
auto BindRowsCall() {
  namespace ffi = xla::ffi;
  return ffi::Ffi::Bind()
      .Ctx<Context>()
      .template Arg<ffi::AnyBuffer>()
      .template Arg<ffi::AnyBuffer>()
      .template Ret<ffi::AnyBuffer>()
      .Attrs();
}

namespace internal {

// The functions below return false for what no lowering of ours writes.

inline bool ToElementType(xla::ffi::DataType dtype, ElementType* type) {
  switch (dtype) {
    case xla::ffi::F16:
      *type = ElementType::kHalf;
      return true;
    case xla::ffi::BF16:
      *type = ElementType::kBfloat16;
      return true;
    case xla::ffi::F32:
      *type = ElementType::kFloat;
      return true;
    case xla::ffi::F64:
      *type = ElementType::kDouble;
      return true;
    default:
      return false;
  }
}

inline bool ToSeeds(const xla::ffi::AnyBuffer& buffer, Seeds* seeds) {
  const bool are_int64 = buffer.element_type() == xla::ffi::S64;
  *seeds = {buffer.untyped_data(), are_int64,
            static_cast<int64_t>(buffer.element_count() / 2)};
  return (are_int64 || buffer.element_type() == xla::ffi::S32) &&
         buffer.element_count() % 2 == 0;
}

inline bool ToRows(const xla::ffi::AnyBuffer& buffer, Rows* rows) {
  const bool are_int64 = buffer.element_type() == xla::ffi::S64;
  *rows = {buffer.untyped_data(), are_int64,
           static_cast<int64_t>(buffer.element_count())};
  return are_int64 || buffer.element_type() == xla::ffi::S32;
}

inline bool Decode(const xla::ffi::Dictionary& attributes, const char* name,
                   std::vector<int64_t>* field) {
  const auto value = attributes.get<xla::ffi::Span<const int64_t>>(name);
  if (value.has_value()) field->assign(value->begin(), value->end());
  return value.has_value();
}

// An enumeration of the values from 0 to `last`.
template <typename Enum>
bool DecodeEnum(const xla::ffi::Dictionary& attributes, const char* name,
                Enum last, Enum* field) {
  const auto value = attributes.get<int32_t>(name);
  if (!value.has_value() || *value < 0 || *value > static_cast<int32_t>(last)) {
    return false;
  }
  *field = static_cast<Enum>(*value);
  return true;
}

inline bool Decode(const xla::ffi::Dictionary& attributes, const char* name,
                   Distribution* field) {
  return DecodeEnum(attributes, name, Distribution::kUniform, field);
}

inline bool Decode(const xla::ffi::Dictionary& attributes, const char* name,
                   Stream* field) {
  return DecodeEnum(attributes, name, Stream::kTensorFlow, field);
}

inline bool Decode(const xla::ffi::Dictionary& attributes, const char* name,
                   double* field) {
  const auto value = attributes.get<double>(name);
  if (value.has_value()) *field = *value;
  return value.has_value();
}

inline bool Decode(const xla::ffi::Dictionary& attributes, Draw* draw) {
  bool decoded = true;
  VisitXlaAttributes(*draw, [&](const char* name, auto& field) {
    decoded = decoded && Decode(attributes, name, &field);
  });
  return decoded && draw->shape.size() == draw->size.size() &&
         draw->begin.size() == draw->size.size();
}

// Whether the box lies within the shape. Listed rows may be more than the rows
// of the table.
inline bool IsInside(const Draw& draw, bool lists_rows) {
  for (size_t axis = 0; axis < draw.shape.size(); ++axis) {
    const int64_t shape = draw.shape[axis], begin = draw.begin[axis];
    const int64_t size = draw.size[axis];
    if (begin < 0 || begin > shape || size < 0) return false;
    if (size > shape - begin && !(lists_rows && axis == 0)) return false;
  }
  return HasCount(draw.shape) && HasCount(draw.size);
}

inline xla::ffi::Error Disagreement() {
  return xla::ffi::Error::Internal(
      "the lowering and the handler of tf_vsinit's XLA call do not agree");
}

}  // namespace internal

// Reads a call. Internal if the buffers and attributes do not fit together.
inline xla::ffi::Error ReadCall(const xla::ffi::AnyBuffer& seeds,
                                const xla::ffi::AnyBuffer& output,
                                const xla::ffi::Dictionary& attributes,
                                HandlerCall* call, bool lists_rows = false) {
  int64_t count;
  if (internal::Decode(attributes, &call->draw) &&
      internal::IsInside(call->draw, lists_rows) &&
      internal::ToSeeds(seeds, &call->seeds) &&
      internal::ToElementType(output.element_type(), &call->type) &&
      !__builtin_mul_overflow(call->seeds.count, call->draw.count(), &count) &&
      count == static_cast<int64_t>(output.element_count())) {
    return xla::ffi::Error::Success();
  }
  return internal::Disagreement();
}

// Reads a call for rows, without looking at them.
inline xla::ffi::Error ReadRowsCall(const xla::ffi::AnyBuffer& seeds,
                                    const xla::ffi::AnyBuffer& rows,
                                    const xla::ffi::AnyBuffer& output,
                                    const xla::ffi::Dictionary& attributes,
                                    HandlerCall* call) {
  if (!internal::ToRows(rows, &call->rows)) return internal::Disagreement();
  const xla::ffi::Error error =
      ReadCall(seeds, output, attributes, call, /*lists_rows=*/true);
  if (error.success() && (call->seeds.count != 1 || call->draw.size.empty() ||
                          call->draw.size[0] != call->rows.count)) {
    return internal::Disagreement();
  }
  return error;
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_XLA_HANDLER_H_

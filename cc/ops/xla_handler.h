// What the handlers of the op's custom call have in common.
//
// XLA has two sets of headers for handlers, with the same names in them; this
// is the one for use outside of XLA.

#ifndef TF_VSINIT_CC_OPS_XLA_HANDLER_H_
#define TF_VSINIT_CC_OPS_XLA_HANDLER_H_

#include <cstddef>
#include <cstdint>

#include "cc/ops/xla_call.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element_type.h"
#include "xla/ffi/api/ffi.h"

XLA_FFI_REGISTER_ENUM_ATTR_DECODING(tf_vsinit::Distribution);

namespace xla::ffi {

// Also declared in xla/ffi/ffi_api.h, with half of XLA. Of the two ways to the
// same table this one is exported by tensorflow and tensorflow-cpu alike; the
// other, XLA_FFI_GetApi, by the former alone.
const XLA_FFI_Api* GetXlaFfiApi();

}  // namespace xla::ffi

namespace tf_vsinit {

// The element type of a buffer; false for one that the op does not draw.
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

// The call's operand, result and attributes, after a context of XLA's.
template <typename Context>
auto BindCall() {
  namespace ffi = xla::ffi;
  return ffi::Ffi::Bind()
      .Ctx<Context>()
      .template Arg<ffi::AnyBuffer>()
      .template Ret<ffi::AnyBuffer>()
      .template Attr<Distribution>(kXlaDistribution)
      .template Attr<double>(kXlaLimitOrStddev)
      .template Attr<ffi::Span<const int64_t>>(kXlaShape)
      .template Attr<ffi::Span<const int64_t>>(kXlaBegin)
      .template Attr<ffi::Span<const int64_t>>(kXlaSize);
}

// The number of seeds in a buffer of their words.
inline size_t SeedCount(const xla::ffi::AnyBuffer& seeds) {
  return seeds.element_count() / 2;
}

// Whether buffers and attributes are those of one call, as the lowering writes
// it, and of which element type.
inline bool IsCall(const xla::ffi::AnyBuffer& seeds,
                   const xla::ffi::AnyBuffer& output,
                   xla::ffi::Span<const int64_t> shape,
                   xla::ffi::Span<const int64_t> begin,
                   xla::ffi::Span<const int64_t> size, ElementType* type) {
  uint64_t count = SeedCount(seeds);
  for (const int64_t extent : size) count *= extent;
  const bool are_words = seeds.element_type() == xla::ffi::S32 ||
                         seeds.element_type() == xla::ffi::S64;
  return are_words && seeds.element_count() % 2 == 0 &&
         shape.size() == size.size() && begin.size() == size.size() &&
         count == output.element_count() &&
         ToElementType(output.element_type(), type);
}

// What a handler answers to a call that no lowering of ours writes.
inline xla::ffi::Error HandlerMismatch() {
  return xla::ffi::Error::Internal(
      "the lowering and the handler of tf_vsinit's XLA call do not agree");
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_XLA_HANDLER_H_

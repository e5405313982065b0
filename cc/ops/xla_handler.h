// What the handlers of the op's custom call have in common.
//
// XLA has two sets of headers for handlers, with the same names in them; this
// is the one for use outside of XLA.

#ifndef TF_VSINIT_CC_OPS_XLA_HANDLER_H_
#define TF_VSINIT_CC_OPS_XLA_HANDLER_H_

#include "cc/cpu/fill.h"
#include "cc/stream/distributions.h"
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

// What a handler answers to a call that no lowering of ours writes.
inline xla::ffi::Error HandlerMismatch() {
  return xla::ffi::Error::Internal(
      "the lowering and the handler of tf_vsinit's XLA call do not agree");
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_XLA_HANDLER_H_

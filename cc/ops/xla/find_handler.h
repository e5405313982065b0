// XLA's look-up of a registered handler, for tests.

#ifndef TF_VSINIT_CC_OPS_XLA_FIND_HANDLER_H_
#define TF_VSINIT_CC_OPS_XLA_FIND_HANDLER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "xla/ffi/api/c_api.h"

namespace xla::ffi {

// As xla/ffi/ffi_api.h declares them. It includes headers that no wheel has.
struct HandlerRegistration {
  XLA_FFI_Metadata metadata;
  XLA_FFI_Handler_Bundle bundle;
};

absl::StatusOr<HandlerRegistration> FindHandler(absl::string_view name,
                                                absl::string_view platform);

}  // namespace xla::ffi

#endif  // TF_VSINIT_CC_OPS_XLA_FIND_HANDLER_H_

// How the op says what is wrong with its arguments.

#ifndef TF_VSINIT_CC_OPS_ERRORS_H_
#define TF_VSINIT_CC_OPS_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tf_vsinit {

// InvalidArgument with the pieces of its message put together.
template <typename... Pieces>
absl::Status InvalidArgument(const Pieces&... pieces) {
  return absl::InvalidArgumentError(absl::StrCat(pieces...));
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_ERRORS_H_

// The form of the op's error messages.

#ifndef TF_VSINIT_CC_OPS_ERRORS_H_
#define TF_VSINIT_CC_OPS_ERRORS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"

namespace tf_vsinit {

// InvalidArgument, with a message made of the parts.
template <typename... Parts>
absl::Status InvalidArgument(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// "[3, 5]". Of a long list, the first entries, the last one and the count.
inline std::string ListOf(absl::Span<const int64_t> values) {
  constexpr size_t kMost = 16, kFirst = 8;
  if (values.size() <= kMost) {
    return absl::StrCat("[", absl::StrJoin(values, ", "), "]");
  }
  return absl::StrCat("[", absl::StrJoin(values.first(kFirst), ", "), ", ..., ",
                      values.back(), "] (", values.size(), " entries)");
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_ERRORS_H_

// Checks the rows of a call, for the kernels and XLA's handlers.

#ifndef TF_VSINIT_CC_OPS_CHECK_ROWS_H_
#define TF_VSINIT_CC_OPS_CHECK_ROWS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "cc/ops/errors.h"
#include "cc/stream/rows.h"

namespace tf_vsinit {

// InvalidArgument if a row is not in a table with `extent` rows.
inline absl::Status CheckRows(const Rows& rows, int64_t extent) {
  const auto is_outside = [&](int64_t i) {
    // A negative row is a large number here.
    return rows.At(i) >= static_cast<uint64_t>(extent);
  };
  bool any = false;
  // No early exit, so that the compiler can vectorize this.
  for (int64_t i = 0; i < rows.count; ++i) any |= is_outside(i);
  if (!any) return absl::OkStatus();
  int64_t i = 0;
  while (!is_outside(i)) ++i;
  return InvalidArgument("rows[", i,
                         "] must be at least 0 and below shape[0] = ", extent,
                         ", got ", static_cast<int64_t>(rows.At(i)));
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_CHECK_ROWS_H_

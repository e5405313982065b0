// A launch of the GPU fill, from the terms of TensorFlow's side.

#ifndef TF_VSINIT_CC_OPS_GPU_LAUNCH_H_
#define TF_VSINIT_CC_OPS_GPU_LAUNCH_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/gpu/fill.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element_type.h"

namespace tf_vsinit {

static_assert(static_cast<int>(Distribution::kTruncatedNormal) ==
                      kTfVsinitTruncatedNormal &&
                  static_cast<int>(Distribution::kUntruncatedNormal) ==
                      kTfVsinitUntruncatedNormal &&
                  static_cast<int>(Distribution::kUniform) ==
                      kTfVsinitUniform &&
                  static_cast<int>(ElementType::kHalf) == kTfVsinitHalf &&
                  static_cast<int>(ElementType::kBfloat16) ==
                      kTfVsinitBfloat16 &&
                  static_cast<int>(ElementType::kFloat) == kTfVsinitFloat &&
                  static_cast<int>(ElementType::kDouble) == kTfVsinitDouble,
              "the GPU fill numbers distributions and element types as we do");

// Puts the fill on its stream and does not wait for it. Internal, with CUDA's
// own words, if it cannot be put there.
inline absl::Status LaunchGpuFill(const TfVsinitGpuFillArguments& arguments) {
  const int32_t error = TfVsinitGpuFill(&arguments);
  if (error == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("tf_vsinit could not launch a draw on the GPU: ",
                   TfVsinitGpuErrorMessage(error), " (error ", error, ")"));
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_GPU_LAUNCH_H_

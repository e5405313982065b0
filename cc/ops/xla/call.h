// The custom calls that the ops become under XLA: what the lowering writes and
// the handlers read.
//
// First operand: the seed, [2], or the seeds of a batch, [n, 2]; int32 or
// int64. The call for rows has them as its second operand: [n]; int32 or int64.
// Result: the boxes of all seeds, row-major, one after the other. Attributes:
// the fields of a Draw.
//
// XLA has two sets of headers with the same names in them, one for the lowering
// and one for handlers. This header includes neither.

#ifndef TF_VSINIT_CC_OPS_XLA_CALL_H_
#define TF_VSINIT_CC_OPS_XLA_CALL_H_

namespace tf_vsinit {

inline constexpr char kXlaCallTarget[] = "tf_vsinit.variance_scaling";
inline constexpr char kXlaRowsCallTarget[] = "tf_vsinit.variance_scaling_rows";

// Calls visit(name, field) for each attribute, in the order of the names, which
// is XLA's. `draw` is a Draw, const or not.
template <typename AnyDraw, typename Visit>
void VisitXlaAttributes(AnyDraw& draw, Visit visit) {
  visit("begin", draw.begin);
  visit("distribution", draw.distribution);
  visit("limit_or_stddev", draw.limit_or_stddev);
  visit("shape", draw.shape);
  visit("size", draw.size);
  visit("stream", draw.stream);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_XLA_CALL_H_

// The custom call that the op becomes under XLA: what its two ends, the
// lowering and the handlers, agree on.
//
// Operand: the seed, [2], or n seeds, [n, 2]; int32 or int64. Result: the
// box, or the boxes of all seeds in turn, row-major. Attributes: those
// below, with begin and size as checked (no -1 left).

#ifndef TF_VSINIT_CC_OPS_XLA_CALL_H_
#define TF_VSINIT_CC_OPS_XLA_CALL_H_

namespace tf_vsinit {

inline constexpr char kXlaCallTarget[] = "tf_vsinit.variance_scaling";

// Names of the attributes.
inline constexpr char kXlaDistribution[] = "distribution";      // i32
inline constexpr char kXlaLimitOrStddev[] = "limit_or_stddev";  // f64
inline constexpr char kXlaShape[] = "shape";                    // array<i64>
inline constexpr char kXlaBegin[] = "begin";                    // array<i64>
inline constexpr char kXlaSize[] = "size";                      // array<i64>

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_XLA_CALL_H_

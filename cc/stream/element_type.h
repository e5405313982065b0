// The types of elements, for run-time dispatch.

#ifndef TF_VSINIT_CC_STREAM_ELEMENT_TYPE_H_
#define TF_VSINIT_CC_STREAM_ELEMENT_TYPE_H_

namespace tf_vsinit {

enum class ElementType { kHalf, kBfloat16, kFloat, kDouble };

// The bytes of one element.
inline int ElementSize(ElementType type) {
  switch (type) {
    case ElementType::kHalf:
    case ElementType::kBfloat16:
      return 2;
    case ElementType::kFloat:
      return 4;
    case ElementType::kDouble:
      return 8;
  }
  return 0;
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_STREAM_ELEMENT_TYPE_H_

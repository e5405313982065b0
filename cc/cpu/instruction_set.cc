#include "cc/cpu/instruction_set.h"

#include <cstdint>

// clang-format off: this comes before Highway.
#include "cc/cpu/targets.h"
// clang-format on
#include "hwy/highway.h"

namespace tf_vsinit {
namespace {

std::string NameOf(int64_t target) {
  const std::string name = hwy::TargetName(target);
  return name == "SSE4" || name == "EMU128" || name == "SCALAR" ? "scalar"
                                                                : name;
}

}  // namespace

std::string InstructionSet() { return InstructionSets().front(); }

std::vector<std::string> InstructionSets() {
  std::vector<std::string> names;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    const std::string name = NameOf(target);
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

bool UseInstructionSet(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  int64_t chosen = name.empty() ? hwy::SupportedTargets() : 0;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (NameOf(target) == name) chosen = target;
  }
  if (chosen == 0) return false;
  if (!name.empty()) hwy::SetSupportedTargetsForTest(chosen);
  hwy::GetChosenTarget().Update(chosen);
  return true;
}

}  // namespace tf_vsinit

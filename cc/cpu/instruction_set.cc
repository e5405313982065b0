#include "cc/cpu/instruction_set.h"

#include <atomic>
#include <cstdint>

// clang-format off: this comes before Highway.
#include "cc/cpu/targets.h"
// clang-format on
#include "hwy/highway.h"

namespace tf_vsinit {
namespace {

struct Target {
  const char* name;
  int64_t value;  // One of Highway's HWY_AVX2 and so on.
};

#if HWY_ARCH_X86
// A processor with AVX2 and BMI2 also has F16C and LZCNT, which older compilers
// cannot ask for.
bool HasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
}

bool HasAvx3() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd");
}
#endif

// The targets of this machine, best first.
const std::vector<Target>& Targets() {
  static const std::vector<Target>& targets = *[] {
    auto* targets = new std::vector<Target>;
#if HWY_TARGETS & HWY_AVX3 & ~HWY_STATIC_TARGET
    if (HasAvx3()) targets->push_back({"AVX3", HWY_AVX3});
#endif
#if HWY_TARGETS & HWY_AVX2 & ~HWY_STATIC_TARGET
    if (HasAvx2()) targets->push_back({"AVX2", HWY_AVX2});
#endif
    targets->push_back(
        {TF_VSINIT_HAS_VECTORS ? hwy::TargetName(HWY_STATIC_TARGET) : "scalar",
         HWY_STATIC_TARGET});
    return targets;
  }();
  return targets;
}

std::atomic<const Target*>& Chosen() {
  static std::atomic<const Target*> chosen{&Targets().front()};
  return chosen;
}

}  // namespace

int64_t ChosenTarget() { return Chosen().load()->value; }

std::string InstructionSet() { return Chosen().load()->name; }

std::vector<std::string> InstructionSets() {
  std::vector<std::string> names;
  for (const Target& target : Targets()) names.push_back(target.name);
  return names;
}

bool UseInstructionSet(const std::string& name) {
  for (const Target& target : Targets()) {
    if (name.empty() || name == target.name) {
      Chosen().store(&target);
      return true;
    }
  }
  return false;
}

}  // namespace tf_vsinit

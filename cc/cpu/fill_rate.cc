// Prints how fast one thread fills memory that stays in its caches.
//
// That is the limit that arithmetic sets, whatever the memory. The argument can
// be an instruction set, such as AVX2. With two numbers as its arguments, FILLS
// and ROW, the program only makes so many fills of a row of its table, from 0
// to 23, so that a tool can count instructions.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "cc/cpu/fill.h"
#include "cc/cpu/instruction_set.h"
#include "cc/stream/box.h"
#include "cc/stream/distributions.h"
#include "cc/stream/element_type.h"
#include "cc/stream/sampler.h"

namespace tf_vsinit {
namespace {

constexpr int64_t kElements = 16384;
constexpr int kSamples = 21;
constexpr int kFillsPerSample = 64;

struct Kind {
  std::string name;
  Sampler sampler;
  ElementType type;
};

std::vector<Kind> Kinds() {
  const StreamKey key = DeriveStreamKey(1, 2);
  std::vector<Kind> kinds;
  for (const auto& [stream, stream_name] :
       {std::pair(Stream::kVsinit, "vsinit"),
        std::pair(Stream::kTensorFlow, "tensorflow")}) {
    for (const auto& [distribution, distribution_name] :
         {std::pair(Distribution::kTruncatedNormal, "truncated_normal"),
          std::pair(Distribution::kUntruncatedNormal, "untruncated_normal"),
          std::pair(Distribution::kUniform, "uniform")}) {
      for (const auto& [type, type_name] :
           {std::pair(ElementType::kFloat, "float32"),
            std::pair(ElementType::kDouble, "float64"),
            std::pair(ElementType::kBfloat16, "bfloat16"),
            std::pair(ElementType::kHalf, "float16")}) {
        kinds.push_back({std::string(stream_name) + " | " + distribution_name +
                             " | " + type_name,
                         Sampler{key, distribution, 1.0, stream}, type});
      }
    }
  }
  return kinds;
}

void Fill(const Kind& kind, int fills) {
  static const Box box({kElements}, {0}, {kElements});
  static std::vector<double> memory(kElements);
  for (int i = 0; i < fills; ++i) {
    FillBox(kind.sampler, kind.type, box, 0, kElements, memory.data(),
            Reuse::kSoon);
  }
}

double MedianNanosecondsPerValue(const Kind& kind) {
  Fill(kind, kFillsPerSample);
  std::vector<double> samples;
  for (int i = 0; i < kSamples; ++i) {
    const auto start = std::chrono::steady_clock::now();
    Fill(kind, kFillsPerSample);
    const std::chrono::duration<double, std::nano> time =
        std::chrono::steady_clock::now() - start;
    samples.push_back(time.count() / (kFillsPerSample * kElements));
  }
  std::sort(samples.begin(), samples.end());
  return samples[kSamples / 2];
}

void PrintRates() {
  std::printf("%s, one thread, %d elements at a time\n\n",
              InstructionSet().c_str(), static_cast<int>(kElements));
  std::printf(
      "| stream | distribution | dtype | ns per value | million values "
      "per second |\n|---|---|---|--:|--:|\n");
  for (const Kind& kind : Kinds()) {
    const double nanoseconds = MedianNanosecondsPerValue(kind);
    std::printf("| %s | %.2f | %.0f |\n", kind.name.c_str(), nanoseconds,
                1e3 / nanoseconds);
  }
}

}  // namespace
}  // namespace tf_vsinit

int main(int argc, char** argv) {
  const char* set = argc == 2 ? argv[1] : "";
  if (argc <= 2 && tf_vsinit::UseInstructionSet(set)) {
    tf_vsinit::PrintRates();
    return 0;
  }
  const auto kinds = tf_vsinit::Kinds();
  const int row = argc == 3 ? std::atoi(argv[2]) : -1;
  if (row < 0 || row >= static_cast<int>(kinds.size())) {
    std::fprintf(stderr,
                 "usage: fill_rate [INSTRUCTION_SET | FILLS ROW], with an "
                 "instruction set of this machine, and ROW from 0 to %d\n",
                 static_cast<int>(kinds.size()) - 1);
    return 2;
  }
  tf_vsinit::Fill(kinds[row], std::atoi(argv[1]));
  return 0;
}

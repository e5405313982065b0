// Runs a fuzz target without libFuzzer: `replay CORPUS COUNT` runs it on the
// inputs of a corpus, a line of hexadecimal digits each, and on COUNT
// pseudo-random inputs, the same every time.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes);

namespace {

// libFuzzer too passes memory that ends with the input, so that a sanitizer
// sees reads beyond it.
void Run(std::vector<uint8_t> input) {
  input.shrink_to_fit();
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

std::vector<uint8_t> FromHexadecimal(const std::string& line) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 2 <= line.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(
        std::strtoul(line.substr(i, 2).c_str(), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS COUNT\n", argv[0]);
    return 2;
  }
  std::ifstream corpus(argv[1]);
  int lines = 0;
  for (std::string line; std::getline(corpus, line); ++lines) {
    // A failure ends the process, so the last line is the input that failed.
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
    Run(FromHexadecimal(line));
  }
  if (lines == 0) {
    std::fprintf(stderr, "%s has no inputs\n", argv[1]);
    return 1;
  }
  const int count = std::atoi(argv[2]);
  std::mt19937 random(20240607);
  for (int i = 0; i < count; ++i) {
    std::printf("pseudo-random input %d\n", i);
    std::fflush(stdout);
    std::vector<uint8_t> input(random() % 256);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random());
    Run(std::move(input));
  }
  return 0;
}

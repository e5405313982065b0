#!/usr/bin/env bash
# Compiles fuzz targets with clang and runs libFuzzer on each for FUZZ_SECONDS: fuzz.sh TARGET...
#
# It runs as a Bazel test, and is skipped where there is no clang with libFuzzer. libFuzzer prints an
# input that fails, also in base64, and leaves it in the undeclared outputs of the test.
set -euo pipefail

build=${TEST_TMPDIR}

# Prints the newest clang++ that can link libFuzzer, or nothing.
find_clang() {
  local clang
  echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, long) { return 0; }' >"${build}/try.cc"
  for clang in $(compgen -c clang++ | grep -x 'clang++\(-[0-9]*\)\?' | sort -rVu); do
    if "${clang}" -fsanitize=fuzzer,address "${build}/try.cc" -o "${build}/try" 2>/dev/null; then
      echo "${clang}"
      return
    fi
  done
}

skip() {
  echo "skipped: $1"
  cat >"${XML_OUTPUT_FILE}" <<XML
<testsuites><testsuite name="fuzz" tests="1" skipped="1">
<testcase name="fuzz"><skipped message="$1"/></testcase>
</testsuite></testsuites>
XML
  exit
}

# Prints the sources that a target is linked from.
sources_of() {
  echo "cc/fuzz/$1_fuzzer.cc" cc/cpu/{fill,instruction_set}.cc
  case $1 in
    kernel) echo cc/cpu/parallel/fresh_memory.cc cc/ops/{arguments,cpu_kernel,op_definition}.cc ;;
    handler) echo cc/cpu/parallel/fresh_memory.cc cc/ops/xla/cpu_handler.cc ;;
  esac
}

object_of() { echo "${build}/${1//\//_}.o"; }

compile() {
  local sanitizers=address,fuzzer-no-link,undefined
  # The fill takes clang many minutes to compile with checks of undefined behaviour. gcc makes them.
  [[ $1 != cc/cpu/fill.cc ]] || sanitizers=address,fuzzer-no-link
  # NDEBUG_SANITIZER keeps Abseil's containers as they are in TensorFlow's libraries, whose classes
  # have no type information for -fsanitize=vptr and function. Highway's checks need its library.
  "${clang}" -std=c++17 -O1 -gline-tables-only -ffp-contract=off -fvisibility=hidden \
    -fsanitize="${sanitizers}" -fno-sanitize=vptr,function -fno-sanitize-recover=undefined \
    -DNDEBUG_SANITIZER -DHWY_IS_DEBUG_BUILD=0 \
    -DNDEBUG -D_GLIBCXX_USE_CXX11_ABI=1 -DEIGEN_MAX_ALIGN_BYTES=64 \
    -I. -isystem ../highway -isystem "${tensorflow}/include" "${machine[@]}" \
    -c "$1" -o "$(object_of "$1")"
}

# Writes the inputs of a corpus to files.
unpack() {
  "${TF_VSINIT_PYTHON}" - "$1" "$2" <<'PYTHON'
import pathlib, sys
for number, line in enumerate(pathlib.Path(sys.argv[1]).read_text().split()):
    pathlib.Path(sys.argv[2], str(number)).write_bytes(bytes.fromhex(line))
PYTHON
}

clang=$(find_clang)
[[ -n ${clang} ]] ||
  skip "no clang with libFuzzer; Debian has it in clang-19 and libclang-rt-19-dev"
tensorflow=$("${TF_VSINIT_PYTHON}" -c 'import importlib.util
print(*importlib.util.find_spec("tensorflow").submodule_search_locations)')
machine=()
[[ $(uname -m) != x86_64 ]] || machine=(-march=x86-64-v2)

pids=()
for source in $(for target in "$@"; do sources_of "${target}"; done | tr ' ' '\n' | sort -u); do
  compile "${source}" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "${pid}"; done

status=0
for target in "$@"; do
  objects=()
  for source in $(sources_of "${target}"); do objects+=("$(object_of "${source}")"); done
  libraries=()
  [[ ${target} == fill ]] ||
    libraries=("${tensorflow}"/libtensorflow_{cc,framework}.so.2 "-Wl,-rpath,${tensorflow}")
  "${clang}" -fsanitize=address,fuzzer,undefined "${objects[@]}" "${libraries[@]}" \
    -o "${build}/${target}"
  mkdir "${build}/${target}_corpus"
  unpack "cc/fuzz/corpus/${target}.txt" "${build}/${target}_corpus"
  echo "--- ${target}"
  "${build}/${target}" -max_total_time="${FUZZ_SECONDS:-20}" -max_len=512 -rss_limit_mb=4096 \
    -timeout=60 -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="${TEST_UNDECLARED_OUTPUTS_DIR}/" "${build}/${target}_corpus" || status=1
done
exit "${status}"

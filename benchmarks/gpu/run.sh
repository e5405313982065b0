#!/usr/bin/env bash
# Runs everything that needs a GPU, on a machine that has one:
#
# - builds the GPU fill, compares its bits with those of the CPU, and looks for memory errors;
# - times the fill and writes benchmarks/gpu/results;
# - tests the op inside TensorFlow, if the TensorFlow in .venv sees the GPU.
#
# Needs Python 3.10 or later with numpy and pytest. Uses torch, jax, cupy, matplotlib and
# compute-sanitizer if they are installed. Passes its arguments to bench.py.
#
# Environment variables:
#   PYTHON                 the Python interpreter (default: python3)
#   NVCC                   the CUDA compiler (default: the nvcc found)
#   CUDA_ARCHITECTURES     compute capabilities to compile for (default: 80,90)
#   TF_VSINIT_GPU_LIBRARY  a libvsinit_gpu.so that another machine built, to use without nvcc
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly PYTHON=${PYTHON:-python3}
readonly BUILT=out/gpu/libvsinit_gpu.so
readonly RESULTS=benchmarks/gpu/results

say() { echo "== $*"; }

require_card() {
  "${PYTHON}" - <<'PYTHON'
import sys

sys.path.insert(0, "benchmarks/gpu")
import cuda_driver

sys.exit(cuda_driver.why_no_gpu())
PYTHON
}

build() {
  local found nvcc
  found=$(third_party/cuda/find_nvcc.sh)
  nvcc=$(head -n 1 <<<"${found}")
  if [[ -n ${nvcc} ]]; then
    compiler="nvcc $("${nvcc}" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')"
    say "Building ${BUILT} with ${compiler}"
    mkdir -p "$(dirname "${BUILT}")"
    cc/gpu/compile.sh "${nvcc}" "${CUDA_ARCHITECTURES:-80,90}" "${BUILT}"
    export TF_VSINIT_GPU_LIBRARY=${PWD}/${BUILT}
  elif [[ ! -f bazel-bin/cc/gpu/libvsinit_gpu.so && ! -f ${BUILT} ]]; then
    echo "There is no nvcc. Build libvsinit_gpu.so on a machine that has one" \
      "(cc/gpu/compile.sh nvcc 80,90 libvsinit_gpu.so), copy it here," \
      "and set TF_VSINIT_GPU_LIBRARY to its path." >&2
    exit 1
  fi
}

compare_bits() {
  say "Comparing the bits with those of the CPU"
  TF_VSINIT_REQUIRE_GPU=1 "${PYTHON}" -m pytest -q tests/gpu/kernel_test.py
}

look_for_memory_errors() {
  local tool
  if ! command -v compute-sanitizer >/dev/null; then
    say "Skipping the search for memory errors: there is no compute-sanitizer"
    return
  fi
  for tool in memcheck racecheck synccheck; do
    say "Running compute-sanitizer --tool ${tool}"
    TF_VSINIT_REQUIRE_GPU=1 compute-sanitizer --tool "${tool}" --error-exitcode 1 \
      --target-processes all "${PYTHON}" -m pytest -q tests/gpu/kernel_test.py \
      -k 'GpuTest and (golden or alignment or seeds)'
  done
}

test_inside_tensorflow() {
  if ! .venv/bin/python -c '
import sys, tensorflow
sys.exit(not tensorflow.config.list_physical_devices("GPU"))' &>/dev/null; then
    say "Skipping the op's tests: no TensorFlow in .venv sees a GPU (see docs/gpu.md)"
    return
  fi
  say "Testing the op inside TensorFlow"
  make build
  .venv/bin/python -m tf_vsinit
  .venv/bin/python -m pytest -q -rs tests/gpu/op_test.py
}

require_card
compiler="unknown (the library was built elsewhere)"
[[ -n ${TF_VSINIT_GPU_LIBRARY:-} ]] || build
compare_bits
look_for_memory_errors
say "Timing"
"${PYTHON}" benchmarks/gpu/bench.py "${RESULTS}" --compiler "${compiler}" "$@"
say "Results are in ${RESULTS}"
test_inside_tensorflow

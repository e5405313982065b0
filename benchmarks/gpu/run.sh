#!/usr/bin/env bash
# Everything that a card is needed for: builds the GPU fill, compares its bits with the CPU's, looks
# for memory errors, times it, and writes benchmarks/gpu/results; then, where the TensorFlow of
# configure.sh's .venv sees the card, tests the op in it. Run it on a machine with a card.
#
# Needs Python 3.10 or later with numpy and pytest; uses torch, jax, cupy, matplotlib and
# compute-sanitizer where they are. Where there is no nvcc, TF_VSINIT_GPU_LIBRARY names a
# libvsinit_gpu.so that another machine built. PYTHON, NVCC and CUDA_ARCHITECTURES choose others than
# python3, the nvcc found, and 80,90. Arguments are passed on to bench.py.
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
    echo "There is no nvcc here: build libvsinit_gpu.so where there is one" \
      "(cc/gpu/compile.sh nvcc 80,90 libvsinit_gpu.so) and set TF_VSINIT_GPU_LIBRARY to it." >&2
    exit 1
  fi
}

compare_bits() {
  say "Comparing bits with the CPU's"
  TF_VSINIT_REQUIRE_GPU=1 "${PYTHON}" -m pytest -q tests/gpu/kernel_test.py
}

look_for_memory_errors() {
  local tool
  if ! command -v compute-sanitizer >/dev/null; then
    say "There is no compute-sanitizer here: memory errors are not looked for"
    return
  fi
  for tool in memcheck racecheck synccheck; do
    say "Looking for errors with compute-sanitizer's ${tool}"
    TF_VSINIT_REQUIRE_GPU=1 compute-sanitizer --tool "${tool}" --error-exitcode 1 \
      --target-processes all "${PYTHON}" -m pytest -q tests/gpu/kernel_test.py \
      -k 'GpuTest and (golden or alignment or seeds)'
  done
}

test_inside_tensorflow() {
  if ! .venv/bin/python -c '
import sys, tensorflow
sys.exit(not tensorflow.config.list_physical_devices("GPU"))' &>/dev/null; then
    say "No TensorFlow in .venv that sees a GPU: the op is not tested inside it (docs/gpu.md says how)"
    return
  fi
  say "Testing the op inside TensorFlow"
  make build
  .venv/bin/python -m tf_vsinit
  .venv/bin/python -m pytest -q -rs tests/gpu/op_test.py
}

require_card
compiler="not known (the library was given)"
[[ -n ${TF_VSINIT_GPU_LIBRARY:-} ]] || build
compare_bits
look_for_memory_errors
say "Timing"
"${PYTHON}" benchmarks/gpu/bench.py "${RESULTS}" --compiler "${compiler}" "$@"
say "Results are in ${RESULTS}"
test_inside_tensorflow

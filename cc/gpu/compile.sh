#!/usr/bin/env bash
# Compiles the kernels: compile.sh NVCC ARCHITECTURES OUTPUT, from the root of the repository.
#
# ARCHITECTURES is a list such as 80,90; code for each goes into the output, and PTX of the newest
# for the architectures to come. OUTPUT ends in .a (the static CUDA runtime is not in it), .so (it
# is), .cubin or .ptx (for one architecture only).
set -euo pipefail

readonly NVCC=$1 ARCHITECTURES=$2 OUTPUT=$3

# The stream fixes every rounding: nothing is fused, flushed or approximated by itself.
readonly FLOATING_POINT=(-fmad=false -ftz=false -prec-div=true -prec-sqrt=true)
readonly HOST=-fPIC,-fvisibility=hidden,-ffp-contract=off,-Wall

die() {
  echo "compile.sh: $*" >&2
  exit 1
}

IFS=',; ' read -ra architectures <<<"${ARCHITECTURES}"
((${#architectures[@]})) || die "no architecture in '${ARCHITECTURES}'; a list such as 80,90 is wanted"
code=()
for architecture in "${architectures[@]}"; do
  [[ ${architecture} =~ ^[0-9]+[af]?$ ]] ||
    die "architecture '${architecture}' is not a number such as 90, for compute capability 9.0"
  code+=(-gencode "arch=compute_${architecture},code=sm_${architecture}")
done
newest=$(printf '%s\n' "${architectures[@]}" | sort -V | tail -n 1)

case ${OUTPUT} in
  *.a) kind=(-lib) ;;
  *.so) kind=(-shared -cudart static -Xlinker "--exclude-libs=libcudart_static.a") ;;
  *.ptx) kind=(-ptx) code=(-arch "compute_${newest}") ;;
  *.cubin) kind=(-cubin) code=(-arch "sm_${newest}") ;;
  *) die "OUTPUT '${OUTPUT}' ends in none of .a, .so, .ptx, .cubin" ;;
esac
if [[ ${OUTPUT} == *.a || ${OUTPUT} == *.so ]]; then
  code+=(-gencode "arch=compute_${newest},code=compute_${newest}")
fi

"${NVCC}" -std=c++17 -O3 -I. "${FLOATING_POINT[@]}" --threads 2 -Werror all-warnings \
  -Wno-deprecated-gpu-targets -Xcompiler "${HOST}" "${code[@]}" "${kind[@]}" \
  -o "${OUTPUT}" cc/gpu/fill.cu

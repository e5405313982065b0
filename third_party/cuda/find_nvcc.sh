#!/usr/bin/env bash
# Prints the nvcc to use and the static CUDA runtime beside it, a line each; nothing if there is none.
#
# NVCC names the compiler, where it is neither in PATH nor in /usr/local/cuda; NVCC=none means that
# none is wanted.
set -euo pipefail

[[ ${NVCC:-} != none ]] || exit 0
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
# The compiler found may be a wrapper; the one behind it says where its toolkit is.
top=$("${nvcc}" --dryrun -x cu /dev/null 2>&1 | sed -n 's/^#\$ TOP=//p') || true
# A distribution's own toolkit has the runtime where the C compiler looks for libraries.
system=$("${CC:-gcc}" -print-file-name=libcudart_static.a) || true
for library in "${top:-/nonexistent}"/{lib64,lib,targets/*/lib}/libcudart_static.a \
  "${top:+${system}}"; do
  if [[ -f ${library} ]]; then
    command -v "${nvcc}"
    realpath "${library}"
    exit 0
  fi
done
if [[ -n ${NVCC:-} ]]; then
  echo "NVCC=${NVCC} is no nvcc with a libcudart_static.a beside it." >&2
  exit 1
elif command -v "${nvcc}" >/dev/null; then
  echo "${nvcc} has no libcudart_static.a beside it and is not used." >&2
fi

#!/usr/bin/env bash
# Prints the path of nvcc and, on a second line, of its static CUDA runtime. Prints nothing if there
# is no nvcc.
#
# NVCC names the compiler if it is neither in PATH nor in /usr/local/cuda. With NVCC=none the script
# does not look for one.
set -euo pipefail

[[ ${NVCC:-} != none ]] || exit 0
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
# nvcc in PATH may be a wrapper script. --dryrun prints where the toolkit is.
top=$("${nvcc}" --dryrun -x cu /dev/null 2>&1 | sed -n 's/^#\$ TOP=//p') || true
# A toolkit packaged by a distribution has the runtime among the C compiler's libraries.
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
  echo "NVCC=${NVCC} is not an nvcc whose toolkit has libcudart_static.a." >&2
  exit 1
elif command -v "${nvcc}" >/dev/null; then
  echo "Ignoring ${nvcc}: its toolkit has no libcudart_static.a." >&2
fi

#!/usr/bin/env bash
# Copies the libraries that Bazel built into tf_vsinit/, so that Python can import the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

files=(_build_info.py _vsinit_ops.so)
if grep -q '^build --repo_env=TF_VSINIT_NVCC=.' .configure.bazelrc; then
  files+=(_vsinit_gpu.so)
else
  # An earlier build with nvcc may have left one, built from older sources.
  rm -f tf_vsinit/_vsinit_gpu.so
fi

for file in "${files[@]}"; do
  built="bazel-bin/tf_vsinit/${file}"
  staged="tf_vsinit/${file}"
  if ! cmp --silent "${built}" "${staged}"; then
    # Rename, so that a process that has loaded the old library keeps it.
    install -m 644 "${built}" "${staged}.new"
    mv -f "${staged}.new" "${staged}"
    echo "staged ${staged}"
  fi
done

#!/usr/bin/env bash
# Copies what Bazel built beside the Python package, so that it can be imported from the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for file in _build_info.py _vsinit_ops.so; do
  built="bazel-bin/tf_vsinit/${file}"
  staged="tf_vsinit/${file}"
  if ! cmp --silent "${built}" "${staged}"; then
    # By renaming: a process that runs the old library keeps it.
    install -m 644 "${built}" "${staged}.new"
    mv -f "${staged}.new" "${staged}"
    echo "staged ${staged}"
  fi
done

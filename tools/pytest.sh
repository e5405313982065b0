#!/usr/bin/env bash
# Runs pytest on a file as a Bazel test, with the Python of .venv.
set -euo pipefail

# Only pytest writes the report. Processes that a test starts must not.
report="${XML_OUTPUT_FILE}"
unset XML_OUTPUT_FILE

export PATH="${TF_VSINIT_PYTHON%/*}:${PATH}"
# Processes that a test starts import the package under test, not that of the checkout. What is in
# tools/site makes the import of TensorFlow faster.
export PYTHONPATH="${PWD}:${PWD}/tools/site"
# Tests leave no files behind and do not see the settings of the user.
export HYPOTHESIS_STORAGE_DIRECTORY="${TEST_TMPDIR}/hypothesis"
export KERAS_HOME="${TEST_TMPDIR}/keras"
export MPLCONFIGDIR="${TEST_TMPDIR}/matplotlib"
export PYTHONDONTWRITEBYTECODE=1
# Otherwise the first of several tests takes all memory of a GPU.
export TF_FORCE_GPU_ALLOW_GROWTH=true
# Other tests use the CPU: they measure memory, and stock TensorFlow has other values on a GPU.
case "$1" in
  */gpu/* | */command_line_test.py | */commands_test.py) ;;
  *) export CUDA_VISIBLE_DEVICES= ;;
esac
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-1}"

exec "${TF_VSINIT_PYTHON}" -m pytest -p no:cacheprovider --junitxml="${report}" \
  --basetemp="${TEST_TMPDIR}/pytest" "$@"

#!/usr/bin/env bash
# Runs pytest on the given files as a Bazel test, with the Python of configure.sh's .venv.
set -euo pipefail

# The report is pytest's alone: a process that a test starts must not write it.
report="${XML_OUTPUT_FILE}"
unset XML_OUTPUT_FILE

export PATH="${TF_VSINIT_PYTHON%/*}:${PATH}"
# Processes that a test starts import the tested package too, not the checkout's.
export PYTHONPATH="${PWD}"
# A test leaves nothing behind and sees no settings of the user's.
export HYPOTHESIS_STORAGE_DIRECTORY="${TEST_TMPDIR}/hypothesis"
export KERAS_HOME="${TEST_TMPDIR}/keras"
export MPLCONFIGDIR="${TEST_TMPDIR}/matplotlib"
export PYTHONDONTWRITEBYTECODE=1
# Tests run at the same time, and TensorFlow would take all of a GPU's memory for the first.
export TF_FORCE_GPU_ALLOW_GROWTH=true
# The tests of CPUs stay there: memory is measured, and stock TensorFlow has other values on a GPU.
case "$1" in
  */gpu/* | */command_line_test.py) ;;
  *) export CUDA_VISIBLE_DEVICES= ;;
esac
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-1}"

exec "${TF_VSINIT_PYTHON}" -m pytest -p no:cacheprovider --junitxml="${report}" \
  --basetemp="${TEST_TMPDIR}/pytest" "$@"

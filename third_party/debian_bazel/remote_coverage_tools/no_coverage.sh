#!/bin/sh
# Explains why `bazel coverage` does not work with Debian's Bazel.
echo "Bazel's coverage tools are not installed." >&2
exit 1

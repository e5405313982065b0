#!/usr/bin/env bash
# Prints as JSON what the libraries of one TensorFlow line are, for tf_vsinit/_libraries.py.
#
# describe_libraries.sh TENSORFLOW_VERSION HAS_XLA LIBRARY...
set -euo pipefail

readonly VERSION=$1 HAS_XLA=$2
shift 2

comma=
echo "{\"tensorflow\": \"${VERSION}\", \"xla\": ${HAS_XLA}, \"libraries\": {"
for library in "$@"; do
  read -r checksum _ < <(sha256sum "${library}")
  printf '%s"%s": {"size": %d, "sha256": "%s"}' "${comma}" "${library##*/}" \
    "$(stat -L -c %s "${library}")" "${checksum}"
  comma=$',\n'
done
printf '\n}}\n'

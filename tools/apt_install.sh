#!/usr/bin/env bash
# Installs Debian packages with apt-get: `tools/apt_install.sh PACKAGE...`, or `source` it.
#
# It asks nothing. It fails where there is no apt-get, where the user is not root and sudo needs a
# password, and where APT=none is set.

as_root() {
  if [[ ${EUID} -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

can_install() {
  [[ ${APT:-} != none ]] && command -v apt-get >/dev/null &&
    { [[ ${EUID} -eq 0 ]] || sudo -n true 2>/dev/null; }
}

package_lists_are_fresh=false

# Installs Debian packages, and writes what apt-get says to .tools/apt.log. Returns 1 if it cannot.
apt_install() {
  can_install || return 1
  echo "installing $* with apt-get"
  mkdir -p .tools
  if ! ${package_lists_are_fresh}; then
    as_root apt-get update -qq >/dev/null 2>&1 || true
    package_lists_are_fresh=true
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    install -y -qq --no-install-recommends "$@" >.tools/apt.log 2>&1 ||
    { echo "apt-get could not install $*: see .tools/apt.log"; return 1; }
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  apt_install "$@" || { echo "install these packages by hand: $*" >&2; exit 1; }
fi

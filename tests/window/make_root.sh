#!/usr/bin/env bash
# make_root.sh SUITE [ROOT]
#
# Make a folder with a Debian SUITE in it that has Blender with its whole window interface, a
# virtual screen and OpenGL in software: sid has Blender 5.2, trixie 4.3.  About a minute and
# 1.3 GB.  ROOT is $SCALEMOGEN_WINDOW_ROOTS/deb-SUITE (default: the temporary folder) unless named.
# A finished ROOT is left as it is.  Needs root rights on a Debian or Ubuntu.
set -euo pipefail

suite=${1:?usage: $0 SUITE [ROOT]}
root=${2:-${SCALEMOGEN_WINDOW_ROOTS:-${TMPDIR:-/tmp}}/deb-$suite}
ready=$root/.blender-gui-ready
[[ ! -e $ready ]] || exit 0

fail() { echo "$*" >&2; exit 1; }
[[ $(id -u) == 0 ]] || fail "making $root needs root rights"
command -v apt-get >/dev/null || fail "making $root needs a Debian or Ubuntu"
# The address that this machine's own packages come from; a fresh machine has no lists yet.
apt-get indextargets 2>/dev/null | grep -q . || apt-get update -qq >/dev/null || true
command -v debootstrap >/dev/null \
    || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null \
    || { apt-get update -qq >/dev/null \
         && apt-get install -y -qq --no-install-recommends debootstrap >/dev/null; } \
    || fail "debootstrap cannot be installed"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    2>/dev/null | grep -v security | head -n 1 || true)
[[ -n $mirror ]] || fail "this machine's apt has no Debian to take $suite from"

rm -rf --one-file-system "$root"
mkdir -p "$root"
log=$root.log
logged() { "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "$root: failed ($log): $*"; }; }

: >"$log"
logged debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "${mirror%/}"
printf 'path-exclude=/usr/share/%s/*\n' doc man info locale >"$root/etc/dpkg/dpkg.cfg.d/small"
echo force-unsafe-io >>"$root/etc/dpkg/dpkg.cfg.d/small"
printf 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n' \
    >"$root/etc/apt/apt.conf.d/small"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no services
chmod +x "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true

# Mounts are seen by these commands alone, and go with them.
inside() {
    logged unshare --mount bash -c '
        mount --make-rprivate / && mount -t proc proc "$1/proc"
        exec chroot "$@"' bash "$root" env DEBIAN_FRONTEND=noninteractive "$@"
}
inside apt-get update
inside apt-get install -y blender xvfb xauth xdotool imagemagick \
    python3-numpy python3-requests python3-cattr python3-zstandard \
    libgl1-mesa-dri libgl1 libglx-mesa0 libegl1 libegl-mesa0 mesa-vulkan-drivers
inside apt-get clean
chroot "$root" blender --version 2>/dev/null | head -n 1 >"$root/.version"
mv "$root/.version" "$ready"

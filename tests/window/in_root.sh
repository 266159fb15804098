#!/usr/bin/env bash
# in_root.sh ROOT SHARE COMMAND [ARGUMENT …]
#
# Run COMMAND on a virtual screen inside a root folder made by make_root.sh.  The folder SHARE is
# seen as /share.  WINDOW_BIND names further folders, separated by ":", that are seen at their own
# place, read-only; WINDOW_SCREEN the screen's size (1280x960).  Needs root rights.
set -euo pipefail
root=${1:?usage: $0 ROOT SHARE COMMAND …} share=${2:?} size=${WINDOW_SCREEN:-1280x960}
shift 2

# The mounts and processes of this call end with it, whichever way it ends.
exec unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
    root=$1 share=$2 size=$3; shift 3
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/tmp"
    mkdir -p "$root/share" "$root/tmp/.X11-unix"
    mount --bind "$share" "$root/share"
    IFS=: read -r -a binds <<<"${WINDOW_BIND:-}"
    for folder in "${binds[@]}"; do
        mkdir -p "$root$folder"
        mount --rbind "$folder" "$root$folder"
        mount -o remount,bind,ro "$root$folder"
    done
    # Not exec: Xvfb does not tell a parent whose number is 1 that it is ready.
    chroot "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root LANG=C.UTF-8 \
        XDG_RUNTIME_DIR=/run LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe \
        BLENDER_USER_RESOURCES=/share/user OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}" \
        xvfb-run -a -s "-screen 0 ${size}x24 +extension GLX -nolisten tcp" "$@" && code=0 || code=$?
    exit $code
' bash "$root" "$share" "$size" "$@"

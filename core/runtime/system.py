"""What the machine has: its platform, free space, the means to make virtual environments."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path

_SYSTEMS = {"win32": "windows", "darwin": "macos"}
_PROCESSORS = {"amd64": "x64", "x86_64": "x64", "aarch64": "arm64"}


def platform_name() -> str:
    """``linux-x64``, ``windows-x64``, ``macos-arm64`` and so on, of the running Python."""
    machine = platform.machine().lower()
    return f"{_SYSTEMS.get(sys.platform, sys.platform)}-{_PROCESSORS.get(machine, machine)}"


def lacks_venv() -> bool:
    """Whether this Python cannot make virtual environments (Debian packs that separately)."""
    return any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip"))


def space_problem(folder: Path, megabytes: int, what: str) -> str | None:
    """Return what is wrong unless the disk of ``folder`` has ``megabytes`` free; else None."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free // 10**6
    if free >= megabytes:
        return None
    return f"{what} needs about {megabytes} MB, but the disk of {folder} has {free} MB left."


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below ``folder``, while others may be changing it."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except OSError:  # it has just been moved
                continue
    return total

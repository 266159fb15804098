"""Which build of torch a machine wants, and where it comes from: ``assets/runtime/builds.json``."""

from __future__ import annotations

import ctypes.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ScaleMoGenError
from ..paths import ASSETS

FOLDER = ASSETS / "runtime"
_SECONDS_AT_MOST = 10
_DRIVER_FOLDERS = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/wsl/lib",  # Windows' driver as seen from its Linux
    "/run/opengl-driver/lib",  # where NixOS keeps drivers
)


@dataclass(frozen=True)
class Build:
    """One build of torch for a platform.

    name: ``cpu``, ``cuda`` or ``metal``.  index: where it comes from beside pip's own index
    ("": nowhere else).  version: asked for in place of the pinned one ("": the pinned one).
    download, disk: MB of everything together.  obtainable: whether pip gets it without the artist
    naming an index.
    """

    name: str
    index: str
    version: str
    download: int
    disk: int
    obtainable: bool


def builds_for(platform: str, folder: Path = FOLDER) -> tuple[Build, ...]:
    """Return the builds of a platform (:func:`.system.platform_name`), pip's own first.

    Raises:
        ScaleMoGenError: there is none for the platform, or builds.json is damaged.
    """
    try:
        table = json.loads((folder / "builds.json").read_text(encoding="utf-8"))["platforms"]
        entry = table.get(platform)
        named = entry["builds"] if entry else {}
        builds = [_build(name, values, entry["default"]) for name, values in named.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScaleMoGenError(
            f"{folder / 'builds.json'} is damaged ({error}). Install the extension again."
        ) from error
    if not builds:
        raise ScaleMoGenError(
            f"There is no PyTorch for this machine ({platform}). Use an existing Python."
        )
    return tuple(sorted(builds, key=lambda build: build.name != entry["default"]))


def _build(name: str, values: Mapping[str, Any], default: str) -> Build:
    index, version = str(values["index"]), str(values.get("version", ""))
    obtainable = bool(index) or name == default
    return Build(name, index, version, int(values["download"]), int(values["disk"]), obtainable)


def recommended(builds: Sequence[Build], has_nvidia: bool, own_index: bool) -> Build:
    """Return the build that suits the machine, of those that can be had.

    Args:
        builds: of the machine's platform.
        has_nvidia: whether a driver for NVIDIA's GPUs is there.
        own_index: whether the artist named a package index, which may have any build.
    """
    there = [build for build in builds if build.obtainable or own_index] or list(builds)
    wishes = ("metal", "cuda", "cpu") if has_nvidia else ("metal", "cpu", "cuda")
    return min(there, key=lambda build: wishes.index(build.name) if build.name in wishes else 9)


def nvidia_gpus() -> list[tuple[str, int]]:
    """Return name and memory in MB of NVIDIA's GPUs, asking their driver's tool (a moment)."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        told = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_SECONDS_AT_MOST,
            check=True,
            creationflags=flags,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    gpus = []
    for line in told.splitlines():
        name, _, memory = line.rpartition(",")
        if name and memory.strip().isdigit():
            gpus.append((name.strip(), int(memory)))
    return gpus


def has_nvidia_driver() -> bool:
    """Whether the driver's library is there; nothing is loaded."""
    if sys.platform == "win32":
        return ctypes.util.find_library("nvcuda") is not None
    return any(Path(folder, "libcuda.so.1").exists() for folder in _DRIVER_FOLDERS)

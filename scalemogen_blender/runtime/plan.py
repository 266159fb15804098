"""What an installation would bring: which build of torch, from where, how large."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil

from .._core import runtime as core_runtime

AUTOMATIC = "AUTO"


@dataclass(frozen=True)
class Plan:
    """build: what pip is asked for.  doubt: "" or why something else may come."""

    build: core_runtime.builds.Build
    doubt: str = ""


@cache  # pages draw often, and the list of builds does not change while Blender runs
def make_plan(choice: str, has_index: bool, has_nvidia: bool, platform: str) -> Plan:
    """Return what fits.

    Args:
        choice: ``AUTO``, ``CPU``, ``CUDA`` or ``METAL``.
        has_index: whether the artist named a package index.
        has_nvidia: whether there is a driver for NVIDIA's GPUs.
        platform: as :func:`core.runtime.system.platform_name` gives it.

    Raises:
        ScaleMoGenError: there is no torch for the platform.
    """
    builds = core_runtime.builds.builds_for(platform)
    best = core_runtime.builds.recommended(builds, has_nvidia, has_index)
    wanted = next((b for b in builds if b.name.upper() == choice), None)
    if choice == AUTOMATIC:
        wanted = best
    elif wanted is None:
        return Plan(best, "There is no such build for this machine")
    if not (wanted.obtainable or has_index):
        return Plan(wanted, "Only a package index that has this build brings it")
    if wanted.name == "cuda" and not has_nvidia and choice == AUTOMATIC:
        return Plan(
            wanted,
            "No NVIDIA GPU was found, but this build, which runs on the CPU too, is what pip's own "
            "settings bring. A package index with the CPU build makes it far smaller",
        )
    return Plan(wanted)


@cache
def nvidia_driver() -> bool:
    """Whether NVIDIA's driver is there; looked for once."""
    return core_runtime.builds.has_nvidia_driver()


def gigabytes(megabytes: float) -> str:
    """``0.2 GB``, ``3 GB``."""
    return f"{megabytes / 1000:.1f} GB" if megabytes < 2000 else f"{ceil(megabytes / 1000)} GB"


def build_name(name: str) -> str:
    """A build as people call it."""
    return {"cpu": "CPU", "cuda": "CUDA", "metal": "Metal", "rocm": "ROCm"}.get(name, name)

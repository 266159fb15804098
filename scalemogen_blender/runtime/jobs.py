"""What the preferences ask to be installed, as jobs for the installer."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import preferences
from .._core import errors
from .._core import runtime as core_runtime
from . import place
from . import plan as plans


def online_problem() -> str:
    """Why nothing may be downloaded, and where that is changed; "" where it may."""
    if bpy.app.online_access:
        return ""
    if bpy.app.online_access_override:
        return (
            "Blender was started in offline mode (--offline-mode). Start it without that, or "
            "install from a folder of wheels"
        )
    return (
        "Online access is off. Switch it on in the preferences (System, Network, Allow Online "
        "Access), or install from a folder of wheels"
    )


def plan() -> plans.Plan:
    """What Install would bring."""
    chosen = preferences.get()
    return plans.make_plan(
        chosen.build,
        bool(chosen.package_index.strip()),
        plans.nvidia_driver(),
        core_runtime.system.platform_name(),
    )


def from_index() -> core_runtime.install.Job:
    """From the package index; ScaleMoGenError without leave to go online."""
    if problem := online_problem():
        raise errors.ScaleMoGenError(f"{problem}.")
    return _from_index(anew=True)


def _from_index(anew: bool, thorough: bool = False) -> core_runtime.install.Job:
    chosen, build = preferences.get(), plan().build
    index = chosen.package_index.strip()
    if index and not index.startswith(("https://", "http://", "file://")):
        raise errors.ScaleMoGenError(
            "The Package Index is an address that begins with https:// (or file://). Correct it."
        )
    there = core_runtime.place.look(place.root(), place.version())
    other_build = there.details.get("build") not in (None, build.name)
    return core_runtime.install.Job(
        root=str(place.root()),
        index=index,
        only_index=chosen.package_index_only and bool(index),
        build_index=build.index,
        version=build.version,
        download=build.download,
        disk=build.disk,
        anew=anew and other_build,
        thorough=thorough,
    )


def from_wheels(directory: str = "") -> core_runtime.install.Job:
    """From a folder of wheels; ScaleMoGenError when it holds none of torch."""
    chosen = directory or preferences.get().wheels_folder
    if not chosen.strip():
        raise errors.ScaleMoGenError("No folder of wheels is chosen. Choose the Wheels Folder.")
    folder = Path(bpy.path.abspath(chosen)).absolute()
    wheels = list(folder.glob("torch-*.whl"))
    if not wheels:
        raise errors.ScaleMoGenError(
            f"{folder} holds no wheel of PyTorch (torch-….whl). Choose another Wheels Folder."
        )
    megabytes = max(wheel.stat().st_size for wheel in wheels) / 1e6
    disk = round(4 * sum(wheel.stat().st_size for wheel in folder.glob("*.whl")) / 1e6)
    return core_runtime.install.Job(
        root=str(place.root()), wheels=str(folder), download=round(megabytes) + 40, disk=disk
    )


def repair() -> core_runtime.install.Job:
    """Put right what is there, with what there is: the index, a folder of wheels, or neither."""
    if not online_problem():
        return _from_index(anew=False, thorough=True)
    from dataclasses import replace

    if preferences.get().wheels_folder.strip():
        return replace(from_wheels(), thorough=True)
    build = plan().build
    return core_runtime.install.Job(
        root=str(place.root()),
        offline=True,
        download=build.download,
        disk=build.disk,
        thorough=True,
    )

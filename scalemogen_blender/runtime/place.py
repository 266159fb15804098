"""Where the runtime and what is known of it lie: Blender's folder for the add-on's own files."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from .. import preferences
from .._core import errors, paths
from .._core import runtime as core_runtime

_SUBFOLDER = "scalemogen-runtime"
PACKAGE = __package__.rpartition(".")[0]


def user_folder(name: str, create: bool = False) -> Path:
    """A folder of the add-on's own in Blender's user files; it outlives updates of the add-on."""
    try:
        return Path(bpy.utils.extension_path_user(PACKAGE, path=name, create=create))
    except ValueError:  # not installed as an extension: a checkout
        path = os.path.join("scalemogen", name)  # noqa: PTH118 (Blender wants a string)
        return Path(bpy.utils.user_resource("DATAFILES", path=path, create=create))


def root() -> Path:
    """The folder that the runtime is installed in; it may not be there yet.

    ScaleMoGenError when the artist's Install Folder is inside the add-on, which updates replace.
    """
    chosen = preferences.get().runtime_folder.strip()
    if not chosen:
        return _usual_root()
    folder = Path(bpy.path.abspath(chosen)).absolute()
    if folder.name != _SUBFOLDER:
        folder = folder / _SUBFOLDER  # everything in it is ours to replace
    addon = Path(__file__).resolve().parent.parent
    if addon in folder.resolve().parents:
        raise errors.ScaleMoGenError(
            "The Install Folder is inside the add-on, which the next update replaces. Choose "
            "another one, or leave it empty."
        )
    return folder


def _usual_root() -> Path:
    folder = user_folder("runtime")
    short = core_runtime.place.short_root()
    if short is not None and core_runtime.place.longest_path_problem(folder, version()):
        return short
    return folder


def version() -> tuple[int, int]:
    """Blender's Python."""
    import sys

    return sys.version_info[0], sys.version_info[1]


def install_log() -> Path:
    """What pip wrote."""
    return root() / core_runtime.place.LOG


def checks_file() -> Path:
    """What has been found out about interpreters."""
    return user_folder("logs") / "checks.json"


def engine_folder() -> Path:
    """The folder that has ``core`` in it."""
    return paths.ROOT

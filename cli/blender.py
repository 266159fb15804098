"""The way to Blender's Python module, the only place where the command line touches it."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from core.errors import ScaleMoGenError

if TYPE_CHECKING:
    from core.motion import Motion
    from core.retarget import BoneMap

    from .retargeting import Retargeting


def try_rig(rig: str, retargeting: "Retargeting") -> "BoneMap":
    """Open a rig once, to know before the long work that it is usable; its map."""
    with quiet_stdout():
        pipeline = _pipeline()
        armature = pipeline.open_rig(rig, retargeting.reference)
        found: BoneMap = pipeline.check_rig(armature, retargeting.options, retargeting.bone_map)
        return found


def animate_rig(
    rig: str,
    motion: "Motion",
    title: str,
    properties: dict[str, Any],
    files: Sequence[Path],
    retargeting: "Retargeting",
) -> None:
    """Put a motion on a fresh copy of the rig and export it to every file, by suffix.

    Each file is complete or untouched (the exporter's promise).
    """
    with quiet_stdout():
        pipeline = _pipeline()
        armature = pipeline.open_rig(rig, retargeting.reference)
        pipeline.retarget_onto(
            armature,
            motion,
            title,
            properties,
            options=retargeting.options,
            bone_map=retargeting.bone_map,
            start_frame=retargeting.start,
        )
        for path in files:
            pipeline.export(path, fbx_for=retargeting.fbx_for)


def read_motion(path: Path, bone_map: "BoneMap | None") -> "tuple[Motion, BoneMap]":
    """The motion of an animated armature in a file, and how its bones were taken."""
    with quiet_stdout():
        motion, found = _pipeline().open_motion(path, bone_map)
        return motion, found


class _QuietSubject:
    """A file that Blender has open for ``edit`` (cli/editing.py's Subject), kept from printing."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._opened, name)
        if not callable(found):
            return found

        def call(*words: Any) -> Any:
            with quiet_stdout():
                return found(*words)

        return call


def open_subject(path: Path, armature: str | None, bone_map: "BoneMap | None") -> Any:
    """Open a scene file to edit its animation."""
    with quiet_stdout():
        return _QuietSubject(_pipeline().open_edit(path, armature, bone_map))


def clean_up() -> None:
    """Remove what Blender would remove at a normal exit, if it was used."""
    pipeline = sys.modules.get("scalemogen_blender.pipeline")
    if pipeline is not None:
        pipeline.clean_up()


def _pipeline() -> ModuleType:
    try:
        return importlib.import_module("scalemogen_blender.pipeline")
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("bpy", "mathutils"):
            raise
        raise ScaleMoGenError(
            "rigs and FBX, GLB or blend files need Blender's Python module, which does not load "
            f"here ({error}); start the command with python3 run.py, or write --bvh"
        ) from error


@contextlib.contextmanager
def quiet_stdout() -> Iterator[None]:
    """Keep what Blender's importers and exporters print away from our output (and its JSON).

    Some of them print from Python, others write to the process's standard output itself, so both
    are turned away.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)

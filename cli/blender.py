"""The way to Blender's Python module, the only place where the command line touches it."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from core.errors import ScaleMoGenError
from core.files import replacing

if TYPE_CHECKING:
    from core.motion import Motion


def try_rig(rig: str) -> None:
    """Open a rig once, to know before the long work that it is usable."""
    with quiet_stdout():
        _pipeline().open_rig(rig)


def animate_rig(
    rig: str, motion: "Motion", title: str, properties: dict[str, Any], files: Sequence[Path]
) -> None:
    """Put a motion on a fresh copy of the rig and export it to every file, by suffix."""
    with quiet_stdout():
        pipeline = _pipeline()
        armature = pipeline.open_rig(rig)
        pipeline.retarget_onto(armature, motion, title, properties)
        for path in files:
            with replacing(path) as temporary:
                pipeline.export(temporary)


def _pipeline() -> ModuleType:
    try:
        from scalemogen_blender import pipeline
    except ModuleNotFoundError as error:
        if error.name not in ("bpy", "mathutils"):
            raise
        raise ScaleMoGenError(
            "rigs and FBX, GLB or blend files need Blender's Python module, which is not in this "
            "environment; start the command with python3 run.py, or write --bvh"
        ) from error
    return pipeline


@contextlib.contextmanager
def quiet_stdout() -> Iterator[None]:
    """Keep what Blender's importers and exporters print away from our output (and its JSON).

    They write to the process's standard output itself, so the descriptor has to be turned away.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)

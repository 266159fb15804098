"""Rigs in Blender's Python module, to be measured there."""

import importlib
from typing import TYPE_CHECKING

from core.errors import ScaleMoGenError

from .blender import quiet_stdout

if TYPE_CHECKING:
    from core.retarget import RestRig
    from rig_library.posing import Subject


def judged_rig(rest: "RestRig") -> "Subject":
    """A rig of this rest pose in an empty scene, mapped, to be put through motions."""
    try:
        judge = importlib.import_module("scalemogen_blender.rig_judge")
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("bpy", "mathutils"):
            raise
        raise ScaleMoGenError(
            "measuring in Blender needs its Python module, which does not load here "
            f"({error}); start the command with python3 run.py, or add --numpy"
        ) from error
    with quiet_stdout():
        return judge.BlenderSubject(rest)


def blender_version() -> str:
    """Blender's own version, as in 5.0.1."""
    return str(importlib.import_module("bpy").app.version_string)

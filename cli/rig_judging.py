"""Rigs in Blender's Python module, to be measured there."""

import dataclasses
import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from core.errors import ScaleMoGenError

from .blender import quiet_stdout

if TYPE_CHECKING:
    from core.motion import Motion
    from core.retarget import RestRig
    from core.retarget.options import Controls
    from rig_library.judging import Judgement
    from rig_library.posing import Subject


#: Control rigs that are judged by their deform bones: name -> the controls that are keyed.
CONTROL_RIGS: "dict[str, Controls]" = {"rigify_generated_fk": "FK", "rigify_generated_ik": "IK"}
#: The rest pose of Rigify's human, as the library would call it.
CONTROL_RIG_REST = "A"
_DEFORM = "DEF-"


def judged_rig(rest: "RestRig") -> "Subject":
    """A rig of this rest pose in an empty scene, mapped, to be put through motions."""
    judge = load()
    with quiet_stdout():
        subject: Subject = judge.rest_subject(rest)
        return subject


def judge_control_rig(name: str, motions: "Sequence[Motion]") -> "Judgement":
    """A generated Rigify rig under motions; ScaleMoGenError where this Blender has no Rigify."""
    from rig_library import truth
    from rig_library.judging import judge_subject

    judge = load()
    with quiet_stdout():
        subject = judge.generated_rigify()
        right = {
            slot: tuple(_DEFORM + bone for bone in chain)
            for slot, chain in truth("rigify_metarig").items()
        }
        return judge_subject(
            name,
            CONTROL_RIG_REST,
            dataclasses.replace(
                subject.rest, name=f"Rigify's human, {CONTROL_RIGS[name]} controls"
            ),
            right,
            subject,
            motions,
            controls=CONTROL_RIGS[name],
        )


def load() -> ModuleType:
    """The module that measures in Blender; ScaleMoGenError where that does not load."""
    try:
        return importlib.import_module("scalemogen_blender.rig_judge")
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("bpy", "mathutils"):
            raise
        raise ScaleMoGenError(
            "measuring in Blender needs its Python module, which does not load here "
            f"({error}); start the command with python3 run.py, or add --numpy"
        ) from error


def blender_version() -> str:
    """Blender's own version, as in 5.0.1."""
    return str(importlib.import_module("bpy").app.version_string)

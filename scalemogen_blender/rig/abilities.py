"""Which options make sense on a rig: what its bones allow."""

from __future__ import annotations

import time
from dataclasses import dataclass

import bpy

from .. import armature
from .._core import errors, retarget
from . import controls, state


@dataclass(frozen=True)
class Abilities:
    """root_bone: it has a bone above the hips.  both_controls: FK and IK controls."""

    root_bone: bool
    both_controls: bool


#: What was found, by rig, when, and the state of its bones that it was found for.
_known: dict[int, tuple[float, state.RigState, Abilities]] = {}
_MOST_RIGS = 32
#: Constraints have a say, too: for so long (seconds) panels may trust what was just found.
_FRESH = 0.2


def abilities(rig: bpy.types.Object) -> Abilities:
    """What a rig allows; cheap enough for panels."""
    now = state.recent_state(rig)
    known = _known.pop(rig.session_uid, None)
    if known is not None and known[1] is now and _is_fresh(known[0]):
        _known[rig.session_uid] = known
        return known[2]
    found = of_rig(rig, now.bone_map)
    while len(_known) >= _MOST_RIGS:
        del _known[next(iter(_known))]
    _known[rig.session_uid] = time.monotonic(), now, found
    return found


def _is_fresh(when: float) -> bool:
    """Without a window nobody draws, but scripts change constraints and go on at once."""
    return not bpy.app.background and 0.0 <= time.monotonic() - when < _FRESH


def of_rig(rig: bpy.types.Object, bone_map: retarget.BoneMap) -> Abilities:
    """What a rig with this map allows."""
    plan = controls.plan_of(rig, bone_map)
    if plan is None:
        return Abilities(_has_root_bone(rig, bone_map), both_controls=False)
    both = any(not limb.always for limb in plan.limbs.values())
    return Abilities(root_bone=plan.root is not None, both_controls=both)


def _has_root_bone(rig: bpy.types.Object, bone_map: retarget.BoneMap) -> bool:
    if not bone_map.bones.get("pelvis"):
        return False
    try:
        rest = armature.read_rest_rig(rig)
        retarget.carriers.root_bone_of(rest, retarget.carriers.mover_of(rest, bone_map))
    except (errors.ScaleMoGenError, ValueError):  # none; a bone that has just been renamed
        return False
    return True

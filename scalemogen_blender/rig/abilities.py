"""Which options make sense on a rig: what its bones allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from .._core import retarget
from . import controls, state


@dataclass(frozen=True)
class Abilities:
    """root_bone: it has a bone above the hips.  both_controls: FK and IK controls."""

    root_bone: bool
    both_controls: bool


#: What was found, by rig, and the state of its bones that it was found for.
_known: dict[int, tuple[state.RigState, Abilities]] = {}
_MOST_RIGS = 32


def abilities(rig: bpy.types.Object) -> Abilities:
    """What a rig allows; cheap enough for panels."""
    now = state.recent_state(rig)
    known = _known.get(rig.session_uid)
    if known is not None and known[0] is now:
        return known[1]
    found = of_rig(rig, now.names, now.parents, now.bone_map)
    while len(_known) >= _MOST_RIGS:
        del _known[next(iter(_known))]
    _known[rig.session_uid] = now, found
    return found


def of_rig(
    rig: bpy.types.Object,
    names: Sequence[str],
    parents: Sequence[int],
    bone_map: retarget.BoneMap,
) -> Abilities:
    """What a rig with these bones (parents first) and this map allows."""
    plan = controls.plan_of(rig, bone_map)
    if plan is None:
        return Abilities(_has_root_bone(names, parents, bone_map), both_controls=False)
    both = any(not limb.always for limb in plan.limbs.values())
    return Abilities(root_bone=plan.root is not None, both_controls=both)


def _has_root_bone(
    names: Sequence[str], parents: Sequence[int], bone_map: retarget.BoneMap
) -> bool:
    pelvis = bone_map.bones.get("pelvis", ())
    return bool(pelvis) and pelvis[0] in names and parents[names.index(pelvis[0])] >= 0

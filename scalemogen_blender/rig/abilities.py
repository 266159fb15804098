"""Which options make sense on a rig: what its bones allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from .._core import retarget
from . import state


@dataclass(frozen=True)
class Abilities:
    """root_bone: it has a bone above the hips.  both_controls: FK and IK controls."""

    root_bone: bool
    both_controls: bool


def abilities(rig: bpy.types.Object) -> Abilities:
    """What a rig allows; cheap enough for panels."""
    found = state.recent_state(rig)
    root = has_root_bone(found.names, found.parents, found.bone_map)
    return Abilities(root_bone=root, both_controls=False)


def has_root_bone(names: Sequence[str], parents: Sequence[int], bone_map: retarget.BoneMap) -> bool:
    """Whether there is a bone above the hips."""
    pelvis = bone_map.bones.get("pelvis", ())
    return bool(pelvis) and pelvis[0] in names and parents[names.index(pelvis[0])] >= 0

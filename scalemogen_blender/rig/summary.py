"""What a panel says of a rig, and the rig measured."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from .. import armature, character
from .._core import retarget
from . import constraints, controls, reference_pose, state, stored
from .selection import target

#: Larger than this (radians) from an axis, a rig faces no axis.
_OBLIQUE = np.radians(15.0)


@dataclass(frozen=True)
class RigSummary:
    """What was found on a rig, ready to be shown.

    title: naming scheme, or the loaded map's name.  mapped, of: joints.  missing: plain words of
    the joints without a bone.  corrected: how many slots the artist has changed.  facing: ``-Y``,
    or empty where that cannot be said.  problem: why the rig cannot be used.  hint: what will
    keep the motion from showing although it can.  doubtful: plain words of the joints to check;
    swapped: because names and places contradict each other about left and right.
    """

    rig: str
    title: str
    mapped: int
    of: int
    missing: tuple[str, ...]
    corrected: int
    facing: str
    problem: str | None
    hint: str = ""
    doubtful: tuple[str, ...] = ()
    swapped: bool = False


def summary(context: bpy.types.Context) -> RigSummary | None:
    """What was found on the target; None without one."""
    rig = target(context)
    return None if rig is None else summary_of(rig)


def summary_of(rig: bpy.types.Object) -> RigSummary:
    """What was found on a rig."""
    found = state.state(rig)
    record = stored.record_of(rig)
    preset = record.preset if record is not None else ""
    return RigSummary(
        rig=rig.name,
        title=preset or found.own or found.bone_map.title,
        mapped=found.bone_map.joint_count,
        of=retarget.JOINT_COUNT,
        missing=found.bone_map.missing,
        corrected=len(found.corrections),
        facing=facing(rig, found.bone_map) if found.problem is None else "",
        problem=state.rig_problem(rig),
        hint=hint(rig, found.bone_map),
        doubtful=tuple(retarget.plain_name(slot) for slot in found.bone_map.doubtful),
        swapped=found.bone_map.sides_swapped,
    )


def hint(rig: bpy.types.Object, bone_map: retarget.BoneMap) -> str:
    """What will keep a motion from showing on a rig that can be used; empty if nothing will."""
    held = constraints.held_bone(rig, bone_map, retarget.SLOTS)
    if held is None:
        return ""
    return f"'{held}' follows a constraint, not its own keys. Pick the control bones under Bone Map"


def facing(rig: bpy.types.Object, bone_map: retarget.BoneMap) -> str:
    """The world axis that the rig's rest pose faces, with its sign; empty if it is none."""
    places = _rest_heads(rig, bone_map)
    if not {"left_hip", "right_hip", "left_ankle"} <= places.keys():
        return ""
    left = places["left_hip"] - places["right_hip"]
    trunk = places.get("left_shoulder", places["left_hip"]) - places["left_ankle"]
    nearest = max(range(3), key=lambda axis: abs(trunk[axis]))
    up = Vector((0.0, 0.0, 0.0))
    up[nearest] = 1.0 if trunk[nearest] > 0.0 else -1.0
    forward = left.cross(up)
    if forward.length < 1e-9:
        return ""
    forward.normalize()
    axis = max(range(3), key=lambda i: abs(forward[i]))
    if abs(forward[axis]) < np.cos(_OBLIQUE):
        return ""
    return f"{'+' if forward[axis] > 0.0 else '-'}{'XYZ'[axis]}"


def _rest_heads(rig: bpy.types.Object, bone_map: retarget.BoneMap) -> Mapping[str, Vector]:
    """World heads of mapped bones at rest, by slot."""
    bones, world = rig.data.bones, rig.matrix_world
    names = {slot: chain[0] for slot, chain in bone_map.bones.items()}
    return {slot: world @ bones[n].head_local for slot, n in names.items() if n in bones}


def measured(rig: bpy.types.Object) -> retarget.RestRig:
    """The rig at rest, where it stands without a preview, and however hidden it is."""
    with _without_preview(rig):
        return armature.read_rest_rig(rig)


@contextlib.contextmanager
def _without_preview(rig: bpy.types.Object) -> Iterator[None]:
    """The rig evaluated, with its object and switches as the artist has left them."""
    from ..results import standing

    with character.evaluated(rig), standing.before_preview(rig):
        yield


def retargeter(rig: bpy.types.Object) -> retarget.Retargeter:
    """The rig measured with its corrected map; any number of motions can be put on it.

    ScaleMoGenError where the map or the object's scale does not allow it.
    """
    bones = state.bone_map(rig)
    with _without_preview(rig):
        rest = armature.read_rest_rig(rig)
        posed = reference_pose.reference(rig)
        reference = None if posed is None else dataclasses.replace(rest, rest=posed)
        return controls.retargeter_for(rig, bones, rest, reference)

"""What the artist has chosen for a rig, as core takes it, and why a choice cannot apply."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import bpy

from .. import bake
from .._core import retarget
from . import reference_pose, state
from .abilities import abilities

if TYPE_CHECKING:
    from .properties import RetargetSettings

#: Constraints on an object that leave nothing of its own location or rotation.
_TAKING_OVER = {"COPY_LOCATION", "COPY_ROTATION", "COPY_TRANSFORMS", "FOLLOW_PATH"}
_MOVING = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle")


def settings(rig: bpy.types.Object) -> RetargetSettings | None:
    """What the artist has set on a rig; None if nothing, without leaving a trace on it."""
    return rig.scalemogen if rig.is_property_set("scalemogen") else None


def options(rig: bpy.types.Object) -> retarget.RetargetOptions:
    """The rig's options; a choice that cannot apply to it is its default.

    The panel says so where that is the case: see :func:`root_problem`.
    """
    chosen = settings(rig)
    if chosen is None:
        return retarget.RetargetOptions()
    return retarget.RetargetOptions(
        root="HIPS" if root_problem(rig, chosen.root) else chosen.root,
        feet=chosen.feet,
        controls=chosen.controls if abilities(rig).both_controls else "FK",
        arm_spread=_degrees(chosen.arm_spread),
        leg_spread=_degrees(chosen.leg_spread),
        keep_hands=chosen.keep_hands,
    )


def _degrees(radians: float) -> float:
    """Within the limit, which single precision misses by a hair."""
    most = retarget.options.MOST_SPREAD
    return max(-most, min(most, round(math.degrees(radians), 4)))


def root_problem(rig: bpy.types.Object, root: str) -> str:
    """Why the root motion cannot be carried that way, so that the hips do; empty if it can."""
    if root == "ROOT_BONE" and not abilities(rig).root_bone:
        return "This rig has no root bone, so the hips carry the motion"
    if root == "OBJECT":
        if any(c.type in _TAKING_OVER and c.enabled and c.influence > 0 for c in rig.constraints):
            return "A constraint moves the object, so the hips carry the motion"
        if any(path in _MOVING for path in _driven(rig)):
            return "A driver moves the object, so the hips carry the motion"
    return ""


def _driven(rig: bpy.types.Object) -> Iterable[str]:
    animation = rig.animation_data
    return [driver.data_path for driver in animation.drivers] if animation is not None else []


def has_arms(rig: bpy.types.Object) -> bool:
    """Whether arm spread and hand contacts mean anything on a rig."""
    found = state.recent_state(rig).bone_map.bones
    return all(found.get(f"{side}_elbow") for side in ("left", "right"))


def remembered(rig: bpy.types.Object) -> dict[str, Any]:
    """The options as an accepted action remembers them."""
    return bake.options_properties(options(rig), reference_pose.is_stored(rig))


def fingerprint(rig: bpy.types.Object) -> str:
    """Changes when what is shown on the rig would: with its options, its map, its reference."""
    bones = state.state(rig).bone_map.bones
    about = repr((options(rig), sorted(bones.items()), reference_pose.stored_text(rig)))
    return hashlib.blake2b(about.encode(), digest_size=16).hexdigest()

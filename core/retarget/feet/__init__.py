"""Feet that stay put on the artist's own rig, numpy only.

On a rig of other proportions than the motion's the feet of a transferred pose slide, float and
sink a little.  The motion's own contacts, heights and speeds say when a foot stands
(:mod:`.standing`); the rig's rest pose says where its soles are (:mod:`.shape`); standing joints
are nailed to the place they have on average (:mod:`.path`), and the legs reach them
(:mod:`.reach`).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...motion import Motion
from ..options import FootLock
from ..pose import JointPose
from .foot import LegPath, RigFoot
from .path import nailed, toe_places
from .reach import lowering, reach, settled, within_reach
from .rolling import flat_feet_held, heels_lifted_in_reach
from .shape import FootShape, foot_shapes
from .standing import stance_of
from .toes import toes_on_floor

if TYPE_CHECKING:
    from ..transfer import Retargeter

__all__ = ["FootShape", "foot_shapes", "planted"]


def planted(retargeter: "Retargeter", motion: Motion, pose: JointPose, lock: FootLock) -> JointPose:
    """The pose with standing feet still, flat and on the floor.

    ``motion`` is the one that the pose was made of, at the same frames.  AUTOMATIC takes its
    contacts, refined by height and speed, and finds them where it has none; ALWAYS lets every low
    foot stand; NEVER changes nothing.  Only legs turn, and only near standing frames; the pelvis
    goes up and down a little.
    """
    if lock == "NEVER" or not motion.frame_count:
        return pose
    return locked_feet(retargeter, motion, pose, lock)[0]


def locked_feet(
    retargeter: "Retargeter", motion: Motion, pose: JointPose, lock: FootLock
) -> tuple[JointPose, list[RigFoot]]:
    """:func:`planted` with the left and the right foot that came out of it."""
    stance = stance_of(motion, lock)
    scale, up = retargeter.body.scale * stance.scale, np.array([0.0, 1.0, 0.0])
    floor = stance.floor * retargeter.body.scale
    shapes = foot_shapes(retargeter)
    bones = [bone for shape in shapes for bone in shape.bones[:3]]
    joints = retargeter.bone_heads(pose, bones) - floor * up
    legs: list[LegPath] = []
    feet: list[RigFoot] = []
    for index, shape in enumerate(shapes):
        hip, knee, ankle = np.moveaxis(joints[:, 3 * index : 3 * index + 3], 1, 0)
        legs.append(LegPath(hip, knee, ankle, shape.length))
        standing = stance.feet[shape.leg]
        foot = RigFoot(
            shape=shape,
            standing=standing,
            ankle=ankle,
            rotation=pose.turns[:, shape.leg.ankle],
            toe_rotation=pose.turns[:, shape.leg.toe],
            toe_stands=standing.toe,
            ankle_stands=standing.ankle,
            fps=motion.fps,
            scale=scale,
            motion_scale=stance.scale,
        )
        feet.append(flat_feet_held(foot))
    places = [toe_places(foot) for foot in feet]
    demands = [
        ((place - foot.toe + foot.ankle - leg.ankle)[:, 1], stands & foot.standing.sole_down)
        for leg, foot, (place, stands) in zip(legs, feet, places, strict=True)
    ]
    height = settled(demands, motion.fps, scale)
    feet = [
        nailed(replace(foot, ankle=foot.ankle + height[:, None] * up), *place)
        for foot, place in zip(feet, places, strict=True)
    ]
    feet = [
        heels_lifted_in_reach(foot, leg, leg.hip + height[:, None] * up)
        for leg, foot in zip(legs, feet, strict=True)
    ]
    height = height - lowering(list(zip(legs, feet, strict=True)), height, motion.fps, scale)
    turns = pose.turns.copy()
    for index, (leg, foot) in enumerate(zip(legs, feet, strict=True)):
        reached = within_reach(leg, height, foot)
        feet[index] = toes_on_floor(reached, pose.turns[:, foot.shape.leg.ankle])
        reach(leg, height, feet[index], turns)
    return replace(pose, turns=turns, hips=pose.hips + (height - floor)[:, None] * up), feet

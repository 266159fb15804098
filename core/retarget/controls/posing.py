"""Where controls are when they are keyed so: forward kinematics over effective parents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...rotations import (
    matrix_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)
from ..pose import PoseChannels
from ..rest_rig import RestRig


@dataclass(frozen=True)
class PosedControls:
    """Controls over time in armature space and units.

    turns: [T, B, 4] rotations away from rest.  heads: [T, B, 3].  frames: [T, B, 4] turns of what
    carries each control.
    """

    turns: np.ndarray
    heads: np.ndarray
    frames: np.ndarray


def pose_controls(
    rig: RestRig,
    place_parents: Sequence[int],
    location_axes: np.ndarray,
    channels: PoseChannels,
) -> PosedControls:
    """Put channels on a rig of controls, parents first; controls without any are at rest.

    place_parents: what moves the controls' heads, where the rig's ``parents`` may say otherwise.
    location_axes: [B, 4] rest rotations of the location channels in armature space.
    """
    frames = channels.frame_count
    identity = np.array([1.0, 0.0, 0.0, 0.0])
    rest = matrix_to_quaternion(rig.rest[:, :3, :3])
    heads_at_rest = rig.rest[:, :3, 3]
    turns = np.tile(identity, (frames, rig.bone_count, 1))
    carried = np.tile(identity, (frames, rig.bone_count, 1))
    heads = np.zeros((frames, rig.bone_count, 3))
    column = {name: i for i, name in enumerate(channels.bones)}
    for bone, name in enumerate(rig.bone_names):
        above, place = rig.turn_parent(bone), place_parents[bone]
        if above >= 0:
            carried[:, bone] = turns[:, above]
        basis = channels.rotations[:, column[name]] if name in column else identity
        own = quaternion_multiply(
            quaternion_multiply(rest[bone], basis), quaternion_conjugate(rest[bone])
        )
        turns[:, bone] = quaternion_multiply(carried[:, bone], own)
        heads[:, bone] = heads_at_rest[bone]
        if place >= 0:
            offset = heads_at_rest[bone] - heads_at_rest[place]
            heads[:, bone] = heads[:, place] + quaternion_rotate(turns[:, place], offset)
        if name in channels.locations:
            axes = quaternion_multiply(carried[:, bone], location_axes[bone])
            heads[:, bone] += quaternion_rotate(axes, channels.locations[name])
    return PosedControls(turns, heads, carried)

"""Motions and posed rigs as the figures that are measured."""

from collections.abc import Mapping

import numpy as np

from core.motion import Motion
from core.retarget import RestRig
from core.retarget.body_frame import ankle_rest_height
from core.rotations import (
    matrix_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)

from . import measures
from .measures import Figure
from .posing import Posed


def motion_figure(motion: Motion) -> Figure:
    """A motion on the canonical skeleton as a figure; at rest it stands on the floor."""
    skeleton = motion.skeleton
    positions, turned = motion.positions(), motion.global_rotations()
    rest = skeleton.rest_positions
    floor = rest[skeleton.index("left_ankle"), 1] - ankle_rest_height(skeleton)
    rest = rest - np.array([0.0, floor, 0.0])
    names = {name: skeleton.index(name) for name in skeleton.joint_names}
    hinges = {}
    for side, out in (("left", 1.0), ("right", -1.0)):
        for slot, above, axis in (
            (f"{side}_knee", f"{side}_hip", (1.0, 0.0, 0.0)),
            (f"{side}_elbow", f"{side}_shoulder", (0.0, -out, 0.0)),
        ):
            hinges[slot] = quaternion_rotate(turned[:, names[above]], np.array(axis))
    return Figure(
        {name: positions[:, index] for name, index in names.items()},
        {name: rest[index] for name, index in names.items()},
        hinges,
        {name: turned[:, index] for name, index in names.items()},
    )


def rig_figure(
    rest: RestRig,
    right: Mapping[str, tuple[str, ...]],
    posed: Posed,
    rested: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """The bones that truly play the joints, whatever the map says.

    ``rested`` are the turns from the T-pose to the rest pose; without them turns count from there.
    """
    first = {slot: chain[0] for slot, chain in right.items()}
    column = {slot: posed.bone_names.index(bone) for slot, bone in first.items()}
    turns = {}
    for slot, bone in first.items():
        at_rest = rest.object_rotation @ rest.rest[rest.index(bone), :3, :3]
        turn = matrix_to_quaternion(posed.axes[:, column[slot]] @ at_rest.T)
        if rested is not None and slot in rested:
            # The rest pose stands in the world as the rig does: facing its own way.
            way = quaternion_conjugate(measures.facing(_at_rest(rest, first)))
            own = quaternion_multiply(
                quaternion_multiply(way, rested[slot]), quaternion_conjugate(way)
            )
            turn = quaternion_multiply(turn, own)
        turns[slot] = turn
    return Figure(
        {slot: posed.heads[:, at] for slot, at in column.items()},
        _at_rest(rest, first).rest,
        {},
        turns,
    )


def _at_rest(rest: RestRig, first: Mapping[str, str]) -> Figure:
    return Figure({}, {slot: rest.heads[rest.index(bone)] for slot, bone in first.items()}, {}, {})

"""Hands that meet in a motion meet on the rig, whatever the build of its shoulders and arms."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..cleanup.filters import highest_around
from ..cleanup.two_bone import solve_two_bones
from ..motion import Motion
from ..rotations import normalize, quaternion_multiply, quaternion_rotate
from .bone_map import SIDES
from .pose import JointPose

if TYPE_CHECKING:
    from .transfer import Retargeter

_ARM = ("shoulder", "elbow", "wrist")

#: Wrists nearer than the first (in canonical arm lengths: 17 cm) belong to hands that meet, those
#: further apart than the second (26 cm) to hands that have nothing to do with each other: hanging
#: arms that swing inwards come as near as 30 cm.
_MEET, _APART = 0.33, 0.5
#: Hands come together and part over this long (s) at least, before and after they meet.
_EASE_SECONDS = 0.2
#: Rounds in which both arms look for a common place that they can reach.
_ROUNDS = 16


def hands_kept(retargeter: "Retargeter", motion: Motion, pose: JointPose) -> JointPose:
    """The pose with the wrists beside each other as in the motion, where its hands meet.

    The vector from wrist to wrist, in arm lengths, becomes the motion's.  Both arms give way alike
    and bend as they did; the hands keep their turns and their common middle, unless that is out of
    reach.  ``motion`` is the one that the pose was made of.
    """
    names = [retargeter.bone_map.bone(f"{side}_{part}") for side in SIDES for part in _ARM]
    if any(name is None for name in names) or not motion.frame_count:
        return pose
    index = retargeter.skeleton.index
    joints = [[index(f"{side}_{part}") for part in _ARM] for side in SIDES]
    arm = float(np.linalg.norm(retargeter.skeleton.rest_offsets[joints[0][1:]], axis=-1).sum())
    positions = motion.positions()
    apart = (positions[:, joints[1][2]] - positions[:, joints[0][2]]) / arm
    weights = meeting(np.linalg.norm(apart, axis=-1), motion.fps)
    frames = np.flatnonzero(weights > 0.0)
    if not len(frames):
        return pose

    bones = [retargeter.rig.index(name) for name in names if name is not None]
    near = replace(pose, turns=pose.turns[frames], hips=pose.hips[frames])
    arms = np.moveaxis(retargeter.bone_heads(near, bones), 1, 0).reshape(2, 3, len(frames), 3)
    lengths = np.linalg.norm(np.diff(arms[:, :, 0], axis=1), axis=-1).sum(axis=-1)
    wrists, weight = arms[:, 2], weights[frames, None]
    wanted = lengths.mean() * apart[frames]
    offset = 0.5 * ((1.0 - weight) * (wrists[1] - wrists[0]) + weight * wanted)
    middle = _within_reach(wrists.mean(axis=0), offset, arms[:, 0], lengths)

    turns = pose.turns.copy()
    for side, target in enumerate((middle - offset, middle + offset)):
        shoulder, elbow, _ = joints[side]
        flexes = (1.0 if side else -1.0) * np.array([0.0, 1.0, 0.0])
        hinge = quaternion_rotate(near.turns[:, shoulder], flexes)
        root, bend, end = arms[side]
        solved = solve_two_bones(root, bend, end, target, hinge)
        turns[frames, shoulder] = quaternion_multiply(solved.upper, near.turns[:, shoulder])
        turns[frames, elbow] = quaternion_multiply(solved.lower, near.turns[:, elbow])
    return replace(pose, turns=turns)


def meeting(distance: np.ndarray, fps: float) -> np.ndarray:
    """How much hands meet [T], 0 to 1, for the distance of the wrists in arm lengths [T].

    Smooth in time: it rises some way before hands meet and falls some way after they have.
    """
    t = np.clip((_APART - distance) / (_APART - _MEET), 0.0, 1.0)
    near = t * t * (3.0 - 2.0 * t)
    reach = max(1, round(_EASE_SECONDS * fps))
    kernel = np.hanning(2 * reach + 3)[1:-1]
    # The mean of what is highest around is nowhere below the value itself.
    held = np.pad(highest_around(near, reach), reach, mode="edge")
    return np.convolve(held, kernel / kernel.sum(), mode="valid")


def _within_reach(
    middle: np.ndarray, offset: np.ndarray, shoulders: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """The middle [T, 3] between both wrists, moved to where both arms reach.

    offset: [T, 3] from the middle to the right wrist; shoulders: [2, T, 3].
    """
    centres = (shoulders[0] + offset, shoulders[1] - offset)
    for _ in range(_ROUNDS):
        back = np.zeros_like(middle)
        for centre, length in zip(centres, lengths, strict=True):
            line = middle - centre
            beyond = np.linalg.norm(line, axis=-1, keepdims=True) - length
            back -= np.maximum(beyond, 0.0) * normalize(line)
        middle = middle + back
    return middle

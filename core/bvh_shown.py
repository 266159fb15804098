"""What a BVH file's joints show, and what they have to show after an edit; numpy only.

Frames of reference: the file's own axes and unit ("file"), and the body's frame of
:mod:`core.retarget.body_frame`, in metres.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from .bvh import BvhClip
from .editing import Offset
from .motion import Motion
from .retarget import Retargeter
from .rotations import quaternion_conjugate, quaternion_multiply, quaternion_rotate


@dataclass(frozen=True)
class ShownPose:
    """Some frames of a file.

    local: [T, J, 4] and translations [T, J, 3], as :class:`BvhClip` has them; turns: [T, J, 4]
    global rotations and heads [T, J, 3], in the file's axes and unit.
    """

    parents: tuple[int, ...]
    local: np.ndarray
    translations: np.ndarray
    turns: np.ndarray
    heads: np.ndarray

    @classmethod
    def of(cls, clip: BvhClip) -> "ShownPose":
        turns, heads = clip.globals()
        return cls(clip.parents, clip.rotations, clip.translations, turns, heads)

    def at(self, frames: np.ndarray) -> "ShownPose":
        """Some frames; those beyond the end show the last."""
        frames = np.minimum(frames, len(self.local) - 1)
        return ShownPose(
            self.parents,
            self.local[frames],
            self.translations[frames],
            self.turns[frames],
            self.heads[frames],
        )

    def hip_middle(self, retargeter: Retargeter) -> np.ndarray:
        """Middle between the hip joints [T, 3]."""
        names = [retargeter.bone_map.bone(f"{side}_hip") for side in ("left", "right")]
        hips = [self.heads[:, retargeter.rig.index(name)] for name in names if name]
        middle: np.ndarray = np.mean(hips, axis=0)
        return middle


@dataclass(frozen=True)
class NewPose:
    """What is to be written, frame by frame, if it differs from what is there.

    local: [T, len(joints), 4] rotations of some joints of the file; moved: a joint and its place
    [T, 3] from its parent, in the file's unit.
    """

    joints: tuple[int, ...]
    local: np.ndarray
    moved: tuple[int, np.ndarray] | None = None


def edited_pose(
    retargeter: Retargeter,
    shown: ShownPose,
    source: Motion,
    edited: Motion,
    joints: Collection[int],
    carrier: int | None,
) -> NewPose:
    """The file's pose after an edit, for some of its joints; all have the same frames.

    A joint turns away from what is shown as the canonical joints turn away from ``source`` in the
    world, whatever its parent does.  The hips move likewise, if a ``carrier`` may.
    """
    before, after = (retargeter.bone_turns(m.global_rotations()) for m in (source, edited))
    change = quaternion_multiply(after, quaternion_conjugate(before))
    turns = _turned(shown, _in_world(retargeter, change), joints)
    shift = None
    if carrier is not None:
        way = [retargeter.hip_targets(motion, start_at_rig=False) for motion in (edited, source)]
        wanted = quaternion_rotate(retargeter.body.turn, way[0] - way[1]) / retargeter.rig.scale
        shift = shown.hip_middle(retargeter) + wanted
    return _posed(retargeter, shown, turns, joints, carrier, shift)


def carried_on(
    retargeter: Retargeter, shown: ShownPose, offset: Offset, joints: Collection[int], carrier: int
) -> NewPose:
    """The whole file turned and shifted as an edit's path was carried on, by its hips alone."""
    body = retargeter.body
    half = offset.turn / 2.0
    turn = _in_world(retargeter, np.array([np.cos(half), 0.0, np.sin(half), 0.0]))
    change = np.broadcast_to(turn, shown.turns.shape)
    turns = _turned(shown, change, joints)
    scale = retargeter.rig.scale
    # The body's frame stands at body.origin, and canonical metres are body.scale of its own.
    origin = body.origin / scale
    shift = quaternion_rotate(body.turn, body.scale * np.asarray(offset.shift)) / scale
    hips = origin + quaternion_rotate(turn, shown.hip_middle(retargeter) - origin) + shift
    return _posed(retargeter, shown, turns, joints, carrier, hips)


def _in_world(retargeter: Retargeter, turns: np.ndarray) -> np.ndarray:
    """Rotations [..., 4] of the body's frame in the file's axes."""
    body = np.broadcast_to(retargeter.body.turn, turns.shape)
    return quaternion_multiply(quaternion_multiply(body, turns), quaternion_conjugate(body))


def _turned(shown: ShownPose, change: np.ndarray, joints: Collection[int]) -> np.ndarray:
    """Global rotations [T, J, 4]: some joints turn away in the world, the others with parents."""
    turns = np.empty_like(shown.turns)
    for joint, parent in enumerate(shown.parents):
        if joint in joints:
            turns[:, joint] = quaternion_multiply(change[:, joint], shown.turns[:, joint])
        elif parent < 0:
            turns[:, joint] = shown.local[:, joint]
        else:
            turns[:, joint] = quaternion_multiply(turns[:, parent], shown.local[:, joint])
    return turns


def _posed(
    retargeter: Retargeter,
    shown: ShownPose,
    turns: np.ndarray,
    joints: Collection[int],
    carrier: int | None,
    hips: np.ndarray | None,
) -> NewPose:
    ordered = tuple(sorted(joints))
    local = np.empty((len(turns), len(ordered), 4))
    for column, joint in enumerate(ordered):
        parent = shown.parents[joint]
        own = turns[:, joint]
        if parent >= 0:
            own = quaternion_multiply(quaternion_conjugate(turns[:, parent]), own)
        local[:, column] = own
    if carrier is None or hips is None:
        return NewPose(ordered, local)
    heads = np.empty_like(shown.heads)
    for joint, parent in enumerate(shown.parents):
        heads[:, joint] = shown.translations[:, joint]
        if parent >= 0:
            arm = quaternion_rotate(turns[:, parent], shown.translations[:, joint])
            heads[:, joint] = heads[:, parent] + arm
    unmoved = ShownPose(shown.parents, shown.local, shown.translations, turns, heads)
    gap = hips - unmoved.hip_middle(retargeter)
    if (above := shown.parents[carrier]) >= 0:
        gap = quaternion_rotate(quaternion_conjugate(turns[:, above]), gap)
    return NewPose(ordered, local, (carrier, shown.translations[:, carrier] + gap))

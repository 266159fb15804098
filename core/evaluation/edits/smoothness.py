"""How smooth an edited motion is where old and new meet, and how exact it is elsewhere; numpy only.

Independent of what does the editing: it looks at two motions and a range.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...editing.edit import Edited
from ...editing.measures import greatest_changes
from ...features.heading import heading_angles, yaw_quaternion
from ...motion import Motion
from ...rotations import quaternion_multiply, quaternion_rotate
from ..physics import clip_physics

#: Half-width in frames of a seam between motion blocks.
SEAM = 4
_ROUNDING = 1e-9


def velocity_jumps(positions: np.ndarray, fps: float) -> np.ndarray:
    """Change of velocity [T] in m/s from one frame to the next, of the joint that has the largest.

    positions: [T, J, 3].  Entry t compares the steps into and out of frame t; both ends are 0.
    """
    return greatest_changes(np.diff(positions, axis=0) * fps)


def border_frames(edited: Edited, source_frames: int) -> list[np.ndarray]:
    """Frames of each border that lies within the source: where old goes over into new."""
    edit, count = edited.report.edit, edited.motion.frame_count
    borders = []
    if edit.first > 0:
        borders.append(np.arange(edit.first - 1, edit.first + edit.blend + 1))
    if edit.last < source_frames - 1:
        borders.append(np.arange(edit.last - edit.blend, edit.last + 2))
    return [b[(b > 0) & (b < count - 1)] for b in borders]


def border_jumps(edited: Edited, source_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Velocity jumps (m/s) in the frames of the borders, and in all other frames of the motion."""
    jumps = velocity_jumps(edited.motion.positions(), edited.motion.fps)
    at_borders = border_frames(edited, source_frames)
    frames = np.unique(np.concatenate(at_borders)) if at_borders else np.zeros(0, dtype=int)
    own = np.delete(jumps, np.concatenate([frames, [0, len(jumps) - 1]]).astype(int))
    return jumps[frames], own


def changed_outside(source: Motion, edited: Edited) -> float:
    """The greatest difference outside the edit's joints and frames; 0 is the promise.

    Local rotations and root positions; where the later path was carried on, what comes after the
    range is compared with the source turned and moved by that offset.
    """
    report, motion = edited.report, edited.motion
    edit = report.edit
    frames = np.arange(source.frame_count)
    joints = [source.skeleton.index(name) for name in report.changed_joints]
    inside = (frames >= edit.first) & (frames <= edit.last)
    rotations, roots = source.rotations.copy(), source.root_positions.copy()
    later = frames > edit.last
    if edit.later == "OFFSET" and later.any() and not _is_none(edited):
        turn = yaw_quaternion(np.array(edited.offset.turn))
        roots[later] = quaternion_rotate(turn, roots[later]) + edited.offset.shift
        rotations[later, 0] = quaternion_multiply(turn, rotations[later, 0])
    difference = np.abs(motion.rotations[: source.frame_count] - rotations)
    difference[np.ix_(np.flatnonzero(inside), np.array(joints))] = 0.0
    path = np.abs(motion.root_positions[: source.frame_count] - roots)
    if 0 in joints:
        path[inside] = 0.0
    # Turned by another formula the last digits differ; the sign of a quaternion is free.
    if later.any() and edit.later == "OFFSET":
        flipped = np.abs(motion.rotations[: source.frame_count, 0] + rotations[:, 0])
        root = np.minimum(difference[:, 0], flipped)
        difference[later, 0] = np.where(root[later] < _ROUNDING, 0.0, root[later])
        path[later] = np.where(path[later] < _ROUNDING, 0.0, path[later])
    return float(max(difference.max(), path.max()))


def _is_none(edited: Edited) -> bool:
    return edited.offset.turn == 0.0 and not np.any(edited.offset.shift)


def distance_inside(source: Motion, edited: Edited) -> float:
    """Mean distance in cm of the edited joints from where they were, seen from the pelvis.

    Nan where the edit extends the motion: nothing was there.
    """
    edit, count = edited.report.edit, source.frame_count
    if edit.first >= count:
        return float("nan")
    frames = slice(edit.first, min(edit.last, count - 1) + 1)
    joints = [source.skeleton.index(name) for name in edit.joints if name != "pelvis"]
    old, new = (_from_pelvis(m)[frames][:, joints] for m in (source, edited.motion))
    return float(100.0 * np.linalg.norm(new - old, axis=-1).mean())


def sliding(motion: Motion, first: int, last: int) -> float:
    """Mean speed (cm/s) over the floor of toes that stand, in a range; nan where none does."""
    return clip_physics(motion.at_frames(slice(first, last + 1)))["sliding"]


def seam_jumps(motion: Motion, starts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Velocity jumps (m/s) near the frames where motion blocks begin, and elsewhere."""
    jumps = velocity_jumps(motion.positions(), motion.fps)
    near = np.zeros(len(jumps), dtype=bool)
    for start in starts:
        if start > 0:
            near[max(0, start - SEAM) : start + SEAM] = True
    return jumps[near], jumps[~near][1:-1]


def loop_jumps(motion: Motion) -> tuple[float, np.ndarray]:
    """Greatest velocity jump (m/s) where the last frame goes over into the first, and all others.

    The body is seen from its own place and heading, which go on through the loop; their velocities
    count like a joint's.  A last frame that repeats the first one counts once.
    """
    around = _from_pelvis(motion)
    path = _own_steps(motion)
    if np.abs(around[-1] - around[0]).max() < 1e-6:
        around, path = around[:-1], path[:-1]
    steps = (np.roll(around, -1, axis=0) - around) * motion.fps
    # The path's step out of the last frame is not known; the one before is held.
    steps = np.concatenate([steps, path[:, None]], axis=1)
    change = np.linalg.norm(steps - np.roll(steps, 1, axis=0), axis=-1).max(axis=1)
    return float(max(change[-1], change[0])), change[1:-1]


def _from_pelvis(motion: Motion) -> np.ndarray:
    """Joint positions [T, J, 3] from the pelvis, in the body's heading of the same frame."""
    positions = motion.positions()
    turn = yaw_quaternion(heading_angles(positions, motion.skeleton, 0.01))[:, None]
    return quaternion_rotate(turn, positions - positions[:, :1])


def _own_steps(motion: Motion) -> np.ndarray:
    """Velocity [T, 3] of the pelvis in the body's heading, the last one held; height as it is."""
    positions = motion.positions()
    turn = yaw_quaternion(heading_angles(positions, motion.skeleton, 0.01))
    steps = quaternion_rotate(turn[:-1], np.diff(motion.root_positions, axis=0)) * motion.fps
    return np.concatenate([steps, steps[-1:]])

"""How well an edit sits in its motion: jumps at borders, sliding feet, seams; numpy only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..cleanup import find_contacts
from ..cleanup.contacts import horizontal_speed
from ..cleanup.legs import legs_of
from ..motion import Motion
from ..rotations import (
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_to_rotation_vector,
)
from .edit import Edited
from .looping import played_on

#: Jumps below these are no jumps, however still a clip is otherwise (rad/s; m/s).
_STILL_TURN, _STILL_PATH = 0.2, 0.05
_USUAL = 99.0

Jumps = Callable[[Motion, Sequence[str] | None], np.ndarray]


@dataclass(frozen=True)
class Jump:
    """The greatest change of velocity from one frame to the next somewhere, and what is usual.

    turn, usual_turn: of the joints' local rotations, rad/s; path, usual_path: of their positions,
    m/s.  Usual is the 99th percentile of the motion that was there before.
    """

    turn: float
    path: float
    usual_turn: float
    usual_path: float

    @property
    def turn_ratio(self) -> float:
        return self.turn / max(self.usual_turn, _STILL_TURN)

    @property
    def path_ratio(self) -> float:
        return self.path / max(self.usual_path, _STILL_PATH)


def turn_jumps(motion: Motion, joints: Sequence[str] | None = None) -> np.ndarray:
    """By how much the angular velocity of the joint where it does most changes at each frame.

    [T] rad/s, of local rotations; nothing at the first and last frame, where it is not known.
    """
    rotations = motion.rotations[:, _indices(motion, joints)]
    steps = quaternion_multiply(rotations[1:], quaternion_conjugate(rotations[:-1]))
    return greatest_changes(quaternion_to_rotation_vector(steps) * motion.fps)


def path_jumps(motion: Motion, joints: Sequence[str] | None = None) -> np.ndarray:
    """:func:`turn_jumps` for the velocities of the joints' positions, [T] m/s."""
    return greatest_changes(
        np.diff(motion.positions()[:, _indices(motion, joints)], axis=0) * motion.fps
    )


def velocity_jump(motion: Motion, frame: int, joints: Sequence[str] | None = None) -> float:
    """:func:`turn_jumps` at one frame."""
    near = motion.at_frames(slice(max(0, frame - 1), frame + 2))
    return float(turn_jumps(near, joints).max(initial=0.0))


def border_jumps(source: Motion, edited: Edited, *, blended: bool = False) -> list[Jump]:
    """The jumps at the borders of an edit's range that have a neighbour, in order.

    Those at the last frame outside and the first frame inside; ``blended``: at all frames that the
    border is blended over.
    """
    edit, motion = edited.report.edit, edited.motion
    joints = edited.report.changed_joints
    usual = (usual_jump(source, joints, turn_jumps), usual_jump(source, joints, path_jumps))
    turns, paths = turn_jumps(motion, joints), path_jumps(motion, joints)
    deep = min(edit.blend, edit.frame_count) if blended else 0
    found = []
    if edit.first > 0:
        found.append((edit.first - 1, edit.first + deep))
    if edit.last < source.frame_count - 1:
        found.append((edit.last - deep, edit.last + 1))
    return [
        Jump(float(turns[a : b + 1].max()), float(paths[a : b + 1].max()), *usual) for a, b in found
    ]


def usual_jump(
    motion: Motion, joints: Sequence[str] | None = None, jumps: Jumps = turn_jumps
) -> float:
    """The 99th percentile of a motion's own jumps."""
    inner = jumps(motion, joints)[1:-1]
    return float(np.percentile(inner, _USUAL)) if len(inner) else 0.0


def seam(motion: Motion, frame: int) -> Jump:
    """The jump between the frame before and this one, beside what is usual in the whole motion."""
    near = slice(max(0, frame - 1), frame + 1)
    return Jump(
        float(turn_jumps(motion)[near].max(initial=0.0)),
        float(path_jumps(motion)[near].max(initial=0.0)),
        usual_jump(motion, None, turn_jumps),
        usual_jump(motion, None, path_jumps),
    )


def loop_gap(motion: Motion) -> Jump:
    """The seam where a loop's last frame is followed by its first, carried on in place and heading.

    Beside what is usual within the clip.
    """
    jump = seam(played_on(motion), motion.frame_count)
    return replace(
        jump,
        usual_turn=usual_jump(motion, None, turn_jumps),
        usual_path=usual_jump(motion, None, path_jumps),
    )


def foot_sliding(motion: Motion, first: int = 0, last: int | None = None) -> float:
    """Mean speed of standing toes over the floor in a range of frames, cm/s; nan where none stands.

    Which stand is asked of height and speed alone, not of ``contacts``.
    """
    toes = [(leg.toe, leg.toe_contact) for leg in legs_of(motion.skeleton)]
    standing = find_contacts(replace(motion, contacts=None)).planted
    speed = horizontal_speed(motion.positions(), motion.fps)
    part = slice(first, motion.frame_count if last is None else last + 1)
    speeds = [speed[part, joint][standing[part, column]] for joint, column in toes]
    values = np.concatenate(speeds)
    return 100.0 * float(values.mean()) if len(values) else float("nan")


def greatest_changes(velocities: np.ndarray) -> np.ndarray:
    """Greatest change [T] at each frame among the velocities [T - 1, J, 3] between frames."""
    changes = np.linalg.norm(np.diff(velocities, axis=0), axis=-1)
    greatest = changes.max(axis=-1, initial=0.0)
    return np.pad(greatest, 1)[: len(velocities) + 1]


def _indices(motion: Motion, joints: Sequence[str] | None) -> list[int]:
    names = motion.skeleton.joint_names if joints is None else joints
    return [motion.skeleton.index(name) for name in names]

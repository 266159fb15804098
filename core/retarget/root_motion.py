"""Which part of a motion is the way of the whole character, on the floor.

The way is what the root bone or the armature object carries, and what is taken away in place: the
hips' path over the floor, smoothed, so that the sway of every step stays in the hips, and the
direction in which the body faces, smoothed likewise.  Both end exactly where the hips begin and
end.

The facing is the turn about the vertical that is left of the pelvis when it is stood upright by
the least rotation.  It does not change through a cartwheel or a somersault, and it stays when the
body falls on its back or face.  A body that is nearly upside down faces nowhere: the facing goes
evenly from what it was before to what it is afterwards.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..cleanup.filters import smooth
from ..rotations import (
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_matrix,
    rotation_vector_to_quaternion,
)
from .body_frame import BodyFrame
from .pose import JointPose

UP = np.array([0.0, 1.0, 0.0])

#: Width (s) of the Gaussian that takes steps and swaying out of the way.  A sway of one a second
#: stays in the hips by five sixths; a start at 3 m/s² leads the way by 14 cm.
_SMOOTH_SECONDS = 0.3
#: cos² of half the tilt below which a pelvis faces nowhere: tilted by more than 120 degrees.
_LEAST_FACING = np.cos(np.radians(60.0)) ** 2


@dataclass(frozen=True)
class Way:
    """The character over the floor, in the rig's body frame.

    places: [T, 3] metres, height zero; turns: [T, 4] about the vertical, none facing +Z.
    """

    places: np.ndarray
    turns: np.ndarray

    def seen_from(self, pose: JointPose) -> JointPose:
        """The pose as somebody sees it who goes this way."""
        back = quaternion_conjugate(self.turns)
        return replace(
            pose,
            turns=quaternion_multiply(back[:, None], pose.turns),
            hips=quaternion_rotate(back, pose.hips - self.places),
        )

    def points(self, points: np.ndarray) -> np.ndarray:
        """Where points [3] of the rest pose are [T, 3] that go this way."""
        return self.places + quaternion_rotate(self.turns, points)

    def carrying(self, to_world: np.ndarray, body: BodyFrame) -> np.ndarray:
        """Matrices [T, 4, 4] of an object that goes this way, instead of its ``to_world``."""
        back = quaternion_conjugate(body.turn)
        turn = quaternion_multiply(quaternion_multiply(body.turn, self.turns), back)
        moved = np.tile(np.eye(4), (len(turn), 1, 1))
        moved[:, :3, :3] = quaternion_to_matrix(turn)
        moved[:, :3, 3] = body.to_world(self.places) - quaternion_rotate(turn, body.origin)
        return moved @ to_world


def way_of(pose: JointPose) -> Way:
    """The way of a pose's hips, and where its pelvis faces."""
    sigma = _SMOOTH_SECONDS * pose.fps
    headings = smooth(facing(pose.turns[:, 0]), sigma)
    places = smooth(pose.hips * np.array([1.0, 0.0, 1.0]), sigma)
    return Way(places, rotation_vector_to_quaternion(headings[:, None] * UP))


def in_place(pose: JointPose) -> JointPose:
    """The pose without its way over the floor; the facing, the sway and the height stay."""
    places = way_of(pose).places
    return replace(pose, hips=pose.hips - (places - places[:1]))


def facing(pelvis: np.ndarray) -> np.ndarray:
    """Angle [T] about the vertical, continuous, in radians, for rotations [T, 4] of the pelvis."""
    w, y = pelvis[:, 0], pelvis[:, 2]
    # Twice the angle of (w, y), so that both quaternions of a rotation say the same.
    angles = np.arctan2(2.0 * w * y, w * w - y * y)
    if not len(angles):
        return np.zeros(0)
    known = np.flatnonzero(w * w + y * y > _LEAST_FACING)
    if not len(known):
        known = np.arange(len(pelvis))
    faced: np.ndarray = np.interp(np.arange(len(pelvis)), known, np.unwrap(angles[known]))
    return faced

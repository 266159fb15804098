"""Joint angles against the range of motion of healthy adults, numpy only.

The limits are those of the American Academy of Orthopaedic Surgeons (Joint Motion: Method of
Measuring and Recording, 1965), as reprinted in Norkin & White, Measurement of Joint Motion.  They
are clinical means of isolated movements; athletes and dancers go beyond them, and a marker-based
skeleton adds errors of its own, so an angle counts as impossible only ``MARGIN`` beyond.  Angles
are taken from bone directions in the frame of the bone above, not from Euler angles.
"""

from collections.abc import Callable

import numpy as np

from ..motion import Motion
from ..rotations import quaternion_multiply, quaternion_rotate

#: Degrees beyond the published limits that are still believed.
MARGIN = 15.0

#: Angle -> published least and greatest value in degrees (see :func:`joint_angles`).
LIMITS: dict[str, tuple[float, float]] = {
    "knee_flexion": (-10.0, 135.0),
    "elbow_flexion": (0.0, 150.0),
    "elbow_hyperextension": (-180.0, 0.0),
    "hip_flexion": (0.0, 120.0),
    "hip_extension": (-180.0, 30.0),
    "hip_adduction": (-180.0, 30.0),
    "neck_bend": (0.0, 45.0),
    "neck_rotation": (-60.0, 60.0),
    "trunk_bend": (0.0, 80.0),
    "trunk_rotation": (-45.0, 45.0),
}

_X, _Y, _Z = np.eye(3)


def joint_angles(motion: Motion) -> dict[str, np.ndarray]:
    """Angles in degrees of a motion on the canonical skeleton, both sides in one array [T, sides].

    knee_flexion: shank in the plane of walking, positive when bent.  elbow_flexion: between upper
    arm and forearm; elbow_hyperextension: how far the forearm lies behind the upper arm.
    hip_flexion: between thigh and straight down, whichever way it is lifted forward or sideways;
    hip_extension and hip_adduction: how far the thigh lies behind and across.  neck_bend and
    trunk_bend: head (trunk) against chest (pelvis); their rotations: about the bone.  The ankle is
    left out: what sources call a toe differs too much.
    """

    def direction(joint: str, child: str) -> np.ndarray:
        offset = motion.skeleton.rest_offsets[motion.skeleton.index(child)]
        bone = offset / np.linalg.norm(offset)
        return quaternion_rotate(rotation(joint), bone)

    def rotation(*joints: str) -> np.ndarray:
        turned = motion.rotations[:, motion.skeleton.index(joints[0])]
        for joint in joints[1:]:
            turned = quaternion_multiply(turned, motion.rotations[:, motion.skeleton.index(joint)])
        return turned

    def both(angle: Callable[[str, float], np.ndarray]) -> np.ndarray:
        # The character's left is +X: multiplied by the sign, x points away from the body's middle.
        return np.degrees(np.stack([angle("left", 1.0), angle("right", -1.0)], -1))

    def knee(side: str, _: float) -> np.ndarray:
        d = direction(f"{side}_knee", f"{side}_ankle")
        return np.arctan2(-(d @ _Z), -(d @ _Y))

    def elbow(side: str, sign: float) -> np.ndarray:
        return np.arccos(np.clip(sign * direction(f"{side}_elbow", f"{side}_wrist") @ _X, -1, 1))

    def elbow_back(side: str, sign: float) -> np.ndarray:
        d = direction(f"{side}_elbow", f"{side}_wrist")
        # Only an arm that is nearly straight can be bent the wrong way.
        return np.where(sign * d @ _X > 0.5, np.arcsin(np.clip(-(d @ _Z), -1, 1)), 0.0)

    def thigh(side: str, _: float) -> np.ndarray:
        return np.arccos(np.clip(-(direction(f"{side}_hip", f"{side}_knee") @ _Y), -1, 1))

    def thigh_back(side: str, _: float) -> np.ndarray:
        return np.arcsin(np.clip(-(direction(f"{side}_hip", f"{side}_knee") @ _Z), -1, 1))

    def thigh_across(side: str, sign: float) -> np.ndarray:
        d = direction(f"{side}_hip", f"{side}_knee")
        # A lifted thigh may cross further: that is rotation, not adduction.
        return np.where(-(d @ _Y) > 0.5, np.arcsin(np.clip(-sign * (d @ _X), -1, 1)), 0.0)

    def bend(turned: np.ndarray) -> np.ndarray:
        up = quaternion_rotate(turned, _Y)
        return np.degrees(np.arccos(np.clip(up @ _Y, -1, 1)))[:, None]

    def twist(turned: np.ndarray) -> np.ndarray:
        angle = 2 * np.arctan2(turned[:, 2], turned[:, 0])
        return np.degrees((angle + np.pi) % (2 * np.pi) - np.pi)[:, None]

    head, trunk = rotation("neck", "head"), rotation("spine1", "spine2", "spine3")
    return {
        "knee_flexion": both(knee),
        "elbow_flexion": both(elbow),
        "elbow_hyperextension": both(elbow_back),
        "hip_flexion": both(thigh),
        "hip_extension": both(thigh_back),
        "hip_adduction": both(thigh_across),
        "neck_bend": bend(head),
        "neck_rotation": twist(head),
        "trunk_bend": bend(trunk),
        "trunk_rotation": twist(trunk),
    }


def impossible_frames(motion: Motion, margin: float = MARGIN) -> np.ndarray:
    """[T] bool: frames in which some angle lies more than ``margin`` degrees out of its limits."""
    wrong = np.zeros(motion.frame_count, dtype=bool)
    for name, angles in joint_angles(motion).items():
        least, greatest = LIMITS[name]
        wrong |= ((angles < least - margin) | (angles > greatest + margin)).any(-1)
    return wrong

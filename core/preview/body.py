"""Which shapes a skeleton is drawn with: thick limbs, a torso, a head that shows where it looks."""

from dataclasses import dataclass

import numpy as np

from ..motion import Motion
from ..rotations import quaternion_rotate
from ..skeleton import Skeleton, canonical

#: Limbs (from joint, to joint, radius at each end in metres) by canonical joint name.
LIMBS = (
    ("left_hip", "left_knee", 0.080, 0.055),
    ("left_knee", "left_ankle", 0.055, 0.038),
    ("left_ankle", "left_foot", 0.042, 0.034),
    ("right_hip", "right_knee", 0.080, 0.055),
    ("right_knee", "right_ankle", 0.055, 0.038),
    ("right_ankle", "right_foot", 0.042, 0.034),
    ("left_shoulder", "left_elbow", 0.052, 0.040),
    ("left_elbow", "left_wrist", 0.040, 0.030),
    ("right_shoulder", "right_elbow", 0.052, 0.040),
    ("right_elbow", "right_wrist", 0.040, 0.030),
)
TORSO = (
    ("left_hip", 0.085),
    ("right_hip", 0.085),
    ("spine1", 0.10),
    ("spine3", 0.11),
    ("left_shoulder", 0.055),
    ("right_shoulder", 0.055),
)
TRAILED = ("left_wrist", "right_wrist", "left_ankle", "right_ankle")

HEAD_RADIUS = 0.105
HEAD_ABOVE_JOINT = 0.07
HAND = 0.09  # metres from the wrist to the middle of the hand

#: SnapMoGen's names of the joints above (its hand and toe joints lie where ours do).
_SNAPMOGEN = {
    "pelvis": "ROOT",
    "spine1": "C_spine0001_bind_JNT",
    "spine3": "C_spine0003_bind_JNT",
    "neck": "C_neck0001_bind_JNT",
    "head": "C_head_bind_JNT",
    **{
        f"{side}_{ours}": f"{letter}_{theirs}_bind_JNT"
        for side, letter in (("left", "L"), ("right", "R"))
        for ours, theirs in (
            ("hip", "legUpper0001"),
            ("knee", "legLower0001"),
            ("ankle", "foot0001"),
            ("foot", "foot0002"),
            ("shoulder", "armUpper0001"),
            ("elbow", "armLower0001"),
            ("wrist", "hand0001"),
        )
    },
}

#: A foot stands when it is lower and slower than this (metres, metres per second).
_CONTACT_HEIGHT = {"ankle": 0.13, "foot": 0.06}
_CONTACT_SPEED = 0.35


@dataclass(frozen=True)
class Body:
    """World positions of everything that is drawn, per frame, in metres of our skeleton."""

    joints: dict[str, np.ndarray]  # canonical name -> [T, 3]
    head_centre: np.ndarray  # [T, 3]
    head_forward: np.ndarray  # [T, 3]
    chest_forward: np.ndarray  # [T, 3]
    hands: dict[str, np.ndarray]  # "left" / "right" -> [T, 3]
    contacts: dict[str, np.ndarray]  # name of a foot joint -> bool [T]
    outline: np.ndarray  # [T, n, 3] points that a picture has to hold, the hips first


def body_of(motion: Motion) -> Body:
    """The drawable body of a motion on any of the three skeletons."""
    index = _joint_indices(motion.skeleton)
    positions = motion.positions()
    # Whatever its units and the actor's height, a body is drawn with legs as long as ours.
    positions = positions * _leg_length(canonical()) / _leg_length(motion.skeleton)
    turned = motion.global_rotations()
    joints = {name: positions[:, at] for name, at in index.items()}

    def direction(name: str, axis: tuple[float, float, float]) -> np.ndarray:
        return quaternion_rotate(turned[:, index[name]], np.array(axis))

    hands = {}
    for side, out in (("left", 1.0), ("right", -1.0)):
        # Along the forearm's rest axis, so that a bent wrist shows.
        hands[side] = joints[f"{side}_wrist"] + HAND * direction(f"{side}_wrist", (out, 0, 0))
    head_centre = joints["head"] + HEAD_ABOVE_JOINT * direction("head", (0, 1, 0))
    return Body(
        joints=joints,
        head_centre=head_centre,
        head_forward=direction("head", (0, 0, 1)),
        chest_forward=direction("spine3", (0, 0, 1)),
        hands=hands,
        contacts=_contacts(motion, joints),
        outline=np.stack(
            [joints["pelvis"], *joints.values(), *hands.values(), head_centre], axis=1
        ),
    )


def _joint_indices(skeleton: Skeleton) -> dict[str, int]:
    names = {limb[0] for limb in LIMBS} | {limb[1] for limb in LIMBS}
    names |= {name for name, _ in TORSO} | {"pelvis", "neck", "head"}
    published = _SNAPMOGEN if skeleton.joint_names[0] == "ROOT" else {}
    return {name: skeleton.index(published.get(name, name)) for name in names}


def _leg_length(skeleton: Skeleton) -> float:
    index = _joint_indices(skeleton)
    bones = [skeleton.rest_offsets[index[name]] for name in ("left_knee", "left_ankle")]
    return float(sum(np.linalg.norm(bone) for bone in bones))


def _contacts(motion: Motion, joints: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Which foot joints stand: the model's word where there is one, else height and speed."""
    result = {}
    for side in ("left", "right"):
        for joint, height in _CONTACT_HEIGHT.items():
            path = joints[f"{side}_{joint}"]
            speed = np.linalg.norm(np.gradient(path, axis=0), axis=-1) if len(path) > 1 else 0.0
            standing = (path[:, 1] < height) & (speed * motion.fps < _CONTACT_SPEED)
            result[f"{side}_{joint}"] = standing
    if motion.contacts is not None:
        index = {at: name for name, at in _joint_indices(motion.skeleton).items()}
        for column, joint_index in enumerate(motion.skeleton.contact_joints):
            if joint_index in index:
                result[index[joint_index]] = motion.contacts[:, column] > 0.5
    return result

"""Edited joints on a body that is not edited as a whole: what was meant in the world stays; numpy.

A hand wave on a moving torso stays a wave, and a trunk stays upright over hips that were edited.
"""

from dataclasses import replace

import numpy as np

from ..cleanup import legs_of
from ..motion import Motion
from ..rotations import (
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
)
from .alignment import yaw
from .edit import Edit

#: What the pelvis carries, and how far (radians) it may tilt beneath that where that is not edited.
_TRUNK, _TILT = ("spine1", "spine2", "spine3"), np.radians(10.0)


def under_parents(old: Motion, made: Motion, turns: np.ndarray, edit: Edit) -> Motion:
    """The old motion with the edited joints of the made one, in all frames.

    turns: [T] angles from the made motion's heading to that of this one, where the root's own
    rotation does not have them already.
    """
    skeleton, edits_root = old.skeleton, "pelvis" in edit.joints
    edited = [name in edit.joints for name in skeleton.joint_names]
    intended = made.global_rotations()
    if not edits_root:
        intended = quaternion_multiply(yaw(turns)[:, None], intended)
    rotations, root = old.rotations.copy(), old.root_positions.copy()
    actual = np.empty_like(intended)
    own = np.zeros(len(edited), dtype=bool)  # stands in the world as it was made
    if edits_root:
        root = made.root_positions.copy()
        actual[:, 0] = rotations[:, 0] = made.rotations[:, 0]
        own[0] = bool({*_TRUNK} & {*edit.joints})
        if not own[0]:
            actual[:, 0] = rotations[:, 0] = _under_trunk(old, intended)
            legs = [leg.hip for leg in legs_of(skeleton)]
            if all(edited[hip] for hip in legs):
                middle = skeleton.rest_offsets[legs].mean(axis=0)
                root += quaternion_rotate(intended[:, 0], middle)
                root -= quaternion_rotate(rotations[:, 0], middle)
    else:
        actual[:, 0] = rotations[:, 0]
    for joint, parent in enumerate(skeleton.parents):
        if parent < 0:
            continue
        if edited[joint]:
            own[joint] = True
            if own[parent]:
                rotations[:, joint] = made.rotations[:, joint]
            else:
                back = quaternion_conjugate(actual[:, parent])
                rotations[:, joint] = normalize(quaternion_multiply(back, intended[:, joint]))
        actual[:, joint] = quaternion_multiply(actual[:, parent], rotations[:, joint])
    return replace(old, rotations=rotations, root_positions=root)


def _under_trunk(old: Motion, intended: np.ndarray) -> np.ndarray:
    """Rotations [T, 4] of an edited pelvis that carries a trunk which is not edited.

    The trunk shall stand in the world as the model saw it, and not fall over with every tilt of the
    pelvis: of the pelvis' own tilt only so much is left as a trunk can follow.
    """
    chest = old.skeleton.index(_TRUNK[-1])
    wanted = intended[:, chest]
    for name in reversed(_TRUNK):
        back = quaternion_conjugate(old.rotations[:, old.skeleton.index(name)])
        wanted = quaternion_multiply(wanted, back)
    tilt = quaternion_to_rotation_vector(
        quaternion_multiply(intended[:, 0], quaternion_conjugate(wanted))
    )
    size = np.linalg.norm(tilt, axis=-1, keepdims=True)
    share = _TILT * np.tanh(size / _TILT) / np.maximum(size, 1e-9)
    return normalize(quaternion_multiply(rotation_vector_to_quaternion(share * tilt), wanted))

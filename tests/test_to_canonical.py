"""Motions of the published skeletons on ours."""

import numpy as np
import pytest
from synthetic import walking

from core.features import feature_layout
from core.motion import Motion
from core.retarget.to_canonical import onto_canonical
from core.rotations import rotation_vector_to_quaternion
from core.skeleton import canonical, load_skeleton

#: (joint, joint further out) in canonical names and in SnapMoGen's.
LIMBS = {
    ("left_hip", "left_knee"): ("L_legUpper0001_bind_JNT", "L_legLower0001_bind_JNT"),
    ("right_knee", "right_ankle"): ("R_legLower0001_bind_JNT", "R_foot0001_bind_JNT"),
    ("left_shoulder", "left_elbow"): ("L_armUpper0001_bind_JNT", "L_armLower0001_bind_JNT"),
    ("right_elbow", "right_wrist"): ("R_armLower0001_bind_JNT", "R_hand0001_bind_JNT"),
}


def directions(motion: Motion, pairs: list[tuple[str, str]]) -> np.ndarray:
    positions, index = motion.positions(), motion.skeleton.index
    bones = np.stack([positions[:, index(b)] - positions[:, index(a)] for a, b in pairs], 1)
    return bones / np.linalg.norm(bones, axis=-1, keepdims=True)


def test_our_own_motions_are_left_alone() -> None:
    motion = walking()
    assert onto_canonical(motion) is motion


def test_snapmogen_limbs_keep_their_directions_and_feet_the_floor() -> None:
    skeleton = load_skeleton("snapmogen")
    random = np.random.default_rng(0)
    angles = np.cumsum(random.normal(size=(30, skeleton.joint_count, 3)) * 0.03, axis=0)
    height = -skeleton.rest_positions[:, 1].min()
    root = np.tile([[0.0, height, 0.0]], (30, 1))
    motion = Motion(skeleton, rotation_vector_to_quaternion(angles), root, 30.0)
    made = onto_canonical(motion)
    cosine = np.sum(
        directions(made, list(LIMBS)) * directions(motion, list(LIMBS.values())), axis=-1
    )
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 1.0
    # At rest it stands on the floor: toes of ours rest 2 cm above it.
    assert abs(made.positions()[0, :, 1].min() - 0.02) < 0.03


@pytest.mark.parametrize("name", ["humanml3d"])
def test_humanml3d_walks_on_at_our_frame_rate(name: str) -> None:
    layout = feature_layout(name)
    walk = walking(60)
    slow = Motion(layout.skeleton, walk.rotations, walk.root_positions, 30.0).resampled(20.0)
    motion = layout.decode(layout.encode(slow))
    made = onto_canonical(motion)
    assert made.skeleton is canonical()
    assert made.fps == 30.0
    assert abs(made.seconds - motion.seconds) < 0.1
    np.testing.assert_allclose(made.root_positions[-1, 2], motion.root_positions[-1, 2], rtol=0.05)

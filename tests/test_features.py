"""Feature layouts: there and back, mirrored, and in torch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from synthetic import tumbling, walking

from core.dataset_format import read_pack
from core.features import feature_layout
from core.features.snapmogen import SnapMoGenLayout
from core.motion import Motion
from core.rotations import quaternion_multiply, rotation_angle, rotation_vector_to_quaternion
from core.skeleton import load_skeleton
from core.training.corpus import mirror_motion
from core.training.feature_math import feature_mirror, global_positions

WIDTHS = {"canonical": 272, "snapmogen": 296, "humanml3d": 263}


def on(skeleton_name: str, motion: Motion) -> Motion:
    """The motion's joints in order on another skeleton: any rotations do for a round trip."""
    skeleton = load_skeleton(skeleton_name)
    joints = skeleton.joint_count
    rotations = np.zeros((motion.frame_count, joints, 4))
    rotations[..., 0] = 1.0
    shared = min(joints, motion.skeleton.joint_count)
    rotations[:, :shared] = motion.rotations[:, :shared]
    scale = 50.0 if skeleton.units == "centimetres" else 1.0
    return Motion(skeleton, rotations, motion.root_positions * scale, skeleton.fps)


@pytest.mark.parametrize("name", sorted(WIDTHS))
def test_columns_belong_to_one_joint_each(name: str) -> None:
    layout = feature_layout(name)
    assert layout.width == WIDTHS[name]
    owned = [column for columns in layout.joint_columns for column in columns]
    assert sorted(owned) == list(range(layout.width))


@pytest.mark.parametrize("name", ["canonical", "snapmogen"])
@given(seed=st.integers(0, 2**32 - 1))
def test_any_motion_comes_back_exactly(name: str, seed: int) -> None:
    layout = feature_layout(name)
    motion = on(name, tumbling(seed, frames=20))
    wanted = layout.canonicalize(motion)
    made = layout.decode(layout.encode(motion))
    unit = 1000.0 if name == "canonical" else 10.0
    assert made.frame_count == motion.frame_count - 1
    assert np.max(np.abs(made.positions() - wanted.positions()[:-1])) * unit < 0.1
    assert np.degrees(np.max(rotation_angle(made.rotations, wanted.rotations[:-1]))) < 0.01


@given(seed=st.integers(0, 2**32 - 1))
def test_humanml3d_gives_positions_back(seed: int) -> None:
    """Its rotations carry no twist, so positions are what can come back."""
    layout = feature_layout("humanml3d")
    motion = on("humanml3d", tumbling(seed, frames=20))
    wanted = layout.canonicalize(motion).positions()[:-1]
    made = layout.decode(layout.encode(motion))
    assert np.max(np.abs(made.positions() - wanted)) * 1000 < 0.1
    again = layout.decode(layout.encode(made)).positions()
    # One frame less lies under the smoothed heading, so the clip is turned anew first.
    assert np.max(np.abs(again - layout.canonicalize(made).positions()[:-1])) * 1000 < 0.1


def test_real_clips_come_back_exactly(motion_data: Path) -> None:
    canonical, human = feature_layout("canonical"), feature_layout("humanml3d")
    for name in ("cmu", "quaternius", "hdm05"):
        for clip in list(read_pack(motion_data / f"{name}.npz.xz"))[::40]:
            motion = clip.motion()
            made = canonical.decode(canonical.encode(motion))
            wanted = canonical.canonicalize(motion)
            assert np.max(np.abs(made.positions() - wanted.positions()[:-1])) < 1e-4
            assert np.degrees(np.max(rotation_angle(made.rotations, wanted.rotations[:-1]))) < 0.01
            slow = replace(motion, skeleton=human.skeleton).resampled(20.0)
            made = human.decode(human.encode(slow))
            wanted = human.canonicalize(slow)
            assert np.max(np.abs(made.positions() - wanted.positions()[:-1])) < 1e-4


def test_features_do_not_know_where_a_clip_stands_or_faces() -> None:
    layout = feature_layout("canonical")
    motion = walking()
    turn = rotation_vector_to_quaternion(np.array([0.0, 2.0, 0.0]))
    rotations = motion.rotations.copy()
    rotations[:, 0] = quaternion_multiply(turn, rotations[:, 0])
    root = motion.root_positions @ np.array(
        [[np.cos(2), 0, -np.sin(2)], [0, 1, 0], [np.sin(2), 0, np.cos(2)]]
    )
    moved = replace(motion, rotations=rotations, root_positions=root + np.array([3.0, 0.0, -1.0]))
    np.testing.assert_allclose(layout.encode(moved), layout.encode(motion), atol=1e-5)


def test_a_forward_walk_reads_as_one() -> None:
    features = feature_layout("canonical").encode(walking())
    np.testing.assert_allclose(features[5:-5, 2].mean(), 1.2 / 30, rtol=0.02)
    assert np.all(np.abs(features[:, 1]) < 0.01)
    assert 0.9 < features[:, 3].mean() < 1.0


def test_standing_feet_are_in_contact_and_walking_feet_by_turns() -> None:
    layout = feature_layout("canonical")
    still = walking()
    still = replace(
        still,
        rotations=np.repeat(still.rotations[:1] * 0 + [1.0, 0, 0, 0], 40, 0),
        root_positions=np.repeat([[0.0, 0.98, 0.0]], 40, 0),
    )
    assert np.all(layout.encode(still)[:, -4:] == 1)


@given(seed=st.integers(0, 2**32 - 1))
def test_mirroring_features_is_mirroring_the_motion(seed: int) -> None:
    layout = feature_layout("canonical")
    assert isinstance(layout, SnapMoGenLayout)
    motion = tumbling(seed, frames=16)
    columns, signs = feature_mirror(layout)
    mirrored = torch.from_numpy(layout.encode(motion))[:, columns] * signs
    np.testing.assert_allclose(mirrored, layout.encode(mirror_motion(motion)), atol=1e-5)


def test_mirroring_twice_changes_nothing() -> None:
    motion = walking()
    again = mirror_motion(mirror_motion(motion))
    np.testing.assert_allclose(again.rotations, motion.rotations)
    np.testing.assert_allclose(again.root_positions, motion.root_positions)


@given(seed=st.integers(0, 2**32 - 1))
def test_differentiable_kinematics_agree_with_numpy(seed: int) -> None:
    layout = feature_layout("canonical")
    assert isinstance(layout, SnapMoGenLayout)
    features = layout.encode(tumbling(seed, frames=16))
    positions = global_positions(torch.from_numpy(features)[None], layout)[0]
    np.testing.assert_allclose(positions, layout.decode(features).positions(), atol=1e-4)

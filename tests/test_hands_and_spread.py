"""Corrections for other builds: hands that meet, and limbs held further out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from synthetic import RigRecipe, build_rig, tumbling, walking

from core.motion import Motion
from core.retarget import JointPose, Retargeter, RetargetOptions, map_bones
from core.retarget.hands import hands_kept, meeting
from core.retarget.spread import limbs_spread
from core.rotations import (
    normalize,
    quaternion_rotate,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical

SIDES = ("left", "right")
ARM = ("shoulder", "elbow", "wrist")


def measured(proportions: dict[str, float] | None = None, **recipe) -> Retargeter:
    rig = build_rig(RigRecipe(proportions=proportions or {}, **recipe))
    return Retargeter.build(rig, map_bones(rig.bone_names, rig.parents), canonical())


def arms(upper: float, lower: float, shoulders: float) -> dict[str, float]:
    """Proportions by what is longer than the skeleton's."""
    factors = {"elbow": upper, "wrist": lower, "collar": shoulders, "shoulder": shoulders}
    return {f"{side}_{part}": factor for side in SIDES for part, factor in factors.items()}


def clapping(frames: int = 90) -> Motion:
    """Hands that meet in front of the chest and part, twice; they never cross."""
    skeleton = canonical()
    closed = 0.5 - 0.5 * np.cos(4.0 * np.pi * np.arange(frames) / frames)
    angles = np.zeros((frames, skeleton.joint_count, 3))
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        angles[:, skeleton.index(f"{side}_shoulder"), 1] = -sign * (0.7 + 0.6 * closed)
        angles[:, skeleton.index(f"{side}_shoulder"), 2] = -sign * 0.2
        angles[:, skeleton.index(f"{side}_elbow"), 1] = -sign * (0.5 + 0.72 * closed)
        angles[:, skeleton.index(f"{side}_wrist"), 0] = 0.3
    root = np.tile([0.0, 0.98, 0.0], (frames, 1))
    return Motion(skeleton, rotation_vector_to_quaternion(angles), root, 30.0)


def wrist_to_wrist(motion: Motion) -> np.ndarray:
    """Vectors [T, 3] in arm lengths."""
    skeleton, positions = motion.skeleton, motion.positions()
    arm = sum(np.linalg.norm(skeleton.rest_offsets[skeleton.index(f"left_{p}")]) for p in ARM[1:])
    return (
        positions[:, skeleton.index("right_wrist")] - positions[:, skeleton.index("left_wrist")]
    ) / arm


def places(rig: Retargeter, pose: JointPose) -> dict[str, np.ndarray]:
    names = [f"{side}_{part}" for side in SIDES for part in ARM]
    heads = rig.bone_heads(pose, [rig.rig.index(name) for name in names])
    return {name: heads[:, i] for i, name in enumerate(names)}


def arm_length(rig: Retargeter) -> float:
    heads = rig.body.heads[[rig.rig.index(f"left_{part}") for part in ARM]]
    return float(np.linalg.norm(np.diff(heads, axis=0), axis=-1).sum())


builds = st.tuples(st.floats(0.7, 1.4), st.floats(0.7, 1.4), st.floats(0.6, 1.5))


@settings(max_examples=40, deadline=None)
@given(build=builds, size=st.floats(0.4, 2.5), drop=st.sampled_from([0.0, 45.0, 80.0]))
def test_hands_that_meet_in_the_motion_meet_on_the_rig(build, size, drop):
    motion, rig = clapping(), measured(arms(*build), size=size, arm_drop=drop)
    wanted = wrist_to_wrist(motion)
    meet = np.linalg.norm(wanted, axis=-1) < 0.3
    assert meet.sum() > 10
    found = places(rig, hands_kept(rig, motion, rig.joint_pose(motion)))
    apart = (found["right_wrist"] - found["left_wrist"]) / arm_length(rig)
    assert np.linalg.norm(apart - wanted, axis=-1)[meet].max() < 0.02


def test_without_the_correction_they_would_not():
    motion, rig = clapping(), measured(arms(1.0, 1.0, 1.4))
    wanted = wrist_to_wrist(motion)
    meet = np.linalg.norm(wanted, axis=-1) < 0.3
    found = places(rig, rig.joint_pose(motion))
    apart = (found["right_wrist"] - found["left_wrist"]) / arm_length(rig)
    assert np.linalg.norm(apart - wanted, axis=-1)[meet].min() > 0.1


@settings(max_examples=20, deadline=None)
@given(build=builds)
def test_meeting_hands_keep_their_turns_and_elbows_their_side(build):
    motion, rig = clapping(), measured(arms(*build))
    before = rig.joint_pose(motion)
    after = hands_kept(rig, motion, before)
    changed = {rig.skeleton.index(f"{side}_{part}") for side in SIDES for part in ARM[:2]}
    for joint in range(rig.skeleton.joint_count):
        if joint not in changed:
            assert (after.turns[:, joint] == before.turns[:, joint]).all()
    assert (after.hips == before.hips).all()
    old, new = places(rig, before), places(rig, after)
    for side in SIDES:

        def bend(found: dict[str, np.ndarray], side: str = side) -> np.ndarray:
            shoulder, elbow, wrist = (found[f"{side}_{part}"] for part in ARM)
            return normalize(np.cross(elbow - shoulder, wrist - elbow))

        assert np.sum(bend(old) * bend(new), axis=-1).min() > 0.7


@settings(max_examples=20, deadline=None)
@given(build=builds)
@example(build=(0.7, 0.7, 1.5))  # the shortest arms on the widest shoulders have to stretch most
def test_meeting_hands_do_not_pop(build):
    motion, rig = clapping(), measured(arms(*build))
    before = rig.joint_pose(motion)
    after = hands_kept(rig, motion, before)
    for side in SIDES:
        for part in ARM[:2]:
            joint = rig.skeleton.index(f"{side}_{part}")
            steps = [
                rotation_angle(p.turns[1:, joint], p.turns[:-1, joint]).max()
                for p in (before, after)
            ]
            assert np.degrees(steps[1] - steps[0]) < 7.0


def test_hands_that_do_not_meet_are_left_alone_to_the_bit():
    rig, motion = measured(arms(1.2, 0.9, 1.3)), walking()
    pose = rig.joint_pose(motion)
    assert hands_kept(rig, motion, pose) is pose


def test_rigs_without_arms_are_left_alone():
    rig = measured(leave_out=("left_wrist", "right_wrist"))
    pose = rig.joint_pose(clapping())
    assert hands_kept(rig, clapping(), pose) is pose


def test_hands_are_free_unless_they_are_to_be_kept():
    motion, rig = clapping(), measured(arms(1.0, 1.0, 1.4))
    free, kept = (
        rig.transfer(motion, RetargetOptions(feet="NEVER", keep_hands=keep)) for keep in (0, 1)
    )
    elbow = free.bones.index("left_elbow")
    assert np.degrees(rotation_angle(free.rotations, kept.rotations))[:, elbow].max() > 3.0


@given(st.integers(0, 100), st.integers(1, 120))
def test_meeting_is_smooth_and_whole_where_hands_are_close(seed, frames):
    rng = np.random.default_rng(seed)
    distance = np.abs(np.cumsum(rng.normal(0.0, 0.1, frames)))
    weights = meeting(distance, 30.0)
    assert weights.shape == (frames,)
    assert (weights[distance <= 0.33] > 1.0 - 1e-9).all()
    assert weights.max(initial=0.0) <= 1.0 + 1e-9
    assert np.abs(np.diff(weights)).max(initial=0.0) < 0.2


def standing(frames: int = 4) -> Motion:
    """Arms hang, legs stand."""
    skeleton = canonical()
    angles = np.zeros((frames, skeleton.joint_count, 3))
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        angles[:, skeleton.index(f"{side}_shoulder"), 2] = -sign * np.radians(80.0)
    root = np.tile([0.0, 0.98, 0.0], (frames, 1))
    return Motion(skeleton, rotation_vector_to_quaternion(angles), root, 30.0)


@pytest.mark.parametrize("degrees", [-20.0, 12.0, 30.0])
def test_hanging_arms_take_the_whole_spread(degrees):
    rig, motion = measured(), standing()
    before = rig.joint_pose(motion)
    after = limbs_spread(rig, before, degrees, 0.0)
    old, new = places(rig, before), places(rig, after)
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        angle = [
            np.degrees(np.arctan2(sign * line[:, 0], -line[:, 1]))
            for line in (p[f"{side}_wrist"] - p[f"{side}_shoulder"] for p in (old, new))
        ]
        assert angle[1] - angle[0] == pytest.approx(degrees, abs=0.1)


def test_raised_arms_are_not_spread():
    rig = measured()
    motion = replace(standing(), rotations=np.tile([1.0, 0.0, 0.0, 0.0], (4, 22, 1)))  # T-pose
    pose = rig.joint_pose(motion)
    assert np.allclose(limbs_spread(rig, pose, 30.0, 0.0).turns, pose.turns)


def test_the_spread_follows_the_chest_however_it_is_turned():
    rig, motion = measured(), standing()
    lying = motion.rotations.copy()
    lying[:, 0] = rotation_vector_to_quaternion(np.array([-np.pi / 2, 0.7, 0.0]))
    turned = replace(motion, rotations=lying)
    upright, there = (
        limbs_spread(rig, rig.joint_pose(m), 20.0, 0.0).turns for m in (motion, turned)
    )
    for joint in range(22):
        back = quaternion_rotate(lying[:, 0] * [1, -1, -1, -1], np.eye(3)[0])
        assert back.shape == (4, 3)
        relative = rotation_angle(there[:, 0], there[:, joint])
        assert np.allclose(relative, rotation_angle(upright[:, 0], upright[:, joint]), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(degrees=st.floats(-15.0, 30.0), size=st.floats(0.4, 2.0), seed=st.integers(0, 100))
def test_spread_legs_keep_the_ground_and_flat_feet(degrees, size, seed):
    rig = measured(size=size, spread=float(seed % 20))
    motion = walking() if seed % 2 else standing()
    before = rig.joint_pose(motion)
    after = limbs_spread(rig, before, 0.0, degrees)
    ankles = [rig.rig.index(f"{side}_ankle") for side in SIDES]
    heights = [rig.bone_heads(pose, ankles)[..., 1].min(axis=1) for pose in (before, after)]
    # Smooth where the feet are level: within a centimetre of a grown-up.
    assert np.abs(heights[1] - heights[0]).max() < 0.01 * size
    for side in SIDES:
        for part in ("ankle", "foot"):
            joint = rig.skeleton.index(f"{side}_{part}")
            assert (after.turns[:, joint] == before.turns[:, joint]).all()
    if degrees > 1.0:
        width = [
            rig.bone_heads(pose, ankles)[0, 0, 0] - rig.bone_heads(pose, ankles)[0, 1, 0]
            for pose in (before, after)
        ]
        assert width[1] > width[0]


def test_no_spread_changes_nothing():
    rig, motion = measured(), tumbling(0)
    pose = rig.joint_pose(motion)
    assert limbs_spread(rig, pose, 0.0, 0.0) is pose

"""Physics of motions whose sliding, depth, accelerations and angles are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import turn, walking

from core.evaluation.joint_limits import LIMITS, impossible_frames, joint_angles
from core.evaluation.physics import FIGURES, bone_change, clip_physics, mean_physics
from core.motion import Motion
from core.skeleton import canonical
from core.training.corpus import load_corpus, mirror_motion

#: Pelvis height at which the toes of the rest pose are 2 cm above the floor.
STANDING = 0.07 + 0.41 + 0.42 + 0.06 + 0.02


def standing(frames: int = 60, height: float = STANDING) -> Motion:
    rotations = np.tile([1.0, 0.0, 0.0, 0.0], (frames, 22, 1))
    root = np.tile([0.0, height, 0.0], (frames, 1))
    return Motion(canonical(), rotations, root, 30.0)


def moved(motion: Motion, axis: int, path: np.ndarray) -> Motion:
    root = motion.root_positions.copy()
    root[:, axis] += path
    return replace(motion, root_positions=root)


def turned(joint: str, axis: str, degrees: float) -> Motion:
    motion = standing(4)
    rotations = motion.rotations.copy()
    rotations[:, canonical().index(joint)] = turn(axis, degrees)
    return replace(motion, rotations=rotations)


TIME = np.arange(60) / 30.0


def test_someone_who_stands_does_nothing_wrong() -> None:
    figures = clip_physics(standing())
    assert set(figures) == set(FIGURES)
    assert figures == pytest.approx(dict.fromkeys(FIGURES, 0.0), abs=1e-6)


def test_a_glide_at_known_speed_slides_at_that_speed() -> None:
    figures = clip_physics(moved(standing(), 2, 0.3 * TIME))
    assert figures["sliding"] == pytest.approx(30.0)
    assert figures["sliding_low"] == pytest.approx(30.0)
    assert figures["acceleration"] == pytest.approx(0.0, abs=1e-6)


def test_a_foot_that_passes_low_and_fast_is_no_contact() -> None:
    figures = clip_physics(moved(standing(), 2, 2.0 * TIME))
    assert np.isnan(figures["sliding"])
    assert figures["sliding_low"] == pytest.approx(200.0)


def test_feet_in_the_air_do_not_slide() -> None:
    figures = clip_physics(moved(standing(height=STANDING + 0.04), 0, 0.3 * TIME))
    assert np.isnan(figures["sliding"]) and np.isnan(figures["sliding_low"])


def test_free_fall_accelerates_by_gravity_and_has_no_jerk() -> None:
    figures = clip_physics(moved(standing(height=50.0), 1, -0.5 * 9.81 * TIME**2))
    assert figures["acceleration"] == pytest.approx(9.81)
    assert figures["jerk"] == pytest.approx(0.0, abs=1e-5)


def test_jerk_of_a_cubic_path() -> None:
    assert clip_physics(moved(standing(), 0, 2.0 * TIME**3))["jerk"] == pytest.approx(12.0)


@pytest.mark.parametrize("fps", [20.0, 30.0, 60.0])
def test_figures_are_per_second_whatever_the_frame_rate(fps: float) -> None:
    time = np.arange(40) / fps
    motion = replace(standing(40), fps=fps)
    figures = clip_physics(moved(moved(motion, 2, 0.4 * time), 0, 0.5 * time**2))
    assert figures["acceleration"] == pytest.approx(1.0)
    slow = np.hypot(0.4, np.diff(0.5 * time**2) * fps)
    assert figures["sliding_low"] == pytest.approx(100 * slow.mean())


def test_soles_under_the_floor_are_measured_in_millimetres() -> None:
    assert clip_physics(standing(height=STANDING - 0.015))["penetration"] == pytest.approx(15.0)
    half = standing(height=STANDING)
    half.root_positions[::2, 1] -= 0.01
    assert clip_physics(half)["penetration"] == pytest.approx(5.0)


def test_bones_of_positions_may_change_length() -> None:
    positions = standing(10).positions()
    assert bone_change(positions, canonical().parents) == pytest.approx(0.0, abs=1e-9)
    positions[5:, 20] += positions[5:, 20] - positions[5:, 18]
    # The left forearm doubles for half of the time: a third more and less than its mean.
    assert bone_change(positions, canonical().parents) == pytest.approx(100 / 3)
    assert np.isnan(bone_change(np.zeros((4, 2, 3)), (-1, 0)))


def test_means_leave_out_clips_that_have_nothing_to_measure() -> None:
    air = clip_physics(standing(height=3.0))
    glide = clip_physics(moved(standing(), 2, 0.2 * TIME))
    assert mean_physics([air, glide])["sliding"] == pytest.approx(20.0)
    assert np.isnan(mean_physics([air])["sliding"])
    assert np.isnan(mean_physics([])["jerk"])


@pytest.mark.parametrize(
    ("joint", "axis", "degrees", "angle", "side"),
    [
        ("left_knee", "x", 70, "knee_flexion", 0),
        ("right_knee", "x", -40, "knee_flexion", 1),
        ("left_elbow", "y", -90, "elbow_flexion", 0),
        ("right_elbow", "y", 90, "elbow_flexion", 1),
        ("right_hip", "x", -80, "hip_flexion", 1),
    ],
)
def test_angles_are_what_a_joint_was_turned_by(joint, axis, degrees, angle, side) -> None:
    angles = joint_angles(turned(joint, axis, degrees))[angle]
    expected = degrees if joint.endswith("knee") else abs(degrees)
    assert angles[:, side] == pytest.approx(expected)
    assert angles[:, 1 - side] == pytest.approx(0.0, abs=1e-4)


def test_further_angles() -> None:
    assert joint_angles(turned("left_elbow", "y", 30))["elbow_hyperextension"][
        :, 0
    ] == pytest.approx(30)
    assert joint_angles(turned("left_hip", "x", 50))["hip_extension"][:, 0] == pytest.approx(50)
    assert joint_angles(turned("left_hip", "z", -35))["hip_adduction"][:, 0] == pytest.approx(35)
    assert joint_angles(turned("right_hip", "z", 35))["hip_adduction"][:, 1] == pytest.approx(35)
    assert joint_angles(turned("head", "y", -65))["neck_rotation"][:, 0] == pytest.approx(-65)
    assert joint_angles(turned("spine2", "x", 60))["trunk_bend"][:, 0] == pytest.approx(60)


@pytest.mark.parametrize(
    ("joint", "axis", "possible", "impossible"),
    [
        ("left_knee", "x", 120, -60),
        ("right_knee", "x", 120, 175),
        ("left_elbow", "y", -140, 50),
        ("right_elbow", "y", 140, -50),
        ("left_hip", "x", -100, 80),
        ("right_hip", "x", -100, -160),
        ("head", "x", 40, 100),
        ("head", "y", 55, 120),
        ("spine1", "x", 60, 130),
    ],
)
def test_impossible_angles_are_told_from_possible_ones(joint, axis, possible, impossible) -> None:
    assert not impossible_frames(turned(joint, axis, possible)).any()
    assert impossible_frames(turned(joint, axis, impossible)).all()


def test_both_sides_are_judged_alike() -> None:
    motion = walking(30)
    angles, mirrored = joint_angles(motion), joint_angles(mirror_motion(motion))
    assert set(angles) == set(LIMITS)
    for name in ("knee_flexion", "elbow_flexion", "elbow_hyperextension", "hip_adduction"):
        assert mirrored[name][:, ::-1] == pytest.approx(angles[name], abs=1e-6)


@pytest.mark.dataset
def test_real_motion_hardly_ever_has_impossible_angles(motion_data: Path) -> None:
    frames = np.concatenate(
        [impossible_frames(clip.motion) for clip in load_corpus(motion_data, "val")]
    )
    assert frames.mean() < 0.005

"""Rotations as channels of the bone's own rotation mode: the same pose, no jumps."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.retarget.channels import rotation_channels
from core.rotations import (
    euler_to_quaternion,
    matrix_to_euler,
    quaternion_multiply,
    quaternion_to_matrix,
    rotation_angle,
    rotation_vector_to_quaternion,
)

ORDERS = ["".join(order) for order in permutations("XYZ")]


def spinning(seed: int, frames: int = 200) -> np.ndarray:
    """A bone that turns round more than once, with a wobble."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 0.02, (frames, 3)) + rng.normal(0.0, 0.06, 3)
    q = [rotation_vector_to_quaternion(rng.normal(size=3))]
    for step in steps[1:]:
        q.append(quaternion_multiply(rotation_vector_to_quaternion(step), q[-1]))
    # Random signs: both quaternions of a rotation must give the same channels.
    return np.array(q) * rng.choice([-1.0, 1.0], (frames, 1))


def to_quaternion(channel: str, values: np.ndarray, mode: str) -> np.ndarray:
    """Blender's reading of the channels."""
    if channel == "rotation_quaternion":
        return values
    if channel == "rotation_axis_angle":
        return rotation_vector_to_quaternion(values[:, :1] * values[:, 1:])
    order = mode[::-1]  # Blender turns about the first letter first
    return euler_to_quaternion(values[:, ["XYZ".index(axis) for axis in order]], order)


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", *ORDERS])
@given(seed=st.integers(0, 10_000))
def test_channels_give_back_the_rotation(mode, seed):
    basis = spinning(seed)
    channel, values = rotation_channels(basis, mode)
    assert np.degrees(rotation_angle(to_quaternion(channel, values, mode), basis)).max() < 1e-4


@pytest.mark.parametrize("mode", ["QUATERNION", *ORDERS])
def test_channels_of_a_swinging_bone_do_not_jump(mode):
    angle = 5.0 * np.sin(np.linspace(0.0, 6.0, 200))  # more than half a turn either way
    for axis in np.eye(3):
        _, values = rotation_channels(rotation_vector_to_quaternion(angle[:, None] * axis), mode)
        assert np.abs(np.diff(values, axis=0)).max() < 0.2


@pytest.mark.parametrize("mode", ORDERS)
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_bone_that_turns_at_gimbal_lock_does_not_jump(mode, side):
    """The middle angle comes to a right angle, stays there while the outer one turns, and goes."""
    order = mode[::-1]
    first = np.concatenate([np.zeros(20), np.linspace(0.0, 2.0, 60), np.full(20, 2.0)])
    away = np.linspace(0.5, 0.0, 20)
    middle = np.pi / 2 - np.concatenate([away, np.zeros(60), away[::-1]])
    angles = np.stack([first, side * middle, np.full(100, 0.8)], axis=-1)
    channel, values = rotation_channels(euler_to_quaternion(angles, order), mode)
    assert np.abs(np.diff(values, axis=0)).max() < 0.1
    again = to_quaternion(channel, values, mode)
    assert np.degrees(rotation_angle(again, euler_to_quaternion(angles, order))).max() < 0.01


def test_axis_angle_keeps_its_axis_through_zero():
    angle = np.linspace(-1.0, 1.0, 41)[:, None]
    axis = np.array([0.6, 0.0, 0.8])
    _, values = rotation_channels(rotation_vector_to_quaternion(angle * axis), "AXIS_ANGLE")
    assert np.abs(np.diff(values, axis=0)).max() < 0.06


def test_a_single_frame_is_fine():
    still = rotation_vector_to_quaternion(np.array([[0.1, 0.2, 0.3]]))
    for mode in ("QUATERNION", "AXIS_ANGLE", "XYZ"):
        assert len(rotation_channels(still, mode)[1]) == 1


def loop_eulers(basis: np.ndarray, mode: str) -> np.ndarray:
    """Frame by frame the nearer of the two triples of angles, whole turns included."""
    order, before, found = mode[::-1], np.zeros(3), []
    for matrix in quaternion_to_matrix(basis):
        angles = matrix_to_euler(matrix, order)
        both = [angles, angles * [1.0, -1.0, 1.0] + np.pi]
        near = [x + 2 * np.pi * np.round((before - x) / (2 * np.pi)) for x in both]
        before = min(near, key=lambda x: np.abs(x - before).sum())
        found.append(before)
    named = np.empty((len(basis), 3))
    named[:, ["XYZ".index(axis) for axis in order]] = found
    return named


@pytest.mark.parametrize("mode", ORDERS)
@given(seed=st.integers(0, 10_000))
def test_euler_angles_are_those_of_a_plain_loop(mode, seed):
    basis = spinning(seed, 80)
    _, values = rotation_channels(basis, mode)
    assert np.allclose(values, loop_eulers(basis, mode), atol=1e-9)


@pytest.mark.parametrize("mode", ORDERS)
@given(seed=st.integers(0, 10_000))
def test_a_bone_that_comes_near_gimbal_lock_turns_no_faster_than_it_must(mode, seed):
    """A smooth curve through near lock: the angles may run, but never by half a turn at once."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 1.0, 120)[:, None]
    start, end = rng.uniform(-1.0, 1.0, (2, 3))
    angles = start + (end - start) * t
    angles[:, 1] = np.sign(rng.normal()) * (np.pi / 2 - 0.06 - 0.3 * np.abs(t[:, 0] - 0.5))
    basis = euler_to_quaternion(angles, mode[::-1])
    _, values = rotation_channels(basis, mode)
    assert np.abs(np.diff(values, axis=0)).max() < np.pi / 8


@given(seed=st.integers(0, 10_000))
def test_axes_and_angles_do_not_jump(seed):
    basis = spinning(seed)
    basis[50:53] = [1.0, 0.0, 0.0, 0.0]  # an axis has to be invented here
    _, values = rotation_channels(basis, "AXIS_ANGLE")
    assert np.allclose(np.linalg.norm(values[:, 1:], axis=-1), 1.0)
    smooth = np.abs(np.diff(values[:, 0]))
    steps = np.degrees(rotation_angle(basis[1:], basis[:-1]))
    assert smooth[steps < 30.0].max() < np.pi
    assert (np.sum(values[1:, 1:] * values[:-1, 1:], axis=-1) >= -1e-12).all()


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", *ORDERS])
def test_no_frames_are_no_channels(mode):
    assert len(rotation_channels(np.zeros((0, 4)), mode)[1]) == 0

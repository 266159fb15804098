"""Rotations as channels of the bone's own rotation mode: the same pose, no jumps."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.retarget.channels import rotation_channels
from core.rotations import (
    euler_to_quaternion,
    quaternion_multiply,
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

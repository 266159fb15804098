"""Rotations, kinematics and resampling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core import rotations as r
from core.kinematics import global_rotations, joint_positions, local_rotations
from core.motion import Motion
from core.skeleton import BODY_PART_JOINTS, BODY_PARTS, canonical, load_skeleton

quaternions = (
    arrays(np.float64, (5, 4), elements=st.floats(-1, 1))
    .filter(lambda q: bool(np.all(np.linalg.norm(q, axis=-1) > 0.1)))
    .map(r.normalize)
)
vectors = arrays(np.float64, (5, 3), elements=st.floats(-10, 10))


@given(quaternions)
def test_every_representation_gives_the_rotation_back(q: np.ndarray) -> None:
    matrix = r.quaternion_to_matrix(q)
    np.testing.assert_allclose(np.linalg.det(matrix), 1.0, atol=1e-9)
    for back in (
        r.matrix_to_quaternion(matrix),
        r.rotation_vector_to_quaternion(r.quaternion_to_rotation_vector(q)),
        r.matrix_to_quaternion(r.matrix_from_6d(r.matrix_to_6d(matrix))),
    ):
        assert np.max(r.rotation_angle(back, q)) < 1e-7


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
@given(q=quaternions)
def test_euler_angles_of_every_order_give_the_rotation_back(order: str, q: np.ndarray) -> None:
    angles = r.matrix_to_euler(r.quaternion_to_matrix(q), order)
    assert np.max(r.rotation_angle(r.euler_to_quaternion(angles, order), q)) < 1e-4


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_gimbal_lock_keeps_the_rotation(order: str, sign: float) -> None:
    q = r.euler_to_quaternion(np.array([[0.4, sign * np.pi / 2, -0.9]]), order)
    angles = r.matrix_to_euler(r.quaternion_to_matrix(q), order)
    assert np.max(r.rotation_angle(r.euler_to_quaternion(angles, order), q)) < 1e-4


@given(quaternions, quaternions, vectors)
def test_products_rotate_in_turn(a: np.ndarray, b: np.ndarray, v: np.ndarray) -> None:
    once = r.quaternion_rotate(r.quaternion_multiply(a, b), v)
    np.testing.assert_allclose(once, r.quaternion_rotate(a, r.quaternion_rotate(b, v)), atol=1e-9)


@given(vectors, vectors)
def test_the_smallest_turn_takes_one_direction_to_the_other(a: np.ndarray, b: np.ndarray) -> None:
    a, b = a + np.array([11, 0, 0]), b + np.array([0, 11, 0])
    turned = r.quaternion_rotate(r.quaternion_between(a, b), r.normalize(a))
    np.testing.assert_allclose(turned, r.normalize(b), atol=1e-6)


def test_the_smallest_turn_between_opposite_directions_is_half_a_turn() -> None:
    axes = np.eye(3)
    turned = r.quaternion_rotate(r.quaternion_between(axes, -axes), axes)
    np.testing.assert_allclose(turned, -axes, atol=1e-9)


@given(quaternions, quaternions, st.floats(0, 1))
def test_slerp_turns_steadily_along_the_shorter_way(a: np.ndarray, b: np.ndarray, t: float) -> None:
    whole = r.rotation_angle(a, b)
    between = r.slerp(a, b, np.full(len(a), t))
    assert np.all(whole <= np.pi + 1e-9)
    # At half a turn two ways are equally short; anything shorter has one answer.
    clear = whole < np.pi - 1e-3
    np.testing.assert_allclose(r.rotation_angle(a, between)[clear], (t * whole)[clear], atol=1e-6)
    np.testing.assert_allclose(
        r.rotation_angle(between, b)[clear], ((1 - t) * whole)[clear], atol=1e-6
    )


@given(st.integers(0, 2**32 - 1))
def test_local_and_global_rotations_are_inverse(seed: int) -> None:
    skeleton = canonical()
    random = np.random.default_rng(seed)
    local = r.normalize(random.normal(size=(3, skeleton.joint_count, 4)))
    back = local_rotations(global_rotations(local, skeleton.parents), skeleton.parents)
    assert np.max(r.rotation_angle(local, back)) < 1e-7


@pytest.mark.parametrize("name", ["canonical", "snapmogen", "humanml3d"])
def test_forward_kinematics_keeps_bone_lengths_and_rests_at_the_rest_pose(name: str) -> None:
    skeleton = load_skeleton(name)
    joints = skeleton.joint_count
    random = np.random.default_rng(0)
    local = r.normalize(random.normal(size=(4, joints, 4)))
    root = random.normal(size=(4, 3))
    globals_ = global_rotations(local, skeleton.parents)
    positions = joint_positions(globals_, root, skeleton.parents, skeleton.rest_offsets)
    bones = positions[:, 1:] - positions[:, skeleton.parents[1:]]
    lengths = np.linalg.norm(skeleton.rest_offsets[1:], axis=-1)
    np.testing.assert_allclose(
        np.linalg.norm(bones, axis=-1), np.broadcast_to(lengths, bones.shape[:2]), atol=1e-9
    )
    rest = np.zeros((1, joints, 4))
    rest[..., 0] = 1.0
    at_rest = joint_positions(rest, np.zeros((1, 3)), skeleton.parents, skeleton.rest_offsets)
    np.testing.assert_allclose(at_rest[0], skeleton.rest_positions, atol=1e-12)


@pytest.mark.parametrize("name", ["canonical", "snapmogen", "humanml3d"])
def test_skeletons_are_whole(name: str) -> None:
    skeleton = load_skeleton(name)
    assert all(parent < joint for joint, parent in enumerate(skeleton.parents))
    graph = skeleton.graph
    assert [graph.adjacency(level).shape[0] for level in (0, 1)] == [skeleton.joint_count, 12]
    assert len(graph.pools[1]) == len(BODY_PARTS) == 7
    for level in (0, 1):
        assert np.all(graph.pool_mask(level).sum(0) > 0), "every node belongs to a group"
        np.testing.assert_array_equal(graph.adjacency(level), graph.adjacency(level).T)


def test_signs_are_made_continuous_and_a_single_frame_stays() -> None:
    steps = np.linspace(0, 7, 40)[:, None, None] * [[[0.0, 1.0, 0.0]]]
    q = r.matrix_to_quaternion(r.quaternion_to_matrix(r.rotation_vector_to_quaternion(steps)))
    smooth = r.make_continuous(q)
    assert np.min(np.sum(smooth[1:] * smooth[:-1], -1)) > 0.9
    np.testing.assert_array_equal(r.make_continuous(q[:1]), q[:1])


def test_body_parts_share_out_all_joints() -> None:
    owned = [joint for joints in BODY_PART_JOINTS.values() for joint in joints]
    assert sorted(owned) == sorted(canonical().joint_names)
    assert tuple(BODY_PART_JOINTS) == BODY_PARTS


def test_resampling_keeps_the_moments_it_shares() -> None:
    skeleton = canonical()
    random = np.random.default_rng(1)
    steps = random.normal(size=(31, skeleton.joint_count, 3)) * 0.05
    rotations = r.rotation_vector_to_quaternion(np.cumsum(steps, axis=0))
    motion = Motion(skeleton, rotations, np.cumsum(random.normal(size=(31, 3)), 0), 30.0)
    fast = motion.resampled(60.0)
    assert fast.frame_count == 61
    assert np.max(r.rotation_angle(fast.rotations[::2], motion.rotations)) < 1e-7
    np.testing.assert_allclose(fast.root_positions[::2], motion.root_positions, atol=1e-9)
    assert np.max(r.rotation_angle(fast.resampled(30.0).rotations, motion.rotations)) < 1e-7
    assert motion.resampled(24.0).frame_count == 25

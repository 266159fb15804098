"""A motion on any rig: limb directions, hips, soles, and the way back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ScaleMoGenError
from core.motion import Motion
from core.retarget.bone_map import map_bones
from core.retarget.chains import spread
from core.retarget.options import RetargetOptions
from core.retarget.recover import recover_motion
from core.retarget.rest_rig import RestRig
from core.retarget.transfer import Retargeter
from core.rotations import (
    normalize,
    quaternion_rotate,
    quaternion_to_matrix,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical
from tests.synthetic import (
    RigRecipe,
    build_rig,
    combine,
    heading_free,
    pose_rig,
    rest_joints,
    tumbling,
    turn,
    walking,
)

LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (
        ("hip", "knee"),
        ("knee", "ankle"),
        ("collar", "shoulder"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
    )
]
SPINE = [("spine1", "spine2"), ("spine2", "spine3"), ("spine3", "neck"), ("neck", "head")]


def retargeter(rig: RestRig) -> Retargeter:
    return Retargeter.build(rig, map_bones(rig.bone_names, rig.parents), canonical())


#: The transfer alone, without corrections.
BARE = RetargetOptions(feet="NEVER", keep_hands=False)


def posed(rig: RestRig, motion: Motion, **options: bool) -> tuple[np.ndarray, np.ndarray]:
    """World rotations and heads of a rig after the transfer."""
    channels = retargeter(rig).transfer(motion, BARE, **options)
    basis = {name: channels.rotations[:, i] for i, name in enumerate(channels.bones)}
    return pose_rig(rig, basis, channels.locations)


def direction_errors(rig: RestRig, heads: np.ndarray, motion: Motion, heading: float, pairs):
    """Angles in degrees between the rig's limbs and the motion's, per pair."""
    positions, skeleton = motion.positions(), motion.skeleton
    errors = {}
    for a, b in pairs:
        if a not in rig.bone_names or b not in rig.bone_names:
            continue
        wanted = normalize(positions[:, skeleton.index(b)] - positions[:, skeleton.index(a)])
        line = normalize(heads[:, rig.index(b)] - heads[:, rig.index(a)])
        got = heading_free(line, heading)
        errors[a, b] = np.degrees(
            2
            * np.arctan2(
                np.linalg.norm(got - wanted, axis=-1), np.linalg.norm(got + wanted, axis=-1)
            )
        ).max()
    return errors


recipes = st.builds(
    RigRecipe,
    arm_drop=st.sampled_from([0.0, 30.0, 45.0, 60.0, 90.0]),
    spread=st.floats(0.0, 20.0),
    spine_bones=st.integers(0, 6),
    neck_bones=st.integers(1, 3),
    helpers=st.booleans(),
    size=st.floats(0.3, 3.0),
    heading=st.floats(-180.0, 180.0),
    roll_seed=st.integers(0, 1000),
    unit=st.sampled_from([1.0, 0.01, 2.54]),
    location=st.tuples(*[st.floats(-5.0, 5.0)] * 3),
    root_bone=st.booleans(),
    leave_out=st.sampled_from(
        [(), ("left_foot", "right_foot"), ("left_collar", "right_collar"), ("neck",), ("head",)]
    ),
)
turns = st.tuples(*[st.floats(-3.0, 3.0)] * 3).map(
    lambda v: rotation_vector_to_quaternion(np.array(v))
)


@settings(max_examples=60, deadline=None)
@given(recipe=recipes, object_turn=turns, seed=st.integers(0, 1000))
def test_limbs_point_where_the_motion_says_on_any_rig(recipe, object_turn, seed):
    rig, motion = build_rig(recipe, object_turn), tumbling(seed)
    _, heads = posed(rig, motion)
    errors = direction_errors(rig, heads, motion, recipe.heading, LIMBS)
    assert len(errors) >= 8
    assert max(errors.values()) < 1e-3


@settings(max_examples=20, deadline=None)
@given(recipe=recipes, seed=st.integers(0, 1000))
def test_three_spine_bones_follow_the_three_spine_joints(recipe, seed):
    recipe = replace(recipe, spine_bones=3, neck_bones=1, leave_out=())
    rig, motion = build_rig(recipe), tumbling(seed)
    _, heads = posed(rig, motion)
    errors = direction_errors(rig, heads, motion, recipe.heading, SPINE)
    assert max(errors.values()) < 1e-3


@settings(max_examples=30, deadline=None)
@given(recipe=recipes, object_turn=turns, seed=st.integers(0, 1000))
def test_hips_move_as_far_as_the_legs_are_long(recipe, object_turn, seed):
    rig, motion = build_rig(recipe, object_turn), tumbling(seed)
    _, heads = posed(rig, motion)
    hips = heads[:, [rig.index("left_hip"), rig.index("right_hip")]].mean(axis=1)
    skeleton = motion.skeleton
    wanted = motion.positions()[:, [skeleton.index("left_hip"), skeleton.index("right_hip")]].mean(
        axis=1
    )
    moved = heading_free(hips - hips[:1], recipe.heading)
    assert np.allclose(moved, recipe.size * (wanted - wanted[:1]), atol=1e-6 * recipe.size)
    rest = rest_joints(recipe)
    start = (rest["left_hip"] + rest["right_hip"]) / 2
    assert np.allclose(hips[0, [0, 2]], start[[0, 2]], atol=1e-6)


@pytest.mark.parametrize("size", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("ankle", [0.5, 1.0, 2.0])
def test_standing_feet_stay_on_the_floor_whatever_the_ankle_height(size, ankle):
    recipe = RigRecipe(size=size, proportions={"left_foot": ankle, "right_foot": ankle})
    rig, rest = build_rig(recipe), rest_joints(recipe)
    crouch = walking(1)
    angles = np.zeros((2, 22, 3))
    for side in ("left", "right"):
        angles[1, crouch.skeleton.index(f"{side}_hip"), 0] = -0.8
        angles[1, crouch.skeleton.index(f"{side}_knee"), 0] = 1.6
        angles[1, crouch.skeleton.index(f"{side}_ankle"), 0] = -0.8
    motion = Motion(crouch.skeleton, rotation_vector_to_quaternion(angles), np.zeros((2, 3)), 30.0)
    ankles = motion.positions()[:, motion.skeleton.index("left_ankle"), 1]
    root = np.stack([np.zeros(2), 0.08 - ankles, np.zeros(2)], axis=-1)  # both ankles stand
    motion = Motion(motion.skeleton, motion.rotations, root, 30.0)
    rotations, heads = posed(rig, motion)
    for side in ("left", "right"):
        got = heads[:, rig.index(f"{side}_ankle"), 1]
        assert np.allclose(got, rest[f"{side}_ankle"][1], atol=2e-3 * size)
        # The sole is where it was at rest, flat on the floor.
        flat = rotation_angle(
            rotations[:, rig.index(f"{side}_foot")], rig.rotations[rig.index(f"{side}_foot")]
        )
        assert np.degrees(flat).max() < 1e-3


def test_out_turned_feet_are_turned_forward_and_stay_flat():
    rig = build_rig(RigRecipe())
    toe = rig.index("left_foot")
    ankle = rig.index("left_ankle")
    line = rig.heads[toe] - rig.heads[ankle]
    rest = rig.rest.copy()
    rest[toe, :3, 3] = rig.heads[ankle] + quaternion_rotate(turn("y", 20.0), line) * [1, 0.6, 1]
    rig = replace(rig, rest=rest)
    standing = Motion(
        canonical(), np.tile([1.0, 0, 0, 0], (1, 22, 1)), np.array([[0.0, 0.98, 0.0]]), 30.0
    )
    _, heads = posed(rig, standing)
    got = heads[0, toe] - heads[0, ankle]
    assert abs(got[0]) < 1e-9
    assert got[1] == pytest.approx((rig.heads[toe] - rig.heads[ankle])[1])


def test_a_pose_and_t_pose_rigs_end_in_the_same_pose():
    motion = walking()
    reference = None
    for drop in (0.0, 45.0, 90.0):
        rig = build_rig(RigRecipe(arm_drop=drop))
        _, heads = posed(rig, motion)
        reference = heads if reference is None else reference
        assert np.allclose(heads, reference, atol=1e-9)


def test_a_sloping_clavicle_does_not_shrug_more_than_the_motion():
    motion = walking()
    for slope in (-25.0, 0.0, 15.0):
        rig = build_rig(RigRecipe())
        rest, moved = rig.rest.copy(), {}
        for side, sign in (("left", 1.0), ("right", -1.0)):
            collar = rig.heads[rig.index(f"{side}_collar")]
            for name in rig.bone_names:
                if name.startswith(side) and name.split("_")[1] in ("shoulder", "elbow", "wrist"):
                    moved[name] = collar + quaternion_rotate(
                        turn("z", sign * slope), rig.heads[rig.index(name)] - collar
                    )
        for name, head in moved.items():
            rest[rig.index(name), :3, 3] = head
            rig = replace(rig, rest=rest)
        _, heads = posed(rig, motion)
        errors = direction_errors(rig, heads, motion, 0.0, LIMBS)
        assert max(errors.values()) < 1e-3


@pytest.mark.parametrize("spine_bones", [1, 2, 4, 5, 6])
def test_a_bend_is_spread_over_any_number_of_spine_bones(spine_bones):
    angles = np.zeros((1, 22, 3))
    for joint in ("spine1", "spine2", "spine3"):
        angles[0, canonical().index(joint), 0] = np.radians(20.0)
    motion = Motion(
        canonical(), rotation_vector_to_quaternion(angles), np.array([[0.0, 0.98, 0.0]]), 30.0
    )
    rig = build_rig(RigRecipe(spine_bones=spine_bones))
    rotations, _ = posed(rig, motion)
    bends = [
        float(
            np.degrees(
                rotation_angle(
                    rotations[0, rig.index(f"spine{i + 1}")],
                    rig.rotations[rig.index(f"spine{i + 1}")],
                )
            )
        )
        for i in range(spine_bones)
    ]
    assert bends == sorted(bends)
    if spine_bones > 1:
        # The chest turns exactly as in the motion; those below it keep the trunk's direction.
        assert bends[0] == pytest.approx(20.0, abs=5.0) and bends[-1] == pytest.approx(60.0)
        assert max(np.diff(bends)) <= 45.0
    else:
        assert 30.0 < bends[0] < 50.0


@given(st.integers(1, 8))
def test_spread_matches_both_ends(count):
    middles = [(i + 0.5) / count for i in range(count)]
    places = [low + blend for low, blend in spread(middles, (0.14, 0.41, 0.77))]
    assert places == sorted(places)
    if count > 1:
        assert places[0] == pytest.approx(0.0) and places[-1] == pytest.approx(2.0)


@settings(max_examples=25, deadline=None)
@given(recipe=recipes, object_turn=turns, seed=st.integers(0, 1000))
def test_recovering_undoes_retargeting(recipe, object_turn, seed):
    recipe = replace(recipe, spine_bones=3, leave_out=())
    rig, motion = build_rig(recipe, object_turn), tumbling(seed)
    rotations, heads = posed(rig, motion, start_at_rig=False)
    hips = heads[:, [rig.index("left_hip"), rig.index("right_hip")]].mean(axis=1)
    back = recover_motion(retargeter(rig), rotations, hips, motion.fps)
    assert np.degrees(rotation_angle(back.rotations, motion.rotations)).max() < 1e-4
    assert np.allclose(back.root_positions, motion.root_positions, atol=1e-6)


def test_a_connected_pelvis_leaves_the_root_motion_to_its_parent():
    rig = build_rig(RigRecipe(root_bone=True))
    connected = rig.connected.copy()
    connected[rig.index("pelvis")] = True
    rig = replace(rig, connected=connected)
    assert set(retargeter(rig).transfer(walking()).locations) == {"root"}
    _, heads = posed(rig, walking())
    assert heads[-1, rig.index("pelvis"), 2] - heads[0, rig.index("pelvis"), 2] > 1.0


def test_a_rig_lying_in_its_file_still_walks_upright_in_its_own_frame():
    lying = combine(turn("x", 90.0))
    upright = build_rig(RigRecipe())
    matrix = upright.to_world.copy()
    matrix[:3, :3] = quaternion_to_matrix(lying) @ matrix[:3, :3]
    rig = replace(upright, to_world=matrix)
    _, heads = posed(rig, walking())
    _, expected = posed(upright, walking())
    assert np.allclose(heads, quaternion_rotate(lying, expected), atol=1e-9)


def test_a_mirrored_object_is_refused():
    rig = build_rig(RigRecipe())
    rig = replace(rig, to_world=np.diag([-1.0, 1.0, 1.0, 1.0]) @ rig.to_world)
    with pytest.raises(ScaleMoGenError, match="apply the scale"):
        retargeter(rig)

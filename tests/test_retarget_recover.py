"""The way back from a rig's pose: the inverse of the transfer, for every rig and every choice."""

from dataclasses import replace

import numpy as np
import pytest
from blender_rules import posed
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import RigRecipe, build_rig, tumbling, turn, walking

from core.errors import ScaleMoGenError
from core.motion import Motion
from core.retarget import (
    RestRig,
    Retargeter,
    RetargetOptions,
    map_bones,
    recover_motion,
)
from core.rotations import (
    matrix_to_quaternion,
    quaternion_to_matrix,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical

turns = st.tuples(*[st.floats(-3.0, 3.0)] * 3).map(
    lambda v: rotation_vector_to_quaternion(np.array(v))
)
recipes = st.builds(
    RigRecipe,
    arm_drop=st.sampled_from([0.0, 45.0, 90.0]),
    spread=st.floats(0.0, 20.0),
    spine_bones=st.integers(3, 6),
    neck_bones=st.integers(1, 4),
    helpers=st.booleans(),
    size=st.floats(0.3, 3.0),
    heading=st.floats(-180.0, 180.0),
    roll_seed=st.integers(0, 1000),
    unit=st.sampled_from([1.0, 0.01]),
    location=st.tuples(*[st.floats(-5.0, 5.0)] * 3),
    root_bone=st.just(True),
    proportions=st.fixed_dictionaries(
        {name: st.floats(0.7, 1.4) for name in ("spine1", "spine2", "spine3", "neck", "head")}
    ),
)


def bending(seed: int, frames: int = 6) -> Motion:
    """Spine, neck and head turn as bodies can: by up to 30 degrees a joint; the rest tumbles."""
    motion = tumbling(seed, frames)
    rng = np.random.default_rng(seed)
    rotations = motion.rotations.copy()
    for name in ("spine1", "spine2", "spine3", "neck", "head"):
        own = rng.uniform(-0.3, 0.3, (frames, 3))
        rotations[:, motion.skeleton.index(name)] = rotation_vector_to_quaternion(own)
    return replace(motion, rotations=rotations)


def retargeter(rig: RestRig, reference: RestRig | None = None) -> Retargeter:
    bones = map_bones(rig.bone_names, rig.parents)
    return Retargeter.build(rig, bones, canonical(), reference=reference)


def put_on(measured: Retargeter, motion: Motion, root: str = "HIPS") -> np.ndarray:
    """World matrices [T, B, 4, 4] of the rig's bones."""
    options = RetargetOptions(root=root, feet="NEVER", keep_hands=False)
    return posed(measured.rig, measured.transfer(motion, options, start_at_rig=False))


def recovered(measured: Retargeter, world: np.ndarray, fps: float = 30.0) -> Motion:
    """The motion of posed bones, read the way the add-on does."""
    axes = world[..., :3, :3]
    rotations = matrix_to_quaternion(axes / np.linalg.norm(axes, axis=-2, keepdims=True))
    names = [measured.bone_map.bones[f"{side}_hip"][0] for side in ("left", "right")]
    hips = [measured.rig.index(name) for name in names]
    return recover_motion(measured, rotations, world[..., :3, 3][:, hips].mean(axis=1), fps)


def assert_same(back: Motion, motion: Motion) -> None:
    assert np.degrees(rotation_angle(back.rotations, motion.rotations)).max() < 1e-3
    assert np.allclose(back.root_positions, motion.root_positions, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(recipe=recipes, object_turn=turns, seed=st.integers(0, 1000))
def test_spines_and_necks_of_many_bones_give_the_motion_back(recipe, object_turn, seed):
    measured, motion = retargeter(build_rig(recipe, object_turn)), bending(seed)
    assert_same(recovered(measured, put_on(measured, motion)), motion)


@settings(max_examples=20, deadline=None)
@given(recipe=recipes, seed=st.integers(0, 1000), root=st.sampled_from(["ROOT_BONE", "OBJECT"]))
def test_whatever_carries_the_motion(recipe, seed, root):
    measured, motion = retargeter(build_rig(recipe)), bending(seed)
    assert_same(recovered(measured, put_on(measured, motion, root)), motion)


@settings(max_examples=20, deadline=None)
@given(
    spine=st.integers(0, 2),
    neck=st.integers(0, 4),
    without=st.sampled_from([(), ("head",), ("left_collar", "right_collar")]),
    seed=st.integers(0, 1000),
)
def test_with_too_few_bones_the_recovered_motion_puts_them_where_they_were(
    spine, neck, without, seed
):
    without = (*without, "neck") if neck == 0 else without
    recipe = RigRecipe(spine_bones=spine, neck_bones=max(neck, 1), leave_out=without)
    measured, motion = retargeter(build_rig(recipe)), bending(seed)
    world = put_on(measured, motion)
    again = put_on(measured, recovered(measured, world))
    # One bone does not tell all of a chest's turn, from which several necks lead on to the head.
    close = 0.01 if spine == 1 and neck > 1 else 1e-5
    assert np.allclose(again[..., :3, 3], world[..., :3, 3], atol=close)


def slumped(rig: RestRig, seed: int = 0) -> RestRig:
    """The rig with a rest pose of no use, and the same armature posed as the given rig rests.

    Every bone's rest axes are turned at random, its head with them.
    """
    rng = np.random.default_rng(seed)
    rest = np.empty_like(rig.rest)
    for bone, parent in enumerate(rig.parents):
        own = np.eye(4)
        own[:3, :3] = quaternion_to_matrix(rotation_vector_to_quaternion(rng.uniform(-0.9, 0.9, 3)))
        if parent < 0:
            rest[bone] = rig.rest[bone] @ own
        else:
            rest[bone] = rest[parent] @ np.linalg.inv(rig.rest[parent]) @ rig.rest[bone] @ own
    tails = rest[:, :3, 3] + rest[:, :3, 1] * 0.1
    return replace(rig, rest=rest, tails=tails)


@settings(max_examples=25, deadline=None)
@given(recipe=recipes, object_turn=turns, seed=st.integers(0, 1000))
def test_with_a_reference_pose_a_useless_rest_pose_does_not_matter(recipe, object_turn, seed):
    """The reference stands as another rig rests; both then show a motion alike."""
    recipe = replace(recipe, helpers=False)
    good, motion = build_rig(recipe, object_turn), bending(seed)
    bad = slumped(good, seed)
    plain, referred = retargeter(good), retargeter(bad, reference=good)
    for root in ("HIPS", "ROOT_BONE"):
        wanted, found = put_on(plain, motion, root), put_on(referred, motion, root)
        mapped = [d.bone for d in plain.drivers]
        assert np.allclose(found[:, mapped], wanted[:, mapped], atol=1e-6)
    assert_same(recovered(referred, found), motion)


@pytest.mark.parametrize("seed", range(3))
def test_feet_stand_alike_with_a_reference_pose(seed):
    good, motion = build_rig(RigRecipe()), walking(40)
    bad = slumped(good, seed)
    wanted, found = (
        posed(rig.rig, rig.transfer(motion, RetargetOptions(feet="ALWAYS")))
        for rig in (retargeter(good), retargeter(bad, reference=good))
    )
    assert np.allclose(found[..., :3, 3], wanted[..., :3, 3], atol=1e-6)


def test_without_the_reference_it_would_matter():
    good = build_rig(RigRecipe())
    bad = slumped(good)
    motion = bending(0)
    wanted, found = put_on(retargeter(good), motion), put_on(retargeter(bad), motion)
    assert np.abs(found - wanted)[..., :3, 3].max() > 0.1


def test_a_reference_pose_may_be_scaled_and_stand_elsewhere():
    good, motion = build_rig(RigRecipe(unit=0.01)), bending(1)
    bad = slumped(good)
    moved = good.rest.copy()
    moved[:, :3, :3] *= 1.7  # of scaled pose bones
    moved[:, 0, 3] += 300.0
    shown = retargeter(bad, reference=replace(good, rest=moved))
    found, wanted = put_on(shown, motion), put_on(retargeter(good), motion)
    mapped = [d.bone for d in shown.drivers]
    away = np.array([3.0, 0.0, 0.0])
    assert np.allclose(found[:, mapped, :3, 3], wanted[:, mapped, :3, 3] + away, atol=1e-5)


def test_a_reference_pose_of_another_rig_is_refused():
    with pytest.raises(ScaleMoGenError, match="set it again"):
        retargeter(build_rig(RigRecipe()), reference=build_rig(RigRecipe(spine_bones=4)))


def test_the_recovered_path_of_an_unevenly_scaled_rig_is_its_own():
    rig = build_rig(RigRecipe(), turn("x", 90.0))
    rig = replace(rig, to_world=np.diag([1.0, 1.3, 0.9, 1.0]) @ rig.to_world)
    measured, motion = retargeter(rig), bending(2)
    world = put_on(measured, motion)
    back = recovered(measured, world)
    # Turns are read from stretched axes, but the path is not stretched.
    assert np.allclose(back.root_positions, motion.root_positions, atol=0.05)

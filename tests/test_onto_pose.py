"""Edits as differences on what a rig shows: asked bones follow, everything else keeps its own."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cleanup import find_contacts, legs_of
from core.motion import Motion
from core.retarget import (
    Asked,
    Retargeter,
    RetargetOptions,
    ShownRig,
    edited_channels,
    map_bones,
)
from core.retarget.pose import PoseChannels
from core.retarget.recover import recover_motion
from core.retarget.rest_rig import RestRig
from core.rotations import (
    matrix_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_to_matrix,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import BODY_PART_JOINTS, BODY_PARTS, canonical
from tests.footwork import strolling
from tests.synthetic import RigRecipe, build_rig, tumbling, turn, walking

FIRST, LAST = 8, 20


def posed(rig: RestRig, channels: PoseChannels) -> tuple[np.ndarray, np.ndarray]:
    """Matrices and channels [T, B, 4, 4] of all bones, in armature space, as Blender has them."""
    count = channels.frame_count
    basis = np.tile(np.eye(4), (count, rig.bone_count, 1, 1))
    for column, name in enumerate(channels.bones):
        basis[:, rig.index(name), :3, :3] = quaternion_to_matrix(channels.rotations[:, column])
    for name, values in channels.locations.items():
        basis[:, rig.index(name), :3, 3] = values
    poses = np.empty_like(basis)
    for bone, parent in enumerate(rig.parents):
        above, local = np.eye(4), rig.rest[bone]
        if parent >= 0:
            above = poses[:, parent]
            local = np.linalg.inv(rig.rest[parent]) @ rig.rest[bone]
        frame = above @ local
        if not rig.inherits_rotation[bone]:
            frame = np.array(frame)
            frame[:, :3, :3] = rig.rest[bone, :3, :3]
        poses[:, bone] = frame @ basis[:, bone]
    return poses, basis


def shown_rig(retargeter: Retargeter, channels: PoseChannels) -> ShownRig:
    rig = retargeter.rig
    poses, basis = posed(rig, channels)
    world = np.tile(rig.to_world, (len(poses), 1, 1))
    return ShownRig(rig.bone_names, poses, basis, world, rig, retargeter.body)


def read(retargeter: Retargeter, shown: ShownRig, fps: float = 30.0) -> Motion:
    """What a rig shows, as the model sees it."""
    world = shown.world[:, None] @ shown.matrices
    turns = matrix_to_quaternion(world[..., :3, :3] / retargeter.rig.scale)
    names = [retargeter.bone_map.bone(f"{side}_hip") for side in ("left", "right")]
    hips = [retargeter.rig.index(name) for name in names if name]
    return recover_motion(retargeter, turns, world[..., :3, 3][:, hips].mean(axis=1), fps)


def changed(source: Motion, joints: tuple[str, ...], seed: int, reach: float = 0.6) -> Motion:
    """The source with some joints turned otherwise (and the root elsewhere) in FIRST .. LAST."""
    rng = np.random.default_rng(seed)
    rotations, root = source.rotations.copy(), source.root_positions.copy()
    part = slice(FIRST, LAST + 1)
    wave = np.sin(np.pi * (np.arange(LAST - FIRST + 1) + 1) / (LAST - FIRST + 2))[:, None]
    for joint in joints:
        index = source.skeleton.index(joint)
        turned = rotation_vector_to_quaternion(wave * rng.uniform(-reach, reach, 3))
        rotations[part, index] = quaternion_multiply(rotations[part, index], turned)
    if "pelvis" in joints:
        root[part] += wave * rng.uniform(-0.3, 0.3, 3)
    return replace(source, rotations=rotations, root_positions=root)


def measured(rig: RestRig) -> Retargeter:
    bone_map = map_bones(rig.bone_names, rig.parents, rig.name, rig.heads)
    return Retargeter.build(rig, bone_map, canonical())


def bones_of(retargeter: Retargeter, joints: tuple[str, ...]) -> frozenset[str]:
    """All bones of the slots that some joints belong to."""
    slots = {"spine" if joint.startswith("spine") else joint for joint in joints}
    chains = retargeter.bone_map.bones
    return frozenset(name for slot in slots for name in chains.get(slot, ()))


recipes = st.builds(
    RigRecipe,
    arm_drop=st.sampled_from([0.0, 45.0]),
    spine_bones=st.sampled_from([1, 2, 3, 5]),
    neck_bones=st.sampled_from([1, 2]),
    leave_out=st.sampled_from([(), ("left_collar", "right_collar")]),
    helpers=st.booleans(),
    size=st.sampled_from([0.4, 1.0, 1.7]),
    heading=st.sampled_from([0.0, 110.0]),
    roll_seed=st.sampled_from([None, 0, 5]),
    unit=st.sampled_from([1.0, 0.01]),
    location=st.sampled_from([(0.0, 0.0, 0.0), (2.0, 0.0, -1.0)]),
    root_bone=st.booleans(),
)


@settings(max_examples=15)
@given(
    recipe=recipes,
    tilted=st.booleans(),
    parts=st.lists(st.sampled_from(BODY_PARTS), min_size=1, max_size=4, unique=True),
    free=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_asked_bones_turn_as_their_joints_and_the_others_keep_their_channels(
    recipe, tilted, parts, free, seed
):
    """Whatever the rig is like, and whatever it shows: here a motion and offsets on every bone."""
    rig = build_rig(recipe, turn("x", -90.0) if tilted else None)
    if free:  # arms that do not turn with the trunk
        inherits = np.array(["shoulder" not in name for name in rig.bone_names])
        rig = replace(rig, inherits_rotation=inherits)
    retargeter = measured(rig)
    rng = np.random.default_rng(seed)
    channels = retargeter.transfer(tumbling(seed, 30, reach=0.4), RetargetOptions(feet="NEVER"))
    off = rotation_vector_to_quaternion(rng.uniform(-0.2, 0.2, (len(channels.bones), 3)))
    channels = replace(channels, rotations=quaternion_multiply(channels.rotations, off))
    before = shown_rig(retargeter, channels)
    source = read(retargeter, before)
    joints = tuple(joint for part in parts for joint in BODY_PART_JOINTS[part])
    edited = changed(source, joints, seed)
    asked = Asked(bones_of(retargeter, joints), pelvis="pelvis" in joints)

    made = edited_channels(retargeter, before, source, edited, asked)

    assert set(made.bones) == asked.bones
    mover = rig.bone_names[retargeter.mover]
    assert set(made.locations) == ({mover} if asked.pelvis else set())
    column = {name: i for i, name in enumerate(channels.bones)}
    rotations = channels.rotations.copy()
    for i, name in enumerate(made.bones):
        rotations[:, column[name]] = made.rotations[:, i]
    all_channels = replace(
        channels, rotations=rotations, locations={**channels.locations, **made.locations}
    )
    after = shown_rig(retargeter, all_channels)

    wanted = [retargeter.bone_turns(m.global_rotations()) for m in (source, edited)]
    for name in asked.bones:
        bone = rig.index(name)
        turned = quaternion_multiply(after.turn(name), quaternion_conjugate(before.turn(name)))
        joint = quaternion_multiply(wanted[1][:, bone], quaternion_conjugate(wanted[0][:, bone]))
        assert np.degrees(rotation_angle(turned, joint)).max() < 1e-4, name
    hips = [retargeter.bone_map.bone(f"{side}_hip") for side in ("left", "right")]
    way = np.mean([after.head(name) - before.head(name) for name in hips], axis=0)
    if asked.pelvis:
        targets = [retargeter.hip_targets(m, False) for m in (edited, source)]
        assert np.abs(way - (targets[0] - targets[1])).max() < 1e-6 * recipe.size
    else:
        assert np.abs(way).max() < 1e-9
    outside = np.ones(30, bool)
    outside[FIRST : LAST + 1] = False
    for i, name in enumerate(made.bones):
        there = channels.rotations[outside, column[name]]
        assert rotation_angle(made.rotations[outside, i], there).max() < 1e-6
    assert np.abs(after.matrices[outside] - before.matrices[outside]).max() < 1e-6


def test_an_edit_that_changes_nothing_gives_the_channels_that_are_there():
    retargeter = measured(build_rig(RigRecipe(spine_bones=5, helpers=True, unit=0.01)))
    channels = retargeter.transfer(walking(20))
    shown = shown_rig(retargeter, channels)
    source = read(retargeter, shown)
    joints = canonical().joint_names
    asked = Asked(bones_of(retargeter, joints), True, frozenset({"left", "right"}))
    made = edited_channels(retargeter, shown, source, source, asked)
    for i, name in enumerate(made.bones):
        there = channels.rotations[:, channels.bones.index(name)]
        assert np.abs(np.abs(np.sum(there * made.rotations[:, i], axis=-1)) - 1.0).max() < 1e-12
    for name, values in made.locations.items():
        assert np.array_equal(values, channels.locations[name])


def test_one_bone_of_a_chain_is_written_alone():
    """Its neighbours keep their channels, and what hangs on it is carried along."""
    retargeter = measured(build_rig(RigRecipe(spine_bones=5)))
    channels = retargeter.transfer(walking(30))
    shown = shown_rig(retargeter, channels)
    source = read(retargeter, shown)
    made = edited_channels(
        retargeter,
        shown,
        source,
        changed(source, ("spine1", "spine2"), 3),
        Asked(frozenset({"spine2"})),
    )
    assert made.bones == ("spine2",) and not made.locations


def test_an_edited_arm_keeps_its_meaning_on_a_trunk_that_is_not_edited():
    """The trunk of the source turns; the hand goes where the edit has it, seen from the world."""
    retargeter = measured(build_rig(RigRecipe(arm_drop=45.0, leave_out=("left_collar",))))
    spinning = tumbling(2, 30, reach=0.5)
    shown = shown_rig(retargeter, retargeter.transfer(spinning, RetargetOptions(feet="NEVER")))
    source = read(retargeter, shown)
    arm = ("left_shoulder", "left_elbow", "left_wrist")
    edited = changed(source, arm, 4, reach=1.5)
    made = edited_channels(retargeter, shown, source, edited, Asked(bones_of(retargeter, arm)))
    basis = shown.basis.copy()
    for i, name in enumerate(made.bones):
        basis[:, shown.names.index(name), :3, :3] = quaternion_to_matrix(made.rotations[:, i])
    names = shown.names
    channels = PoseChannels(
        tuple(names),
        matrix_to_quaternion(basis[..., :3, :3]),
        {name: basis[:, i, :3, 3] for i, name in enumerate(names)},
    )
    back = read(retargeter, shown_rig(retargeter, channels))
    angles = rotation_angle(back.global_rotations(), edited.global_rotations())
    assert np.degrees(angles[:, [source.skeleton.index(joint) for joint in arm]]).max() < 1e-4


LONG_LEGS = {
    f"{side}_{part}": share
    for side in ("left", "right")
    for part, share in (("hip", 0.6), ("knee", 1.25), ("ankle", 0.9), ("foot", 1.3))
}


@pytest.mark.parametrize("reach", [True, False], ids=["legs reach", "legs are carried"])
def test_standing_feet_stand_where_they_stood_on_other_proportions(reach):
    """The hips come down and sway while one foot stands; its leg reaches for it."""
    retargeter = measured(build_rig(RigRecipe(proportions=LONG_LEGS, size=1.3)))
    shown = shown_rig(retargeter, retargeter.transfer(strolling(1.5)))
    source = read(retargeter, shown)
    edited = changed(source, ("spine1",), 0)
    root = edited.root_positions.copy()
    wave = np.sin(np.pi * (np.arange(LAST - FIRST + 1) + 1) / (LAST - FIRST + 2))[:, None]
    root[FIRST : LAST + 1] += wave * np.array([0.04, -0.06, 0.02])
    edited = replace(edited, root_positions=root)
    stood = find_contacts(source).planted
    legs = ("hip", "knee", "ankle")
    joints = ("pelvis", *(f"{side}_{part}" for side in ("left", "right") for part in legs))
    both = frozenset({"left", "right"})
    asked = Asked(bones_of(retargeter, joints), True, both if reach else frozenset())
    plain = replace(edited, contacts=stood.astype(float))
    made = edited_channels(retargeter, shown, source, plain, asked)
    basis = shown.basis.copy()
    for i, name in enumerate(made.bones):
        basis[:, shown.names.index(name), :3, :3] = quaternion_to_matrix(made.rotations[:, i])
    for name, values in made.locations.items():
        basis[:, shown.names.index(name), :3, 3] = values
    channels = PoseChannels(
        tuple(shown.names),
        matrix_to_quaternion(basis[..., :3, :3]),
        {name: basis[:, i, :3, 3] for i, name in enumerate(shown.names)},
    )
    after = shown_rig(retargeter, channels)
    moved = []
    for leg in legs_of(source.skeleton):
        name = retargeter.bone_map.bone(f"{leg.side}_foot")
        kept = stood[:, leg.toe_contact]
        moved.append(np.linalg.norm(after.head(name) - shown.head(name), axis=-1)[kept].max())
    if reach:
        assert max(moved) < 1e-4
    else:  # nothing may reach: the feet go with the hips
        assert max(moved) > 0.02

"""What carries a motion through the world: hips, root bone, object, or nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from blender_rules import mapped_columns, posed
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import RigRecipe, build_rig, combine, tumbling, turn, walking

from core.errors import ScaleMoGenError
from core.motion import Motion
from core.retarget import RestRig, Retargeter, RetargetOptions, map_bones
from core.retarget.root_motion import facing, way_of
from core.rotations import (
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical

ROOTS = ("HIPS", "ROOT_BONE", "OBJECT", "IN_PLACE")
turns = st.tuples(*[st.floats(-3.0, 3.0)] * 3).map(
    lambda v: rotation_vector_to_quaternion(np.array(v))
)


def options(root: str) -> RetargetOptions:
    return RetargetOptions(root=root, feet="NEVER", keep_hands=False)


def retargeter(rig: RestRig) -> Retargeter:
    return Retargeter.build(rig, map_bones(rig.bone_names, rig.parents), canonical())


def mapped_world(rig: RestRig, motion: Motion, root: str) -> np.ndarray:
    """World matrices of the mapped bones."""
    measured = retargeter(rig)
    channels = measured.transfer(motion, options(root))
    columns = mapped_columns(rig, dict(measured.bone_map.bones))
    return posed(rig, channels)[:, columns]


def with_flags(rig: RestRig, seed: int) -> RestRig:
    """Random inheritance flags on every bone but the connected ones."""
    rng = np.random.default_rng(seed)
    return replace(
        rig,
        inherits_rotation=rng.random(rig.bone_count) > 0.3,
        local_location=rng.random(rig.bone_count) > 0.5,
    )


def turning_walk(frames: int = 90) -> Motion:
    """A walk along a quarter of a circle."""
    walk = walking(frames)
    angle = np.linspace(0.0, np.pi / 2, frames)
    rotations = walk.rotations.copy()
    yaw = rotation_vector_to_quaternion(angle[:, None] * np.array([0.0, 1.0, 0.0]))
    rotations[:, 0] = quaternion_multiply(yaw, rotations[:, 0])
    radius = 2.0
    root = walk.root_positions.copy()
    root[:, 0] = radius * (1.0 - np.cos(angle)) + 0.02 * np.sin(8.0 * angle)
    root[:, 2] = radius * np.sin(angle)
    return replace(walk, rotations=rotations, root_positions=root)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    object_turn=turns,
    flags=st.booleans(),
    heading=st.floats(-180.0, 180.0),
    helpers=st.booleans(),
    unit=st.sampled_from([1.0, 0.01]),
    connected=st.booleans(),
)
def test_root_bone_and_object_show_the_same_world_pose_as_the_hips(
    seed, object_turn, flags, heading, helpers, unit, connected
):
    recipe = RigRecipe(
        root_bone=True, heading=heading, helpers=helpers, unit=unit, location=(1.0, 0.5, -2.0)
    )
    rig = build_rig(recipe, object_turn)
    if connected:  # to a bone that can be moved instead
        tied = rig.connected.copy()
        tied[rig.index("pelvis")] = helpers
        rig = replace(rig, connected=tied)
    if flags:
        rig = with_flags(rig, seed)
    motion = tumbling(seed)
    wanted = mapped_world(rig, motion, "HIPS")
    for root in ("ROOT_BONE", "OBJECT"):
        assert np.allclose(mapped_world(rig, motion, root), wanted, atol=1e-7)


def test_a_root_bone_below_an_unevenly_scaled_object_shows_the_same_pose():
    rig = build_rig(RigRecipe(root_bone=True), combine(turn("x", 90.0)))
    rig = replace(rig, to_world=np.diag([1.0, 1.4, 0.8, 1.0]) @ rig.to_world)
    wanted = mapped_world(rig, turning_walk(), "HIPS")
    assert np.allclose(mapped_world(rig, turning_walk(), "ROOT_BONE"), wanted, atol=1e-7)


def test_the_root_bone_goes_below_the_hips_and_turns_with_them():
    rig, motion = build_rig(RigRecipe(root_bone=True, roll_seed=3)), turning_walk()
    channels = retargeter(rig).transfer(motion, options("ROOT_BONE"))
    world = posed(rig, channels)
    root, pelvis = world[:, rig.index("root")], world[:, rig.index("pelvis")]
    assert np.abs(root[:, 1, 3] - rig.heads[rig.index("root"), 1]).max() < 1e-9  # on the floor
    # The sway of 2 cm stays with the hips; a curve's lead is a few centimetres.
    apart = np.linalg.norm((root - pelvis)[:, [0, 2], 3], axis=-1)
    assert apart.max() < 0.08 and apart[0] < 0.01 and apart[-1] < 0.03
    turned = root[:, :3, :3] @ np.linalg.inv(rig.rest[rig.index("root"), :3, :3])
    heading = np.degrees(np.unwrap(np.arctan2(turned[:, 0, 2], turned[:, 2, 2])))
    assert heading[0] == pytest.approx(0.0, abs=3.0) and heading[-1] == pytest.approx(90.0, abs=3.0)
    assert np.diff(heading).min() > 0.0  # no wobble of the steps
    assert np.allclose(turned[:, 1, 1], 1.0)  # upright


def test_the_object_carries_the_way_and_the_bones_keep_the_rest():
    rig, motion = build_rig(RigRecipe(root_bone=True)), turning_walk()
    channels = retargeter(rig).transfer(motion, options("OBJECT"))
    assert channels.object_to_world is not None
    assert np.linalg.norm(np.ptp(channels.object_to_world[:, :3, 3], axis=0)) > 2.5
    local = channels.locations["pelvis"]
    assert np.ptp(local, axis=0).max() < 0.15
    assert "root" not in channels.locations


def test_in_place_keeps_sway_height_and_facing_but_goes_nowhere():
    rig, motion = build_rig(RigRecipe()), turning_walk()
    hips = mapped_world(rig, motion, "HIPS")
    stays = mapped_world(rig, motion, "IN_PLACE")
    assert np.allclose(stays[..., :3, :3], hips[..., :3, :3], atol=1e-9)
    assert np.allclose(stays[..., 1, 3], hips[..., 1, 3], atol=1e-9)
    moved = hips[..., [0, 2], 3] - stays[..., [0, 2], 3]
    assert np.allclose(moved, moved[:, :1], atol=1e-9)  # the body as a whole
    way = moved[:, 0]
    assert np.linalg.norm(way[-1] - way[0]) > 2.5
    assert np.linalg.norm(np.diff(way, 2, axis=0), axis=-1).max() < 0.002  # smooth: no sway in it
    assert np.ptp(stays[:, 0, [0, 2], 3], axis=0).max() < 0.1


def test_a_walk_to_and_fro_sways_in_place():
    motion = walking(90)
    root = motion.root_positions.copy()
    root[:, 0] = 0.05 * np.sin(2 * np.pi * np.arange(90) / 30.0)
    motion = replace(motion, root_positions=root)
    rig = build_rig(RigRecipe())
    sway = mapped_world(rig, motion, "IN_PLACE")[30:60, 0, 0, 3]
    assert 0.035 < np.abs(sway - sway.mean()).max() < 0.06


def test_a_rig_without_a_root_bone_says_what_to_do():
    rig = build_rig(RigRecipe())
    with pytest.raises(ScaleMoGenError, match="no root bone.*object"):
        retargeter(rig).transfer(walking(), options("ROOT_BONE"))


def test_a_root_that_is_itself_the_mover_is_no_root_bone():
    rig = build_rig(RigRecipe(root_bone=True))
    tied = rig.connected.copy()
    tied[rig.index("pelvis")] = True
    with pytest.raises(ScaleMoGenError, match="no root bone"):
        retargeter(replace(rig, connected=tied)).transfer(walking(), options("ROOT_BONE"))


def test_the_whole_path_starts_and_ends_below_the_hips():
    for frames in (1, 2, 3, 10, 200):
        pose = retargeter(build_rig(RigRecipe())).joint_pose(turning_walk(frames))
        way = way_of(pose)
        for frame in (0, -1):
            assert np.allclose(way.places[frame, [0, 2]], pose.hips[frame, [0, 2]], atol=1e-9)


def tilted(axis: str, degrees: np.ndarray) -> np.ndarray:
    vectors = np.zeros((len(degrees), 3))
    vectors[:, "xyz".index(axis)] = np.radians(degrees)
    return rotation_vector_to_quaternion(vectors)


@pytest.mark.parametrize("axis", ["x", "z"])
@pytest.mark.parametrize("heading", [0.0, 130.0])
def test_somersaults_and_cartwheels_do_not_turn_the_facing(axis, heading):
    rng = np.random.default_rng(0)
    wobble = rotation_vector_to_quaternion(rng.normal(0.0, 0.03, (120, 3)))
    whirl = quaternion_multiply(tilted(axis, np.linspace(0.0, 360.0, 120)), wobble)
    found = facing(quaternion_multiply(turn("y", heading), whirl))
    assert np.degrees(np.abs(np.diff(found))).max() < 30.0
    assert np.allclose(np.degrees(found), heading, atol=25.0)


def test_a_handstand_faces_where_it_faced_before():
    rng = np.random.default_rng(1)
    angles = np.concatenate([np.linspace(0, 180, 40), np.full(60, 180.0), np.linspace(180, 0, 40)])
    wobble = rotation_vector_to_quaternion(rng.normal(0.0, 0.1, (140, 3)))
    found = np.degrees(facing(quaternion_multiply(tilted("x", angles), wobble)))
    assert np.abs(found).max() < 30.0


def test_falling_on_the_back_or_the_face_keeps_the_facing():
    for angle in (-90.0, 90.0):
        found = facing(quaternion_multiply(turn("y", 40.0), tilted("x", np.linspace(0, angle, 30))))
        assert np.degrees(found) == pytest.approx(np.full(30, 40.0), abs=1e-6)


def test_turning_round_several_times_counts_on():
    found = facing(tilted("y", np.linspace(0.0, 1000.0, 300)))
    assert np.degrees(found[-1] - found[0]) == pytest.approx(1000.0)


def test_the_facing_is_where_the_eyes_go():
    looking = quaternion_rotate(turn("y", 70.0), np.array([0.0, 0.0, 1.0]))
    angle = facing(turn("y", 70.0)[None])[0]
    assert np.allclose([np.sin(angle), 0.0, np.cos(angle)], looking)


IN_BLENDER = """
import sys
import bpy, numpy as np
sys.path.insert(0, sys.argv[2])
from blender_rules import mapped_columns, posed
from mathutils import Euler, Matrix
from synthetic import RigRecipe, build_rig, turn, tumbling
from test_root_motion import options, with_flags
from core.retarget import Retargeter, map_bones
from core.skeleton import canonical
from scalemogen_blender import armature, bake, rest_armature

MODES = ["QUATERNION", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "AXIS_ANGLE"]
SCALES = ["FULL", "FIX_SHEAR", "ALIGNED", "AVERAGE", "NONE", "NONE_LEGACY"]
motion = tumbling(3, 8)
for seed, uneven in ((0, False), (1, False), (2, True)):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rng = np.random.default_rng(seed)
    recipe = RigRecipe(root_bone=True, heading=70.0 * seed, helpers=True, roll_seed=seed,
                       unit=(1.0, 0.01, 1.0)[seed], location=(1.0, 0.5, -2.0), arm_drop=50.0)
    rest = with_flags(build_rig(recipe, turn("x", 40.0 * seed)), seed)
    made = rest_armature.build(rest, "Rig", parent=True)
    if uneven:
        made.parent.scale = (1.0, 1.3, 0.8)
    made.rotation_mode = MODES[seed + 3]
    made.delta_location, made.delta_rotation_euler = (0.2, 0.1, 0.0), (0.1, 0.2, 0.3)
    for bone in made.pose.bones:
        bone.rotation_mode = MODES[rng.integers(len(MODES))]
        bone.bone.inherit_scale = SCALES[rng.integers(len(SCALES))]
    bpy.context.view_layer.update()
    rig = armature.read_rest_rig(made)
    assert not rig.inherits_rotation.all() and not rig.local_location.all()
    measured = Retargeter.build(rig, map_bones(rig.bone_names, rig.parents), canonical())
    columns = mapped_columns(rig, dict(measured.bone_map.bones))
    hips = None
    for root in ("HIPS", "ROOT_BONE", "OBJECT", "IN_PLACE"):
        channels = measured.transfer(motion, options(root))
        kept = made.matrix_basis.copy()
        bake.bake(made, channels, root)
        frames = np.arange(len(motion.rotations)) + bake.FIRST_FRAME
        names, axes, heads = armature.sample_pose(made, frames)
        assert names == list(rig.bone_names)
        made.animation_data.action = None
        made.matrix_basis = kept
        size = np.abs(heads[:, columns]).max()
        if uneven and root == "OBJECT":
            continue  # the unevenness would have to turn with the object
        wanted = posed(rig, channels)[:, columns]
        assert np.abs(heads[:, columns] - wanted[..., :3, 3]).max() < 2e-5 * size, (seed, root)
        assert np.abs(axes[:, columns] - wanted[..., :3, :3]).max() < 2e-4 * rig.scale
        if root == "HIPS":
            hips = heads[:, columns]
        elif root != "IN_PLACE":
            assert np.abs(heads[:, columns] - hips).max() < 2e-5 * size, (seed, root)
"""


@pytest.mark.blender
def test_blender_shows_what_was_meant_whatever_the_bones_inherit(run_in_blender):
    run_in_blender(IN_BLENDER, Path(__file__).parent, timeout=300)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("lock", ["AUTOMATIC", "ALWAYS", "NEVER"])
@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_the_shortest_clips_come_out_whole(root, lock, frames):
    measured = retargeter(build_rig(RigRecipe(root_bone=True)))
    motion = walking(12).at_frames(slice(0, frames))
    chosen = RetargetOptions(root=root, feet=lock, arm_spread=10.0, leg_spread=5.0)
    channels = measured.transfer(motion, chosen)
    assert channels.frame_count == frames
    assert np.isfinite(channels.rotations).all()
    for locations in channels.locations.values():
        assert locations.shape == (frames, 3)
        assert np.isfinite(locations).all()

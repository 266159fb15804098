"""Control rigs without Blender: what carries a control, which controls drive a bone."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ScaleMoGenError
from core.retarget import BoneMap, RestRig, Retargeter, RetargetOptions, map_bones
from core.retarget.controls import (
    ControlPlan,
    Hold,
    Limb,
    Probes,
    RigGraph,
    Switch,
    build,
    find_plan,
    needs_controls,
    obstacle,
    search_plan,
)
from core.retarget.controls.frames import FIXED, LOOSE, carriers
from core.rotations import (
    matrix_to_quaternion,
    quaternion_between,
    quaternion_to_matrix,
    rotation_vector_to_quaternion,
    slerp,
)
from core.skeleton import canonical
from tests.synthetic import RigRecipe, build_rig, pose_rig, tumbling, walking

SIDES = ("left", "right")
REQUIRED = ("pelvis", *(f"{s}_{p}" for s in SIDES for p in ("hip", "knee", "ankle")))


def turned(seed: int, count: int, reach: float = 0.5) -> np.ndarray:
    """Random rotation matrices [count, 3, 3]."""
    vectors = np.random.default_rng(seed).uniform(-reach, reach, (count, 3))
    return quaternion_to_matrix(rotation_vector_to_quaternion(vectors))


def probed(parents: Mapping[str, str | None], seed: int, blend: str = "") -> Probes:
    """Controls at random places, each in the frame of its parent; ``blend`` follows half."""
    names = tuple(parents)
    rng = np.random.default_rng(seed)
    rest = np.tile(np.eye(4), (len(names), 1, 1))
    rest[:, :3, :3] = turned(seed, len(names), 2.0)
    rest[:, :3, 3] = rng.uniform(-1, 1, (len(names), 3))
    basis = np.tile(np.eye(4), (4, len(names), 1, 1))
    for probe in range(1, 4):
        basis[probe, :, :3, :3] = turned(seed + probe, len(names))
    poses = np.empty_like(basis)
    for i, (name, parent) in enumerate(parents.items()):
        frame = np.tile(rest[i], (4, 1, 1))
        if parent is not None:
            p = names.index(parent)
            frame = poses[:, p] @ np.linalg.inv(rest[p]) @ rest[i]
        if name == blend:
            away = frame[:, :3, :3] @ rest[i, :3, :3].T
            quaternions = matrix_to_quaternion(away)
            half = slerp(np.tile([1.0, 0, 0, 0], (4, 1)), quaternions, np.full(4, 0.5))
            frame[:, :3, :3] = quaternion_to_matrix(half) @ rest[i, :3, :3]
        poses[:, i] = frame @ basis[:, i]
    return Probes(names, poses, basis, rest[:, :3, :3])


@given(st.integers(0, 10_000))
def test_probing_finds_what_carries_each_control(seed):
    parents = {"root": None, "torso": "root", "chest": "torso", "hand": "chest", "prop": None}
    probes = probed(parents, seed)
    found = carriers(probes, range(len(parents)))
    expected = tuple(
        FIXED if parent is None else probes.names.index(parent) for parent in parents.values()
    )
    assert found.turn == expected
    assert found.place == expected


def test_a_control_that_follows_half_is_loose_but_its_place_is_known():
    probes = probed({"torso": None, "neck": "torso", "head": "neck"}, 3, blend="neck")
    found = carriers(probes, range(3))
    assert found.turn == (FIXED, LOOSE, 1)
    assert found.place == (FIXED, 0, 1)


def test_the_plan_of_a_rigify_rig_takes_what_is_there():
    limbs = {
        f"{name}.{side}"
        for side in "LR"
        for name in ("thigh_fk", "shin_fk", "foot_fk", "foot_ik", "thigh_ik_target")
    }
    plan = find_plan({"root", "torso", "spine_fk", "spine_fk.001", "spine_fk.002", *limbs})
    assert plan is not None and plan.scheme == "rigify_control"
    assert plan.mover == "torso" and plan.root == "root"
    assert plan.controls["spine"] == ("spine_fk.001", "spine_fk.002")
    assert "left_foot" not in plan.controls and set(plan.limbs) == {"left_leg", "right_leg"}
    assert plan.limbs["left_leg"].toes is None
    assert find_plan({"spine", "thigh.L", "shin.L", "foot.L"}) is None, "that is a metarig"


def test_switches_keep_the_artists_own_where_they_suit():
    plan = ControlPlan(
        scheme="test",
        controls={},
        measured={},
        mover="torso",
        limbs={"left_leg": Limb("foot_ik", rigid=("thigh_ik",))},
        switches=(
            Switch("leg", "IK_FK", "left_leg", fk=1.0, ik=0.0),
            Switch("torso", "follow", fk=1.0, ik=1.0, keep=(0.0, 1.0)),
            Switch("gone", "follow", fk=1.0, ik=1.0),
        ),
    )

    def settings(inverse, follow):
        now = {("leg", "IK_FK"): 0.3, ("torso", "follow"): follow}
        return [(s.bone, s.property_name, s.value) for s in plan.settings(inverse, now)]

    assert settings((), 0.5) == [("leg", "IK_FK", 1.0), ("torso", "follow", 1.0)]
    assert settings((), 0.0) == [("leg", "IK_FK", 1.0), ("torso", "follow", 0.0)]
    ik = settings(("left_leg",), 1.0)
    assert ("leg", "IK_FK", 0.0) in ik and ("thigh_ik", "ik_stretch", 0.0) in ik


# --- controls along constraints ---


def graph(
    holds: Mapping[str, tuple[Hold, ...]] | None = None,
    more: Mapping[str, str | None] | None = None,
):
    """The constraints of a rig with canonical bone names; ``more`` bones and their parents."""
    skeleton = canonical()
    names = skeleton.joint_names
    parents = {
        n: names[p] if p >= 0 else None for n, p in zip(names, skeleton.parents, strict=True)
    }
    return RigGraph(
        {**parents, **(more or {})}, lambda b: (holds or {}).get(b, ()), lambda b: False
    )


def own_map() -> BoneMap:
    skeleton = canonical()
    spine = ("spine1", "spine2", "spine3")
    bones = {n: (n,) for n in skeleton.joint_names if n not in spine}
    return BoneMap("canonical", {**bones, "spine": spine})


def copy(bone: str, target: str, **values) -> Hold:
    return Hold(bone, f"Copy {target}", "COPY", target, **values)


def test_a_rig_without_constraints_needs_no_controls():
    assert not needs_controls(own_map(), graph())
    held = graph({"left_knee": (copy("left_knee", "shin"),)}, {"shin": None})
    assert needs_controls(own_map(), held)


def test_bones_are_driven_through_what_they_copy_and_switched_to_fk():
    more = {"FK": "pelvis", "IK": "pelvis", "CTRL": None}
    fk = copy("left_hip", "FK")
    ik = copy("left_hip", "IK", switch=("CTRL", "ik"), at=(0.0, 1.0))
    found = search_plan(own_map(), graph({"left_hip": (fk, ik)}, more))
    assert found.controls["left_hip"] == ("FK",) and found.measured["left_hip"] == ("left_hip",)
    assert [(s.bone, s.property_name, s.fk) for s in found.switches] == [("CTRL", "ik", 0.0)]
    turned_round = copy("left_hip", "IK", switch=("CTRL", "fk"), at=(1.0, 0.0))
    found = search_plan(own_map(), graph({"left_hip": (fk, turned_round)}, more))
    assert [(s.property_name, s.fk) for s in found.switches] == [("fk", 1.0)]


def test_a_leg_of_inverse_kinematics_is_driven_through_target_and_pole():
    more = {"target": None, "pole": None}
    ik = Hold("left_knee", "IK", "IK", "target", chain=2, pole="pole", pole_angle=0.5)
    holds = {"left_knee": (ik,), "left_ankle": (copy("left_ankle", "target"),)}
    rig = graph(holds, more)
    assert obstacle(own_map(), rig, REQUIRED) is None
    found = search_plan(own_map(), rig)
    limb = found.limbs["left_leg"]
    assert (limb.target, limb.pole, limb.always, limb.pole_angle) == ("target", "pole", True, 0.5)
    assert found.controls["left_hip"] == ("left_hip",), "the solver starts from its keys"
    assert found.controls["left_ankle"] == ("target",)


@pytest.mark.parametrize(
    ("hold", "other"),
    [
        (Hold("left_knee", "IK", "IK", "", other="Empty", chain=2), "Empty"),
        (Hold("left_knee", "IK", "IK", "target", chain=3), ""),
        (Hold("left_knee", "Copy", "COPY", "", other="Prop"), "Prop"),
        (copy("left_knee", "left_knee"), ""),
    ],
)
def test_legs_that_nothing_drives_are_named_with_their_constraint(hold, other):
    found = obstacle(own_map(), graph({"left_knee": (hold,)}, {"target": None}), REQUIRED)
    assert found is not None and found.bone == "left_knee"
    assert found.constraint == hold.name and found.other == other


def test_arms_that_nothing_drives_are_left_out():
    hold = Hold("left_elbow", "Copy", "COPY", "", other="Prop")
    found = search_plan(own_map(), graph({"left_elbow": (hold,)}))
    assert "left_elbow" not in found.controls and "left_shoulder" in found.controls


def test_the_hips_are_moved_by_what_places_them_and_turned_by_what_turns_them():
    turning = copy("pelvis", "spinner")
    found = search_plan(own_map(), graph({"pelvis": (turning,)}, {"spinner": None}))
    assert found.mover == "pelvis" and found.controls["pelvis"] == ("spinner",)
    assert found.overruled == (("pelvis", turning.name),)
    both = copy("pelvis", "hips control", moves=True)
    found = search_plan(own_map(), graph({"pelvis": (both,)}, {"hips control": None}))
    assert found.mover == "hips control"


# --- transfer ---


def as_probes(rig: RestRig, names: tuple[str, ...], seed: int = 5) -> Probes:
    """A rig whose controls hang on each other as its bones do, probed."""
    rng = np.random.default_rng(seed)
    basis = {n: rotation_vector_to_quaternion(rng.uniform(-0.5, 0.5, (4, 3))) for n in names}
    for quaternions in basis.values():
        quaternions[0] = (1.0, 0.0, 0.0, 0.0)
    rotations, heads = pose_rig(rig, basis, {})
    back = np.linalg.inv(rig.to_world)
    poses = np.tile(np.eye(4), (4, len(names), 1, 1))
    own = np.tile(np.eye(4), (4, len(names), 1, 1))
    for i, name in enumerate(names):
        row = rig.index(name)
        world = quaternion_to_matrix(rotations[:, row])
        poses[:, i, :3, :3] = rig.object_rotation.T @ world
        poses[:, i, :3, 3] = heads[:, row] @ back[:3, :3].T + back[:3, 3]
        own[:, i, :3, :3] = quaternion_to_matrix(basis[name])
    rows = [rig.index(name) for name in names]
    return Probes(names, poses, own, rig.rest[rows, :3, :3])


@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_controls_that_hang_like_bones_are_keyed_like_bones(unit):
    recipe = RigRecipe(arm_drop=45.0, unit=unit, location=(1.0, 0.0, 2.0), helpers=False)
    rig = build_rig(recipe, quaternion_between(np.array([0.0, 1, 0]), np.array([0.0, 0, 1])))
    bone_map = map_bones(rig.bone_names, rig.parents)
    plan = ControlPlan("own", bone_map.bones, bone_map.bones, mover="pelvis")
    measured = build(rig, plan, as_probes(rig, plan.keyed), canonical(), {})
    plain = Retargeter.build(rig, bone_map, canonical())
    motion = tumbling(4, reach=0.6)
    options = RetargetOptions(feet="NEVER")
    one, other = plain.transfer(motion, options), measured.transfer(motion, options)
    for name in one.bones:
        a, b = (c.rotations[:, c.bones.index(name)] for c in (one, other))
        assert np.allclose(np.abs((a * b).sum(axis=-1)), 1.0, atol=1e-6), name
    assert np.allclose(one.locations["pelvis"], other.locations["pelvis"], atol=1e-5 / unit)


def test_a_control_of_the_legs_that_follows_several_bones_is_refused_by_name():
    rig = build_rig(RigRecipe())
    bone_map = map_bones(rig.bone_names, rig.parents)
    plan = ControlPlan("own", bone_map.bones, bone_map.bones, mover="pelvis")
    probes = as_probes(rig, plan.keyed)
    row = probes.names.index("left_hip")
    wobble = turned(9, 4)
    wobble[0] = np.eye(3)
    probes.poses[:, row, :3, :3] = wobble @ probes.poses[:, row, :3, :3]
    with pytest.raises(ScaleMoGenError, match="'left_hip' follows several bones"):
        build(rig, plan, probes, canonical(), {})
    probes = as_probes(rig, plan.keyed)
    row = probes.names.index("left_shoulder")
    probes.poses[:, row, :3, :3] = wobble @ probes.poses[:, row, :3, :3]
    found = build(rig, plan, probes, canonical(), {})
    assert "left_shoulder" not in found.transfer(walking(5)).bones
    assert "left_elbow" not in found.transfer(walking(5)).bones, "nor what hangs on it"
    assert "right_elbow" in found.transfer(walking(5)).bones

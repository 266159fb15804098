"""Rest poses side by side: limbs, hinges, palms, soles, necks, on rigs of every naming scheme."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from blender_rules import posed
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import RigRecipe, build_rig, tumbling, turn, walking

import rig_library
from core.motion import Motion
from core.retarget import BoneMap, RestRig, Retargeter, RetargetOptions, map_bones
from core.rotations import (
    normalize,
    quaternion_multiply,
    quaternion_rotate,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical
from rig_library.build import rest_turns

SCHEMES = [scheme.name for scheme in rig_library.schemes()]
SIDES = ("left", "right")
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in SIDES
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
]
BARE = RetargetOptions(feet="NEVER", keep_hands=False)
IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])


@cache
def measured(scheme: str, rest_pose: rig_library.RestPose, variation: str = "usual") -> Retargeter:
    departure = rig_library.VARIATIONS[variation]
    rig = rig_library.build(scheme, rest_pose, 1, departure)
    bones = BoneMap(scheme, rig_library.truth(scheme, departure))
    return Retargeter.build(rig, bones, canonical())


def synthetic(rig: RestRig) -> Retargeter:
    return Retargeter.build(rig, map_bones(rig.bone_names, rig.parents), canonical())


def limb_errors(rig: Retargeter, motion: Motion) -> dict[tuple[str, str], float]:
    """Largest angle in degrees between the rig's limbs and the motion's."""
    world = posed(rig.rig, rig.transfer(motion, BARE))[..., :3, 3]
    heads = quaternion_rotate(rig.body.turn * [1, -1, -1, -1], world)
    positions, index = motion.positions(), motion.skeleton.index
    errors = {}
    for limb in LIMBS:
        bones = [rig.bone_map.bone(slot) for slot in limb]
        if None in bones:
            continue
        start, end = (heads[:, rig.rig.index(bone)] for bone in bones if bone)
        wanted = normalize(positions[:, index(limb[1])] - positions[:, index(limb[0])])
        apart = np.linalg.norm(normalize(end - start) - wanted, axis=-1)
        errors[limb] = float(np.degrees(2.0 * np.arcsin(apart / 2.0)).max())
    return errors


def alignments(rig: Retargeter) -> dict[str, np.ndarray]:
    by_bone = {driver.bone: driver.alignment for driver in rig.drivers}
    return {slot: by_bone[rig.rig.index(names[0])] for slot, names in rig.bone_map.bones.items()}


@pytest.mark.parametrize("rest_pose", rig_library.REST_POSES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_limbs_of_every_scheme_point_where_the_motion_says(scheme, rest_pose):
    errors = limb_errors(measured(scheme, rest_pose), tumbling(1, 4))
    assert len(errors) == 8
    assert max(errors.values()) < 1e-3


@pytest.mark.parametrize("variation", list(rig_library.VARIATIONS))
def test_limbs_of_every_departure_point_where_the_motion_says(variation):
    for scheme in ("mixamo", "unreal5", "mpfb_default"):
        rig = measured(scheme, "BENT", variation)
        assert max(limb_errors(rig, tumbling(2, 4)).values()) < 1e-3


@pytest.mark.parametrize("rest_pose", rig_library.REST_POSES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_hinges_palms_and_soles_are_the_same_from_every_rest_pose(scheme, rest_pose):
    """Aligned, every part of the body is turned as in the scheme's own T-pose, within degrees.

    The rest poses' turns are known here; hands without fingers and feet without toes show none.
    """
    turns, rest = rest_turns(scheme, rest_pose), alignments(measured(scheme, rest_pose))
    tees = alignments(measured(scheme, "T"))
    for slot in rest:
        if slot not in turns or slot in ("pelvis", "spine", "neck", "head"):
            continue
        part = slot.partition("_")[2]
        shown = part != "wrist" or rest_pose != "BENT"
        limit = {"wrist": 4.0, "ankle": 2.0, "foot": 2.0}.get(part, 5.0) if shown else 12.0
        limit += 0.0 if "left_foot" in rest else 5.0
        error = rotation_angle(quaternion_multiply(rest[slot], turns[slot]), tees[slot])
        assert np.degrees(error) < limit, slot


@pytest.mark.parametrize("scheme", ["mixamo", "unreal5", "genesis8", "mpfb_default", "biped"])
def test_palms_face_down_in_the_canonical_pose(scheme):
    for rest_pose in rig_library.REST_POSES:
        rig = measured(scheme, rest_pose)
        standing = Motion(canonical(), np.tile(IDENTITY, (1, 22, 1)), np.zeros((1, 3)), 30.0)
        world = posed(rig.rig, rig.transfer(standing, BARE))[0, :, :3, 3]
        heads = quaternion_rotate(rig.body.turn * [1, -1, -1, -1], world)
        for side in SIDES:
            wrist = rig.rig.index(rig.bone_map.bones[f"{side}_wrist"][0])
            below = [b for b in range(rig.rig.bone_count) if wrist in rig.rig.ancestors(b)]
            out = heads[below] - heads[wrist]
            spread = np.ptp(out, axis=0)  # of all finger bones: flat, so the palm is level
            assert spread[1] < 0.35 * spread[2]
            thumbs = ("thumb", "finger0", "finger1-")
            found = [b for b in below if any(t in rig.rig.bone_names[b].lower() for t in thumbs)]
            assert heads[found, 2].mean() > heads[below, 2].mean() + 0.01  # the thumb in front


def turned_out(degrees: float, knee: float) -> RestRig:
    """A rig whose legs are turned out at rest, knees bent so far."""
    rig = build_rig(RigRecipe(roll_seed=None))
    rest = rig.rest.copy()
    for side, out in (("left", 1.0), ("right", -1.0)):
        places = {p: rig.heads[rig.index(f"{side}_{p}")] for p in ("hip", "knee", "ankle", "foot")}
        yaw = turn("y", out * degrees)
        thigh = quaternion_multiply(yaw, turn("x", -knee / 2.0))
        shin = quaternion_multiply(yaw, turn("x", knee / 2.0))
        at = places["hip"]
        for part, above, way in (
            ("knee", "hip", thigh),
            ("ankle", "knee", shin),
            ("foot", "ankle", yaw),
        ):
            at = at + quaternion_rotate(way, places[part] - places[above])
            rest[rig.index(f"{side}_{part}"), :3, 3] = at
    return replace(rig, rest=rest)


def test_bent_knees_show_how_far_a_leg_is_turned_out():
    found = alignments(synthetic(turned_out(25.0, 40.0)))
    for side, out in (("left", 1.0), ("right", -1.0)):
        for part in ("hip", "knee", "ankle"):
            forward = quaternion_rotate(
                quaternion_multiply(found[f"{side}_{part}"], turn("y", out * 25.0)),
                np.array([1.0, 0.0, 0.0]),
            )
            assert np.degrees(np.arccos(forward[0])) < 1.0


def test_straight_legs_share_the_turn_out_with_the_feet():
    found = alignments(synthetic(turned_out(20.0, 0.0)))
    knee = quaternion_rotate(found["left_knee"], np.array([0.0, 0.0, 1.0]))
    foot = quaternion_rotate(found["left_ankle"], np.array([0.0, 0.0, 1.0]))
    assert np.degrees(np.arctan2(knee[0], knee[2])) == pytest.approx(-10.0, abs=1.0)
    assert np.degrees(np.arctan2(foot[0], foot[2])) == pytest.approx(-20.0, abs=0.1)


@pytest.mark.parametrize("heel", [0.0, 0.05, 0.12])
def test_high_heels_stay_as_high_as_they_are(heel):
    """The sole of a pitched foot is flat when the motion's is."""
    rig = build_rig(RigRecipe())
    rest = rig.rest.copy()
    lower = {f"{side}_foot" for side in SIDES}
    for bone, name in enumerate(rig.bone_names):
        if name not in lower:
            rest[bone, 1, 3] += heel
    rig = replace(rig, rest=rest)
    standing = Motion(
        canonical(), np.tile(IDENTITY, (1, 22, 1)), np.array([[0.0, 0.98, 0.0]]), 30.0
    )
    world = posed(rig, synthetic(rig).transfer(standing, BARE))[0]
    for side in SIDES:
        toe, ankle = (rig.index(f"{side}_{part}") for part in ("foot", "ankle"))
        assert world[toe, 1, 3] == pytest.approx(rig.heads[toe, 1], abs=2e-3)
        assert world[ankle, 1, 3] - world[toe, 1, 3] == pytest.approx(
            rig.heads[ankle, 1] - rig.heads[toe, 1]
        )


def test_unmapped_bones_in_a_limb_may_be_bent_at_rest_and_need_not_inherit():
    """Where an upper arm has a kink, its elbow still goes where the motion says."""
    rig = build_rig(RigRecipe(helpers=True, arm_drop=40.0, root_bone=True))
    rest = rig.rest.copy()
    rng = np.random.default_rng(0)
    helpers = [b for b, name in enumerate(rig.bone_names) if name.endswith("_offset")]
    rest[helpers, :3, 3] += rng.normal(0.0, 0.03, (len(helpers), 3))
    inherits = rig.inherits_rotation.copy()
    inherits[helpers[::2]] = False
    loose = replace(rig, rest=rest, inherits_rotation=inherits)
    assert max(limb_errors(synthetic(loose), tumbling(3)).values()) < 1e-3


@settings(max_examples=25, deadline=None)
@given(necks=st.integers(2, 4), seed=st.integers(0, 1000), length=st.floats(0.6, 1.8))
def test_a_neck_of_several_bones_shares_the_bend_and_leads_where_the_motions_does(
    necks, seed, length
):
    rig = synthetic(build_rig(RigRecipe(neck_bones=necks, proportions={"head": length})))
    motion = tumbling(seed, 5, reach=0.4)
    turns = rig.bone_turns(motion.global_rotations())
    heads = posed(rig.rig, rig.transfer(motion, BARE))[..., :3, 3]
    chain = [rig.rig.index(f"neck{i + 1}") for i in range(necks)]
    head, chest = rig.rig.index("head"), rig.rig.index("spine3")
    index, positions = motion.skeleton.index, motion.positions()
    line = normalize(heads[:, head] - heads[:, chain[0]])
    wanted = normalize(positions[:, index("head")] - positions[:, index("neck")])
    assert np.degrees(np.linalg.norm(line - wanted, axis=-1)).max() < 1e-3
    assert np.allclose(
        rotation_angle(turns[:, head], motion.global_rotations()[:, index("head")]), 0, atol=1e-9
    )
    # No joint of the chain has to bend more than the whole and what keeps its direction.
    whole = rotation_angle(turns[:, chest], turns[:, head])
    order = [chest, *chain, head]
    own = rotation_angle(turns[:, order[:-1]], turns[:, order[1:]])
    joint = motion.global_rotations()
    bends = rotation_angle(joint[:, index("spine3")], joint[:, index("neck")]) + rotation_angle(
        joint[:, index("neck")], joint[:, index("head")]
    )
    assert (own.max(axis=1) <= np.maximum(whole, bends) + 1e-6).all()


def test_a_turned_head_turns_each_neck_bone_a_little():
    angles = np.zeros((1, 22, 3))
    for joint in ("neck", "head"):
        angles[0, canonical().index(joint), 1] = np.radians(30.0)
    motion = Motion(
        canonical(), rotation_vector_to_quaternion(angles), np.array([[0.0, 0.98, 0.0]]), 30.0
    )
    rig = synthetic(build_rig(RigRecipe(neck_bones=4)))
    turns = rig.bone_turns(motion.global_rotations())[0]
    found = [
        np.degrees(2 * np.arctan2(*turns[rig.rig.index(f"neck{i}"), [2, 0]])) for i in range(1, 5)
    ]
    assert found == pytest.approx([7.5, 22.5, 37.5, 52.5], abs=0.5)


@settings(max_examples=30, deadline=None)
@given(
    spine=st.integers(1, 6),
    neck=st.booleans(),
    seed=st.integers(0, 1000),
    lengths=st.tuples(*[st.floats(0.7, 1.4)] * 3),
)
def test_the_trunk_leads_where_the_motions_does_over_any_spine(spine, neck, seed, lengths):
    proportions = dict(zip(("spine2", "spine3", "neck"), lengths, strict=True))
    recipe = RigRecipe(
        spine_bones=spine, proportions=proportions, leave_out=() if neck else ("neck",)
    )
    rig = build_rig(recipe)
    motion = tumbling(seed, 5, reach=0.2)
    rotations = motion.rotations.copy()
    rotations[:, 0] = IDENTITY
    motion = replace(motion, rotations=rotations)
    heads = posed(rig, synthetic(rig).transfer(motion, BARE))[..., :3, 3]
    positions, index = motion.positions(), motion.skeleton.index
    tops = ["neck"] if neck else ["left_shoulder", "right_shoulder"]

    def trunk(places: np.ndarray, find) -> np.ndarray:
        top = places[:, [find(name) for name in tops]].mean(axis=1)
        return normalize(top - places[:, [find(f"{side}_hip") for side in SIDES]].mean(axis=1))

    apart = np.linalg.norm(trunk(heads, rig.index) - trunk(positions, index), axis=-1)
    assert np.degrees(apart).max() < 0.1
    if spine > 1:  # the chest, and with it the shoulders, turns exactly as the motion's
        joint = motion.global_rotations()
        chest = synthetic(rig).bone_turns(joint)[:, rig.index(f"spine{spine}")]
        error = rotation_angle(chest, joint[:, index("spine3")])
        assert np.degrees(error).max() < 1e-3


def test_a_mover_above_the_pelvis_takes_the_spine_along():
    """Hips bone above, with the pelvis and the spine side by side below it."""
    rig = build_rig(RigRecipe(root_bone=True))
    names = ["hips" if name == "root" else name for name in rig.bone_names]
    parents = list(rig.parents)
    parents[names.index("spine1")] = names.index("hips")
    rest = rig.rest.copy()
    rest[names.index("hips"), :3, 3] = rig.rest[names.index("pelvis"), :3, 3] + [0.0, 0.05, 0.0]
    apart = replace(rig, bone_names=tuple(names), parents=tuple(parents), rest=rest)
    bones = {
        slot: tuple(names) for slot, names in map_bones(rig.bone_names, rig.parents).bones.items()
    }
    split = Retargeter.build(apart, BoneMap("", bones), canonical())
    assert apart.bone_names[split.mover] == "hips"
    whole, motion = synthetic(rig), tumbling(4)
    wanted = posed(rig, whole.transfer(motion, BARE))[..., :3, 3]
    found = posed(apart, split.transfer(motion, BARE))[..., :3, 3]
    mapped = [rig.index(name) for chain in bones.values() for name in chain]
    assert np.allclose(found[:, mapped], wanted[:, mapped], atol=1e-7)


def test_a_spine_bone_that_carries_the_legs_belongs_to_the_pelvis():
    rig = build_rig(RigRecipe())
    parents = list(rig.parents)
    for side in SIDES:
        parents[rig.index(f"{side}_hip")] = rig.index("spine1")
    below = replace(rig, parents=tuple(parents))
    bones = map_bones(rig.bone_names, rig.parents)
    found = Retargeter.build(below, bones, canonical())
    pelvis, first = (rig.index(name) for name in ("pelvis", "spine1"))
    turns = found.bone_turns(tumbling(0).global_rotations())
    assert np.allclose(turns[:, first], turns[:, pelvis])


def test_what_turns_a_bone_may_be_another_than_what_moves_it():
    """As constraints of control rigs do it; channels are relative to what turns the bone."""
    rig = build_rig(RigRecipe(root_bone=True))
    turning = list(rig.parents)
    for name in ("head", "left_shoulder", "right_shoulder"):
        turning[rig.index(name)] = rig.index("root")
    probed = replace(rig, turn_parents=tuple(turning))
    motion = walking(10)
    plain, loose = synthetic(rig), synthetic(probed)
    turns = plain.bone_turns(motion.global_rotations())
    assert np.allclose(loose.bone_turns(motion.global_rotations()), turns)
    free = replace(rig, inherits_rotation=~np.isin(np.arange(rig.bone_count), [rig.index("head")]))
    channels = [synthetic(r).transfer(motion, BARE) for r in (probed, free)]
    columns = [made.bones.index("head") for made in channels]
    assert np.allclose(channels[0].rotations[:, columns[0]], channels[1].rotations[:, columns[1]])
    assert "root" in channels[1].bones and "root" not in channels[0].bones
    carried = loose.transfer(motion, replace(BARE, root="ROOT_BONE"))
    assert "root" in carried.bones and set(carried.locations) == {"root", "pelvis"}

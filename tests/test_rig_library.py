"""The test rigs: published names, bodies that stand, and every departure of artists' rigs."""

import numpy as np
import pytest

import rig_library
from core.retarget import REQUIRED, SLOTS, RestRig
from rig_library import REST_POSES, VARIATIONS, Variation

NAMES = [scheme.name for scheme in rig_library.schemes()]
SIDES = ("left", "right")


def heads(rig: RestRig, truth: dict[str, tuple[str, ...]], slot: str) -> np.ndarray:
    return rig.heads[rig.index(truth[slot][0])]


def degrees_between(a: np.ndarray, b: np.ndarray) -> float:
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def test_every_scheme_of_the_feature_list_is_there() -> None:
    assert {
        "mixamo", "mixamo_plain", "mixamo_numbered", "rigify_metarig", "unreal4", "unreal5",
        "vroid", "vrm1", "mpfb_default", "mpfb_game_engine", "mpfb_mixamo", "genesis8",
        "genesis9", "character_creator", "auto_rig_pro", "cmu", "bandai", "smplx", "rokoko",
        "xsens", "biped", "rocketbox", "rocketbox_underscores", "ready_player_me", "humanik",
        "humanik_character", "words_left_right", "words_dot_lr", "words_l_r", "mmd",
    } <= set(NAMES)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_are_unique_and_parents_come_first(name: str) -> None:
    rig = rig_library.build(name)
    assert len(set(rig.bone_names)) == rig.bone_count
    assert all(parent < bone for bone, parent in enumerate(rig.parents))


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_names_bones_in_parent_order(name: str) -> None:
    rig, truth = rig_library.build(name), rig_library.truth(name)
    assert set(REQUIRED) <= set(truth) <= set(SLOTS)
    for slot, chain in truth.items():
        bones = [rig.index(bone) for bone in chain]
        assert len(bones) == 1 or slot in ("spine", "neck")
        for upper, lower in zip(bones, bones[1:], strict=False):
            assert upper in rig.ancestors(lower)
    for side in SIDES:
        limbs = [f"{side}_{part}" for part in ("hip", "knee", "ankle")]
        limbs += [f"{side}_{part}" for part in ("shoulder", "elbow", "wrist")]
        for upper, lower in (limbs[:2], limbs[1:3], limbs[3:5], limbs[4:]):
            upper_bone, lower_bone = rig.index(truth[upper][0]), rig.index(truth[lower][0])
            assert upper_bone in rig.ancestors(lower_bone)
    accepted = rig_library.accepted(name)
    assert all(set(chain) <= accepted[slot] for slot, chain in truth.items())


@pytest.mark.parametrize("rest_pose", REST_POSES)
@pytest.mark.parametrize("name", NAMES)
def test_the_body_stands_on_the_floor_and_is_as_large_as_a_person(
    name: str, rest_pose: rig_library.RestPose
) -> None:
    rig, truth = rig_library.build(name, rest_pose), rig_library.truth(name)
    scale = heads(rig, truth, "head")[1]
    assert 0.7 < scale < 1.8
    for side, out in (("left", 1.0), ("right", -1.0)):
        ankle = heads(rig, truth, f"{side}_ankle")
        assert 0.04 < ankle[1] < 0.12
        assert out * ankle[0] > 0.03
        if f"{side}_foot" in truth:
            toe = heads(rig, truth, f"{side}_foot")
            assert 0.0 < toe[1] < 0.04
            assert toe[2] > ankle[2] + 0.04
    assert np.isclose(rig.heads[:, 1].min(), 0.0, atol=0.1)


def test_rest_poses_differ_as_their_names_say() -> None:
    drops, truth = {}, rig_library.truth("unreal4")
    for rest_pose in REST_POSES:
        rig = rig_library.build("unreal4", rest_pose)
        arm = heads(rig, truth, "left_elbow") - heads(rig, truth, "left_shoulder")
        drops[rest_pose] = degrees_between(arm, np.array([1.0, 0.0, 0.0]))
    assert drops["T"] < 3.0
    assert drops["A"] == pytest.approx(52.0, abs=3.0)  # the mannequin's own A-pose
    assert drops["DOWN"] > 75.0

    rig = rig_library.build("unreal4", "BENT")
    thigh = heads(rig, truth, "left_knee") - heads(rig, truth, "left_hip")
    shin = heads(rig, truth, "left_ankle") - heads(rig, truth, "left_knee")
    assert degrees_between(thigh, shin) > 30.0
    foot = heads(rig, truth, "left_foot") - heads(rig, truth, "left_ankle")
    assert np.degrees(np.arctan2(foot[0], foot[2])) > 20.0


def test_bone_axes_are_those_of_the_trade() -> None:
    rig, truth = rig_library.build("unreal4", "A"), rig_library.truth("unreal4")
    for slot, child, sign in (
        ("left_shoulder", "left_elbow", 1.0), ("right_shoulder", "right_elbow", -1.0),
        ("left_hip", "left_knee", -1.0), ("right_hip", "right_knee", 1.0),
    ):  # fmt: skip
        limb = heads(rig, truth, child) - heads(rig, truth, slot)
        x = rig.rest[rig.index(truth[slot][0]), :3, 0]
        world = rig.object_rotation @ x
        assert degrees_between(sign * world, limb) < 1e-3, slot

    rig, truth = rig_library.build("mixamo", "T"), rig_library.truth("mixamo")
    bone = rig.index(truth["left_knee"][0])
    ankle = rig.rest[rig.index(truth["left_ankle"][0]), :3, 3]
    assert np.allclose(rig.tails[bone], ankle)
    assert rig.scale == pytest.approx(0.01)

    rig = rig_library.build("smplx", "T")
    assert np.allclose(rig.object_rotation @ rig.rest[:, :3, :3], np.eye(3))


@pytest.mark.parametrize("variation", VARIATIONS.values(), ids=VARIATIONS)
@pytest.mark.parametrize("name", ["mixamo", "mpfb_default", "biped", "mmd"])
def test_every_departure_is_a_rig(name: str, variation: Variation) -> None:
    rig = rig_library.build(name, "BENT", seed=2, variation=variation)
    axes = rig.rest[:, :3, :3]
    assert np.allclose(axes @ axes.transpose(0, 2, 1), np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(axes), 1.0)
    assert len(set(rig.bone_names)) == rig.bone_count
    truth = rig_library.truth(name, variation)
    assert set(REQUIRED) <= set(truth)
    assert all(bone in rig.bone_names for chain in truth.values() for bone in chain)
    # Bones stand out from their heads along their own Y axis, as Blender wants them.
    out = rig.tails - rig.rest[:, :3, 3]
    lengths = np.linalg.norm(out, axis=-1)
    assert (lengths * rig.scale > 1e-4).all()
    assert np.allclose(out / lengths[:, None], axes[:, :, 1], atol=1e-9)


def test_departures_change_what_they_name() -> None:
    def truth(variation: str) -> dict[str, tuple[str, ...]]:
        return rig_library.truth("unreal4", VARIATIONS[variation])

    assert truth("spine 1")["spine"] == ("spine_01",)
    assert truth("spine 5")["spine"] == tuple(f"spine_0{i}" for i in range(1, 6))
    assert "neck" not in truth("no neck")
    assert len(truth("two necks")["neck"]) == 2
    assert "left_collar" not in truth("no clavicles")
    assert "right_foot" not in truth("no toes")

    usual = rig_library.build("unreal4", "A")
    rolled = rig_library.build("unreal4", "A", variation=VARIATIONS["random roll"])
    assert np.allclose(usual.heads, rolled.heads)
    assert np.abs(usual.rest[:, :3, 2] - rolled.rest[:, :3, 2]).max() > 0.5

    beside = rig_library.build("mixamo", variation=VARIATIONS["twists beside"])
    inline = rig_library.build("mixamo", variation=VARIATIONS["twists inline"])
    knee, twist = "mixamorig:LeftLeg", "mixamorig:LeftUpLeg_twist_01"
    assert beside.index(twist) not in beside.ancestors(beside.index(knee))
    assert inline.index(twist) in inline.ancestors(inline.index(knee))
    assert beside.index("mixamorig:LeftUpLeg") in beside.ancestors(beside.index(knee))


def test_seeds_make_other_bodies_and_the_same_seed_the_same() -> None:
    first, again = (rig_library.build("mixamo", "A", seed=3) for _ in range(2))
    other = rig_library.build("mixamo", "A", seed=4)
    assert np.array_equal(first.rest, again.rest)
    assert 0.005 < np.abs(first.heads - other.heads).max() < 0.4


def test_an_empty_above_turns_and_scales_the_whole_body() -> None:
    usual = rig_library.build("mixamo", "A")
    below = rig_library.build("mixamo", "A", variation=VARIATIONS["under an empty"])
    assert below.scale > 1.2 * usual.scale
    assert np.allclose(usual.rest, below.rest)
    turned = rig_library.build("mixamo", "A", variation=VARIATIONS["turned"])
    assert np.allclose(usual.to_world, turned.to_world)
    assert np.allclose(usual.heads[:, 1], turned.heads[:, 1])
    assert not np.allclose(usual.heads, turned.heads)

"""Rigs whose names say little or nothing: the hierarchy's shape decides, with the names it has."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rig_library
from core.errors import ScaleMoGenError
from core.retarget import DOUBT_LIMIT, SLOTS, best_effort_map, map_bones, plain_name
from core.rotations import quaternion_to_matrix
from tests.rig_distractors import DISTRACTORS, growing, parents_first

#: Rigs in which two bones lie in one place, or that have a bone more than the joints ask for, so
#: that places alone cannot say which one is meant.
_AMBIGUOUS = {"mmd", "mpfb_default"}
PLAIN = [s.name for s in rig_library.schemes() if s.name not in _AMBIGUOUS]
SIDED = [slot for slot in SLOTS if "_" in slot]


def nameless(names, seed=0):
    """Names that say nothing, in no order."""
    numbers = list(range(len(names)))
    random.Random(seed).shuffle(numbers)
    return [f"Bone.{number:03d}" for number in numbers]


def found_without_names(names, parents, heads):
    """Slot → original names of the bones found when every bone is renamed."""
    renamed = nameless(names)
    original = dict(zip(renamed, names, strict=True))
    found = map_bones(renamed, parents, heads=heads)
    return {slot: tuple(original[b] for b in chain) for slot, chain in found.bones.items()}, found


def assert_right(bones, scheme, variation=rig_library.USUAL, slots=SLOTS):
    truth = rig_library.truth(scheme, variation)
    allowed = rig_library.accepted(scheme, variation)
    wrong = {
        slot: (bones.get(slot), truth.get(slot))
        for slot in slots
        if (slot in truth and slot not in bones)
        or not set(bones.get(slot, ())) <= {*allowed.get(slot, ()), *truth.get(slot, ())}
    }
    assert wrong == {}


@pytest.mark.parametrize("pose", rig_library.REST_POSES)
@pytest.mark.parametrize("scheme", PLAIN)
def test_without_names_the_shape_shows_every_joint(scheme, pose):
    rig = rig_library.build(scheme, pose, seed=1)
    bones, found = found_without_names(rig.bone_names, rig.parents, rig.heads)
    assert_right(bones, scheme)
    assert found.scheme == "by shape" and found.title == ""
    assert all("by its place" in found.evidence[slot].reason for slot in found.bones)


@pytest.mark.parametrize(
    "variation",
    [*(f"spine {n}" for n in range(1, 7)), "no neck", "no clavicles", "bare",
     "twists beside", "twists inline", "scattered axes", "fbx z up", "turned", "child"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["mixamo", "unreal4", "smplx", "genesis9", "vroid"])
def test_missing_and_additional_bones_do_not_mislead_the_shape(scheme, variation):
    departure = rig_library.VARIATIONS[variation]
    rig = rig_library.build(scheme, "A", seed=1, variation=departure)
    bones, _ = found_without_names(rig.bone_names, rig.parents, rig.heads)
    assert_right(bones, scheme, departure)


@given(
    st.sampled_from([name for name in PLAIN if name != "words_l_r"]),  # its hands hold weapons
    st.sampled_from(rig_library.REST_POSES),
    st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=4).filter(lambda q: sum(map(abs, q)) > 0.1),
    st.floats(1e-4, 1e4),
    st.integers(0, 10_000),
)
@settings(max_examples=40)
def test_orientation_scale_place_and_proportions_do_not_matter(scheme, pose, turn, scale, seed):
    rig = rig_library.build(scheme, pose, seed=seed)
    turned = np.array(turn) / np.linalg.norm(turn)
    heads = scale * (rig.heads @ quaternion_to_matrix(turned).T + np.array([3.0, -2.0, 5.0]))
    bones, _ = found_without_names(rig.bone_names, rig.parents, heads)
    assert_right(bones, scheme, slots=[s for s in SLOTS if s not in ("neck", "head", "spine")])


def with_distractors(scheme, pose, kinds):
    """Names, parents (parents first) and heads of a rig with more bones than a body has."""
    rig = growing(rig_library.build(scheme, pose, seed=2), rig_library.truth(scheme))
    for kind in kinds:
        DISTRACTORS[kind](rig)
    order = parents_first(rig.names, rig.parents)
    place = {bone: i for i, bone in enumerate(order)} | {-1: -1}
    parents = [place[rig.parents[bone]] for bone in order]
    return [rig.names[b] for b in order], parents, np.array([rig.heads[b] for b in order])


@pytest.mark.parametrize("kind", [*DISTRACTORS, "all of them"])
@pytest.mark.parametrize("pose", rig_library.REST_POSES)
def test_hair_cloth_tails_wings_weapons_and_targets_are_no_limbs(kind, pose):
    kinds = list(DISTRACTORS) if kind == "all of them" else [kind]
    for scheme in ("unreal4", "mixamo", "vroid", "character_creator"):
        names, parents, heads = with_distractors(scheme, pose, kinds)
        bones, _ = found_without_names(names, parents, heads)
        assert_right(bones, scheme)


#: SMPL has a hand after the wrist: where the wrist's name is lost, the hand's says "hand";
#: in Auto-Rig Pro a twist bone may be the limb, if the other one's name is lost.
_UNCLEAR = {"smpl", "smplx", "auto_rig_pro", "auto_rig_pro_twist"}
_NAMED = [name for name in PLAIN if name not in _UNCLEAR]


@given(st.sampled_from(_NAMED), st.sampled_from(rig_library.REST_POSES), st.integers(0, 99))
@settings(max_examples=40)
def test_some_names_and_the_shape_together_say_all(scheme, pose, seed):
    rig = rig_library.build(scheme, pose, seed=1)
    chance = random.Random(seed)
    hidden = nameless(rig.bone_names)
    names = [hidden[i] if chance.random() < 0.5 else name for i, name in enumerate(rig.bone_names)]
    original = dict(zip(names, rig.bone_names, strict=True))
    found = map_bones(names, rig.parents, heads=rig.heads)
    bones = {s: tuple(original[b] for b in chain) for s, chain in found.bones.items()}
    assert_right(bones, scheme, slots=SIDED)


def test_the_side_alone_in_the_names_is_enough():
    rig = rig_library.build("mixamo_plain", "A")
    sides = {"Left": "L", "Right": "R"}
    names = []
    for i, name in enumerate(rig.bone_names):
        side = next((short for word, short in sides.items() if word in name), "C")
        names.append(f"{side}_{i:03d}")
    original = dict(zip(names, rig.bone_names, strict=True))
    found = map_bones(names, rig.parents, heads=rig.heads)
    assert_right({s: tuple(original[b] for b in c) for s, c in found.bones.items()}, "mixamo_plain")
    assert found.evidence["left_knee"].reason == (
        "Name says left; its place: second bone of the left leg"
    )


def test_words_without_a_side_get_it_from_the_shape():
    rig = rig_library.build("mixamo_plain", "A")
    names, seen = [], set()
    for name in rig.bone_names:
        plain = name.replace("Left", "").replace("Right", "")
        names.append(plain if plain not in seen else f"{plain}.001")
        seen.add(plain)
    original = dict(zip(names, rig.bone_names, strict=True))
    found = map_bones(names, rig.parents, heads=rig.heads)
    assert_right({s: tuple(original[b] for b in c) for s, c in found.bones.items()}, "mixamo_plain")
    assert "its place says left" in found.evidence["left_elbow"].reason
    assert set(best_effort_map(names, rig.parents).bones).isdisjoint(SIDED), "not by names alone"


def swapped(name):
    return name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")


def test_names_that_contradict_the_body_are_told():
    rig = rig_library.build("mixamo_plain", "T")
    usual = map_bones(rig.bone_names, rig.parents, heads=rig.heads)
    assert not usual.doubtful and not usual.sides_swapped
    names = [swapped(name) for name in rig.bone_names]
    found = map_bones(names, rig.parents, heads=rig.heads)
    assert found.bones == usual.bones, "names go before the shape"
    assert found.sides_swapped
    assert set(found.doubtful) == set(SIDED)
    for slot in SIDED:
        assert found.evidence[slot].confidence < DOUBT_LIMIT
        assert "left and right are swapped" in found.evidence[slot].reason


def test_two_joints_in_one_place_are_doubtful():
    rig = rig_library.build("mixamo_plain", "A")
    heads = rig.heads.copy()
    heads[rig.index("LeftForeArm")] = heads[rig.index("LeftArm")]
    found = map_bones(rig.bone_names, rig.parents, heads=heads)
    assert found.doubtful == ("left_elbow",)
    assert "in one place" in found.evidence["left_elbow"].reason


def test_sides_are_a_guess_on_a_body_that_faces_nowhere():
    rig = rig_library.build("smpl", "T", variation=rig_library.Variation(leave_out=("foot",)))
    heads = rig.heads.copy()
    heads[:, 2] = 0.0  # flat: neither toes, knees nor elbows say which way is forward
    found = map_bones(nameless(rig.bone_names), rig.parents, heads=heads)
    for slot in ("left_hip", "right_wrist"):
        assert found.evidence[slot].confidence < DOUBT_LIMIT
        assert "left and right are a guess" in found.evidence[slot].reason
    assert "head" not in found.doubtful


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_what_is_no_body_has_no_shape(count):
    chance = np.random.default_rng(count)
    chain = list(range(-1, count - 1))
    star = [-1, *[0] * (count - 1)][:count]
    for parents in (chain, star):
        for heads in (chance.normal(size=(count, 3)), np.zeros((count, 3))):
            found = best_effort_map(nameless([""] * count), parents, heads)
            assert found.bones == {}
            with pytest.raises(ScaleMoGenError, match=plain_name("left_hip")):
                map_bones(nameless([""] * count), parents, "Rope", heads)


def test_a_spider_is_no_body():
    names, parents, heads = ["centre"], [-1], [np.zeros(3)]
    for leg in range(8):
        out = np.array([np.sin(leg * np.pi / 4), 0.0, np.cos(leg * np.pi / 4)])
        above = 0
        for joint, (far, up) in enumerate(((0.2, 0.0), (0.6, 0.3), (1.0, 0.0), (1.2, -0.3))):
            names.append(f"x{leg}{joint}")
            parents.append(above)
            heads.append(far * out + [0.0, up, 0.0])
            above = len(names) - 1
    found = best_effort_map(names, parents, np.array(heads))
    assert not set(found.bones) - set(found.doubtful)

"""Bone maps that an artist has corrected: put together, refused with a reason, kept in files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ScaleMoGenError
from core.retarget import JOINT_COUNT, SLOTS, BoneMap, best_effort_map, map_file
from core.retarget.corrections import chain_between, check, fitted, merged, problem
from tests.test_retarget_bone_map import MIXAMO, RIGS, hierarchy

NAMES, PARENTS = RIGS["mixamo, bare"][1]
AUTOMATIC = best_effort_map(NAMES, PARENTS)


def reason(corrections):
    """Why the automatic map cannot be used with these corrections."""
    return problem(merged(AUTOMATIC, corrections), NAMES, PARENTS)


@pytest.mark.parametrize("rig", RIGS)
def test_what_is_found_automatically_is_in_order(rig):
    names, parents = RIGS[rig][1]
    found = best_effort_map(names, parents)
    assert problem(found, names, parents) is None
    assert found.joint_count == JOINT_COUNT == 22


def test_a_correction_goes_before_what_was_found_and_takes_its_bone_away_elsewhere():
    # The toe as foot: the toes then have no bone, and nothing else changes.
    found = merged(AUTOMATIC, {"left_ankle": ("LeftToeBase",)})
    assert found.bones["left_ankle"] == ("LeftToeBase",)
    assert found.missing == ("left toes",)
    assert reason({"left_ankle": ("LeftToeBase",)}) is None
    others = set(SLOTS) - {"left_ankle", "left_foot"}
    assert all(found.bones[slot] == AUTOMATIC.bones[slot] for slot in others)


def test_an_empty_correction_means_no_bone():
    found = merged(AUTOMATIC, {"left_collar": ()})
    assert found.missing == ("left clavicle",) and found.joint_count == 21
    assert reason({"left_collar": ()}) is None


@pytest.mark.parametrize(
    ("corrections", "words"),
    [
        ({"pelvis": ()}, "No bone found for hips; pick it"),
        ({"pelvis": (), "left_knee": ()}, "hips and left shin"),
        ({"left_knee": ("Nothing",)}, "no bone 'Nothing' for the left shin"),
        ({"left_knee": ("RightLeg",), "right_knee": ("RightLeg",)}, "'RightLeg' is there twice"),
        ({"spine": ("Spine", "Spine")}, "'Spine' is there twice (spine)"),
        ({"left_knee": ("LeftLeg", "LeftToeBase")}, "The left shin can only be one bone"),
        ({"left_knee": ("LeftArm",)}, "left shin 'LeftArm' does not hang on the left thigh"),
        ({"spine": ("Spine2", "Spine")}, "spine 'Spine' does not hang on the spine 'Spine2'"),
        ({"pelvis": ("Spine",)}, "does not hang on the hips 'Spine'"),
        ({"head": ("LeftHand",)}, "head 'LeftHand' does not hang on the neck"),
        ({"left_shoulder": ("RightArm",)}, "'RightArm' does not hang on the left clavicle"),
    ],
)
def test_a_map_that_makes_no_body_is_refused_with_a_reason(corrections, words):
    assert words in reason(corrections)
    with pytest.raises(ScaleMoGenError, match="'Hero' cannot be used") as refusal:
        check(merged(AUTOMATIC, corrections), NAMES, PARENTS, "Hero")
    assert words in str(refusal.value) and "Bone Map" in str(refusal.value)


def test_a_leg_on_the_other_leg_is_refused():
    names = ["hips", "thigh.L", "shin.L", "foot.L", "thigh.R", "shin.R", "foot.R"]
    parents = [-1, 0, 1, 2, 1, 4, 5]  # the right thigh hangs on the left one
    slots = ("pelvis", "left_hip", "left_knee", "left_ankle", "right_hip", "right_knee",
             "right_ankle")  # fmt: skip
    bones = BoneMap("by words", dict(zip(slots, [(name,) for name in names], strict=True)))
    assert "hangs on the other side's 'thigh.L'" in problem(bones, names, parents)


def test_a_chain_is_what_lies_between_its_ends():
    assert chain_between(NAMES, PARENTS, "Spine", "Spine2") == ("Spine", "Spine1", "Spine2")
    assert chain_between(NAMES, PARENTS, "Neck", "Neck") == ("Neck",)
    assert chain_between(NAMES, PARENTS, "Spine2", "Spine") == ()
    assert chain_between(NAMES, PARENTS, "LeftArm", "RightArm") == ()
    assert chain_between(NAMES, PARENTS, "Spine", "absent") == ()


def test_a_map_fits_rigs_with_another_namespace():
    names, parents = hierarchy(MIXAMO, "Left", "Right", "mixamorig7:")
    fit = fitted(AUTOMATIC, names)
    assert fit.bones == best_effort_map(names, parents).bones
    # Two bones that would do are as bad as none.
    assert "pelvis" not in fitted(AUTOMATIC, [*names, "other:Hips"]).bones


def test_a_map_fits_as_far_as_the_rig_has_bones():
    fit = fitted(AUTOMATIC, [name for name in NAMES if "Toe" not in name and name != "Spine1"])
    assert fit.bones["spine"] == ("Spine", "Spine2")
    assert {"left_foot", "right_foot"} == AUTOMATIC.bones.keys() - fit.bones.keys()
    assert fitted(AUTOMATIC, ["Cube"]).bones == {}


@given(
    st.dictionaries(
        st.sampled_from(SLOTS), st.lists(st.text(min_size=1), min_size=1, max_size=3).map(tuple),
        min_size=1,
    ),
    st.text(),
)  # fmt: skip
def test_a_saved_map_is_read_back(bones, scheme):
    kept = map_file.from_json(map_file.to_json(BoneMap(scheme, bones)))
    assert kept.scheme == scheme and kept.bones == bones


def test_a_map_file_is_readable_text(tmp_path):
    map_file.save(tmp_path / "hero.json", AUTOMATIC)
    assert map_file.load(tmp_path / "hero.json").bones == AUTOMATIC.bones
    text = (tmp_path / "hero.json").read_text(encoding="utf-8")
    assert '\n  "spine": ["Spine", "Spine1", "Spine2"],\n' in text
    table = json.loads(text)
    assert (table["format"], table["version"], table["scheme"]) == (
        "scalemogen rig map",
        1,
        "mixamo",
    )


def table(**changes):
    """JSON text of a map with some entries changed; None takes one away."""
    whole = json.loads(map_file.to_json(AUTOMATIC)) | changes
    return json.dumps({key: value for key, value in whole.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON or is damaged"),
        ('{"format": "scalemo', "is not JSON or is damaged"),
        ("[" * 100_000, "is not JSON or is damaged"),
        ("[]", "is no bone map"),
        ('{"name": "mixamo", "bones": {}}', "is no bone map"),
        (table(version=None), "no valid version"),
        (table(version="1"), "no valid version"),
        (table(version=True), "no valid version"),
        (table(version=2), "newer version of the add-on; update"),
        (table(bones=None), "maps no bones"),
        (table(bones=["Hips"]), "maps no bones"),
        (table(bones={"pelvis": []}), "maps no bones"),
        (table(bones={"tail": ["Tail"]}), "names 'tail', which is no joint"),
        (table(bones={"\ud800" + 9000 * "x": ["Tail"]}), r"^.{5,80}xx', which is no joint.{,500}$"),
        (table(bones={"pelvis": "Hips"}), "no list of bone names for 'pelvis'"),
        (table(bones={"pelvis": [1]}), "no list of bone names for 'pelvis'"),
        (table(bones={"pelvis": [""]}), "no list of bone names for 'pelvis'"),
    ],
)
def test_what_is_no_map_is_one_clear_line(tmp_path, text, words):
    (tmp_path / "map.json").write_text(text, encoding="utf-8")
    with pytest.raises(ScaleMoGenError, match=words) as refusal:
        map_file.load(tmp_path / "map.json")
    assert "map.json" in str(refusal.value) and "\n" not in str(refusal.value)


def test_files_that_cannot_be_read_or_written_are_one_clear_line(tmp_path):
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    (tmp_path / "large.json").write_text(" " * 1_000_001)
    for name, words in (
        ("absent.json", "No such file"),
        ("binary.json", "is not JSON"),
        ("large.json", "too large"),
        (".", "Cannot read"),
    ):
        with pytest.raises(ScaleMoGenError, match=words):
            map_file.load(tmp_path / name)
    with pytest.raises(ScaleMoGenError, match="Choose a writable folder"):
        map_file.save(tmp_path / "absent" / "map.json", AUTOMATIC)


def test_a_map_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "map.json").write_text(map_file.to_json(AUTOMATIC), encoding="utf-8-sig")
    assert map_file.load(tmp_path / "map.json").bones == AUTOMATIC.bones

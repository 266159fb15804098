"""Bones found by name and parent order, in the naming schemes that people use."""

import random

import pytest

from core.errors import ScaleMoGenError
from core.retarget import own_map
from core.retarget.bone_map import (
    REQUIRED,
    SLOTS,
    BoneMap,
    best_effort_map,
    map_bones,
    plain_name,
    schemes,
)
from core.retarget.bone_names import parse, shared_prefix, tokens, without_namespace
from core.skeleton import canonical

#: Hierarchies, one bone a line, indented below its parent; "%" is the side.
MIXAMO = """
Hips
 Spine
  Spine1
   Spine2
    Neck
     Head
      HeadTop_End
    %Shoulder
     %Arm
      %ForeArm
       %Hand
        %HandThumb1
        %HandMiddle1
 %UpLeg
  %Leg
   %Foot
    %ToeBase
     %Toe_End
"""
UNREAL = """
root
 pelvis
  spine_01
   spine_02
    spine_03
     clavicle_%
      upperarm_%
       upperarm_twist_01_%
       lowerarm_%
        lowerarm_twist_01_%
        hand_%
         index_01_%
     neck_01
      head
  thigh_%
   thigh_twist_01_%
   calf_%
    calf_twist_01_%
    foot_%
     ball_%
 ik_foot_root
  ik_foot_%
 ik_hand_root
  ik_hand_gun
   ik_hand_%
"""
BIPED = """
Bip01
 Bip01 Pelvis
  Bip01 Spine
   Bip01 Spine1
    Bip01 Neck
     Bip01 Head
     Bip01 % Clavicle
      Bip01 % UpperArm
       Bip01 % Forearm
        Bip01 % Hand
   Bip01 % Thigh
    Bip01 % Calf
     Bip01 % Foot
      Bip01 % Toe0
"""
VRM = """
Root
 J_Bip_C_Hips
  J_Bip_C_Spine
   J_Bip_C_Chest
    J_Bip_C_UpperChest
     J_Bip_C_Neck
      J_Bip_C_Head
     J_Sec_%_Bust1
     J_Bip_%_Shoulder
      J_Bip_%_UpperArm
       J_Bip_%_LowerArm
        J_Bip_%_Hand
  J_Bip_%_UpperLeg
   J_Bip_%_LowerLeg
    J_Bip_%_Foot
     J_Bip_%_ToeBase
"""
CMU = """
Hips
 %HipJoint
  %UpLeg
   %Leg
    %Foot
     %ToeBase
 LowerBack
  Spine
   Spine1
    Neck
     Neck1
      Head
    %Shoulder
     %Arm
      %ForeArm
       %Hand
        %FingerBase
        %Thumb
"""
RIGIFY = """
spine
 spine.001
  spine.002
   spine.003
    spine.004
     spine.005
      spine.006
       face
        nose
    shoulder.%
     upper_arm.%
      forearm.%
       hand.%
        palm.01.%
    breast.%
 pelvis.%
 thigh.%
  shin.%
   foot.%
    toe.%
    heel.02.%
"""
DAZ = """
hip
 pelvis
  %ThighBend
   %ThighTwist
    %Shin
     %Foot
      %Metatarsals
       %Toe
 abdomenLower
  abdomenUpper
   chestLower
    chestUpper
     %Collar
      %ShldrBend
       %ShldrTwist
        %ForearmBend
         %ForearmTwist
          %Hand
     neckLower
      neckUpper
       head
"""


def hierarchy(text: str, left: str, right: str, prefix: str = "") -> tuple[list[str], list[int]]:
    """Names and parents of an indented list; lines with "%" and below come once a side."""
    names: list[str] = []
    parents: list[int] = []

    def add(lines: list[str], parent: int, depth: int, side: str | None) -> None:
        while lines:
            level = len(lines[0]) - len(lines[0].lstrip())
            if level < depth:
                return
            name = lines.pop(0).strip()
            below = []
            while lines and len(lines[0]) - len(lines[0].lstrip()) > level:
                below.append(lines.pop(0))
            for which in [side] if side or "%" not in name else [left, right]:
                names.append(prefix + name.replace("%", which or ""))
                parents.append(parent)
                add(list(below), len(names) - 1, level + 1, which)

    add(text.strip("\n").splitlines(), -1, 0, None)
    return names, parents


RIGS = {
    "mixamo": ("mixamo", hierarchy(MIXAMO, "Left", "Right", "mixamorig:")),
    "mixamo, numbered": ("mixamo", hierarchy(MIXAMO, "Left", "Right", "mixamorig7:")),
    "mixamo, no colon": ("mixamo", hierarchy(MIXAMO, "Left", "Right", "mixamorig_")),
    "mixamo, bare": ("mixamo", hierarchy(MIXAMO, "Left", "Right")),
    "mixamo, model in front": ("mixamo", hierarchy(MIXAMO, "Left", "Right", "Bot|mixamorig:")),
    "unreal 4": ("unreal", hierarchy(UNREAL, "l", "r")),
    "rigify metarig": ("rigify_metarig", hierarchy(RIGIFY, "L", "R")),
    "rigify through a game engine": (
        "rigify_metarig",
        hierarchy(RIGIFY.replace(".", "_"), "L", "R"),
    ),
    "cmu": ("cmu", hierarchy(CMU, "Left", "Right")),
    "3ds Max biped": ("biped", hierarchy(BIPED, "L", "R")),
    "vrm": ("vroid", hierarchy(VRM, "L", "R")),
    "daz": ("daz_genesis_8", hierarchy(DAZ, "l", "r")),
}


@pytest.mark.parametrize("rig", RIGS)
def test_every_slot_of_a_known_rig_is_found(rig):
    scheme, (names, parents) = RIGS[rig]
    found = map_bones(names, parents)
    assert found.scheme == scheme
    assert found.missing == ()


@pytest.mark.parametrize(
    ("rig", "slot", "bones"),
    [
        ("mixamo", "left_knee", ("mixamorig:LeftLeg",)),
        ("mixamo", "left_collar", ("mixamorig:LeftShoulder",)),
        ("mixamo", "spine", ("mixamorig:Spine", "mixamorig:Spine1", "mixamorig:Spine2")),
        ("unreal 4", "pelvis", ("pelvis",)),
        ("unreal 4", "left_ankle", ("foot_l",)),
        ("unreal 4", "right_foot", ("ball_r",)),
        ("unreal 4", "spine", ("spine_01", "spine_02", "spine_03")),
        ("rigify metarig", "pelvis", ("spine",)),
        ("rigify metarig", "spine", ("spine.001", "spine.002", "spine.003")),
        ("rigify metarig", "neck", ("spine.004", "spine.005")),
        ("rigify metarig", "head", ("spine.006",)),
        ("cmu", "left_hip", ("LeftUpLeg",)),
        ("cmu", "neck", ("Neck", "Neck1")),
        ("3ds Max biped", "pelvis", ("Bip01 Pelvis",)),
        ("3ds Max biped", "spine", ("Bip01 Spine1",)),  # the legs hang on the first one
        ("3ds Max biped", "neck", ("Bip01 Neck",)),
        ("vrm", "right_shoulder", ("J_Bip_R_UpperArm",)),
        ("daz", "pelvis", ("hip",)),
        ("daz", "left_shoulder", ("lShldrBend",)),
        ("daz", "neck", ("neckLower", "neckUpper")),
    ],
)
def test_the_right_bone_plays_the_joint(rig, slot, bones):
    assert map_bones(*RIGS[rig][1]).bones[slot] == bones


def test_the_canonical_names_map_to_themselves():
    skeleton = canonical()
    found = map_bones(skeleton.joint_names, skeleton.parents)
    assert found.scheme == "canonical"
    assert found.bones["spine"] == ("spine1", "spine2", "spine3")
    for slot in SLOTS:
        if slot != "spine":
            assert found.bones[slot] == (slot,)


@pytest.mark.parametrize("count", range(1, 7))
def test_any_number_of_spine_bones_is_a_chain(count):
    spine = "".join(f"{' ' * (i + 2)}spine_{i + 1:02d}\n" for i in range(count))
    lines = UNREAL.splitlines()
    above, below = lines[: lines.index("  spine_01")], lines[lines.index("    spine_03") + 1 :]
    arms = below[: below.index("  thigh_%")]
    indented = [" " * (count - 3) + a if count >= 3 else a[3 - count :] for a in arms]
    text = "\n".join([*above, *spine.splitlines(), *indented, *below[len(arms) :]])
    found = map_bones(*hierarchy(text, "l", "r"))
    assert found.bones["spine"] == tuple(f"spine_{i + 1:02d}" for i in range(count))
    assert found.missing == ()


def test_a_renamed_bone_of_a_known_scheme_is_found_by_its_words():
    names, parents = RIGS["mixamo"][1]
    renamed = [n.replace("mixamorig:LeftForeArm", "Lower_Arm.L") for n in names]
    assert map_bones(renamed, parents).bones["left_elbow"] == ("Lower_Arm.L",)


def test_parents_decide_and_not_the_order_of_the_bones():
    names, parents = RIGS["unreal 4"][1]
    reference = map_bones(names, parents).bones
    shuffler = random.Random(1)
    for _ in range(10):
        depths = [0] * len(names)
        for i, parent in enumerate(parents):
            depths[i] = depths[parent] + 1 if parent >= 0 else 0
        order = sorted(range(len(names)), key=lambda i: (depths[i], shuffler.random()))
        where = {old: new for new, old in enumerate(order)}
        moved = [where[parents[i]] if parents[i] >= 0 else -1 for i in order]
        assert map_bones([names[i] for i in order], moved).bones == reference


@pytest.mark.parametrize("missing", ["thigh_l", "calf_r", "foot_l"])
def test_a_missing_leg_bone_is_named(missing):
    names, parents = RIGS["unreal 4"][1]
    names = [n if n != missing else "prop" for n in names]
    words = {"thigh_l": "left thigh", "calf_r": "right shin", "foot_l": "left foot"}[missing]
    with pytest.raises(ScaleMoGenError, match=words) as error:
        map_bones(names, parents, "Hero")
    assert "'Hero'" in str(error.value) and "\n" not in str(error.value)
    assert "hips" not in str(error.value)


@pytest.mark.parametrize("names", [[], ["Bone"], ["Car", "Wheel.L", "Wheel.R"], ["hips", "head"]])
def test_what_is_no_body_is_refused(names):
    with pytest.raises(ScaleMoGenError, match="left thigh"):
        map_bones(names, [i - 1 for i in range(len(names))])


def test_clavicles_toes_and_neck_may_be_missing():
    names, parents = hierarchy(MIXAMO, "Left", "Right")
    gone = ("Shoulder", "ToeBase", "Neck")
    names = [f"x{i}" if n.endswith(gone) else n for i, n in enumerate(names)]
    found = best_effort_map(names, parents)
    assert set(found.missing) == {
        "left clavicle",
        "right clavicle",
        "left toes",
        "right toes",
    }
    # Nothing else lies between chest and head, so the nameless bone is the neck.
    assert found.bones["neck"][0].startswith("x")


def test_names_are_split_into_words():
    assert tokens("LeftUpLeg") == ("left", "up", "leg")
    assert tokens("LHipJoint") == ("l", "hip", "joint")
    assert tokens("spine_03") == ("spine", "03")
    assert without_namespace("Char:mixamorig12:Hips") == "Hips"
    assert parse("upperarm_r").side == "right"
    assert parse("lShldrBend").words == ("shldr",)
    assert shared_prefix(["Bob_Hip", "Bob_Head", "Bob_L_Thigh", "Bob_Neck"]) == "bob_"


def test_every_scheme_uses_known_slots_and_names_all_of_them():
    assert {s.name for s in schemes()} >= {"mixamo", "unreal", "rigify_metarig", "canonical", "cmu"}
    for scheme in schemes():
        assert set(scheme.bones) <= set(SLOTS), scheme.name
        assert set(REQUIRED) <= set(scheme.bones), scheme.name


def test_plain_names():
    assert plain_name("left_hip") == "left thigh"
    assert plain_name("right_wrist") == "right hand"
    assert plain_name("pelvis") == "hips"


@pytest.mark.parametrize(
    ("name", "part", "side"),
    [
        ("LeftUpLeg", "hip", "left"),
        ("upperleg_r", "hip", "right"),
        ("Thigh (L)", "hip", "left"),
        ("l-thigh", "hip", "left"),
        ("Bip01_R_Calf", "knee", "right"),
        ("lowerarmL", "elbow", "left"),
        ("rforearm", "elbow", "right"),
        ("Arm_Upper_R_01", "shoulder", "right"),
        ("左ひじ", "elbow", "left"),
        ("つま先.R", "foot", "right"),
        ("右手首", "wrist", "right"),
        ("左大腿", "hip", "left"),
        ("Hand.L.001", "wrist", "left"),
        ("ctrl_LeftFoot", "ankle", "left"),
        ("haracter_That_Exporters_Put_Before_Every_Single_Bone_Of_LeftHan", "wrist", "left"),
    ],
)
def test_what_a_name_means(name, part, side):
    found = parse(name)
    assert found.side == side
    assert max(found.meanings, key=found.meanings.__getitem__) == part


@pytest.mark.parametrize(
    "name",
    ["LeftHandThumb1", "L_Eye", "hair_head_01.L", "SkirtLeg_L", "Backpack", "Handle", "Group.L",
     "左目", "左親指１", "armor_l", "shoulderPad_L"],
)  # fmt: skip
def test_other_parts_are_no_joints(name):
    assert parse(name).meanings == {}


@pytest.mark.parametrize(
    ("helper", "bone"),
    [
        ("thigh_twist_01_l", "thigh_l"),
        ("LeftArmRoll", "LeftArm"),
        ("foot_ik.L", "foot.L"),
        ("Head_end", "Head"),
        ("左足ＩＫ", "左足"),
        ("左足D", "左足"),
        ("MCH-hand.L", "hand.L"),
        ("knee_pole.R", "knee.R"),
    ],
)
def test_helpers_go_behind_the_bone_that_they_help(helper, bone):
    weak, strong = parse(helper), parse(bone)
    part = max(strong.meanings, key=strong.meanings.__getitem__)
    assert 0.0 < weak.meanings.get(part, 0.0) < 0.5 * strong.meanings[part]
    assert weak.suitability < 0.5 < strong.suitability == 1.0


def test_reasons_are_told_in_plain_words():
    names, parents = hierarchy(RIGIFY.replace("thigh", "UpLeg").replace("shin", "Wade"), "L", "R")
    found = best_effort_map(names, parents)
    assert found.evidence["pelvis"].reason == "Named as in Rigify human metarig"
    assert found.evidence["left_hip"].reason == "Name says 'up leg', left; hangs below the hips"
    assert found.evidence["left_hip"].confidence > 0.9 and not found.doubtful
    assert "left shin" in found.missing


def test_a_weak_name_is_doubtful():
    names, parents = RIGS["mixamo, bare"][1]
    renamed = [n.replace("RightHand", "RightPalm_twist") if n == "RightHand" else n for n in names]
    found = best_effort_map(renamed, parents)
    assert found.doubtful == ("right_wrist",)


def test_an_own_map_has_to_fit_entirely():
    names, parents = RIGS["mixamo"][1]
    whole = best_effort_map(names, parents)
    less = BoneMap(whole.scheme, {s: c for s, c in whole.bones.items() if s != "neck"})
    other = BoneMap("by words", {**whole.bones, "head": ("Kopf",)})
    odd = BoneMap("by words", {**whole.bones, "left_knee": whole.bones["left_ankle"]})
    maps = {"less": less, "other": other, "odd": odd}
    title, found = own_map(names, parents, maps)
    assert title == "less" and found.bones == less.bones and not found.doubtful
    assert own_map(names, parents, {**maps, "whole": whole})[0] == "whole", "the fuller one"
    assert own_map(names, parents, {"other": other, "odd": odd}) is None
    again = hierarchy(MIXAMO, "Left", "Right", "mixamorig3:")
    assert own_map(*again, maps)[1].bone("head") == "mixamorig3:Head"

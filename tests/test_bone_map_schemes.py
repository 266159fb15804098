"""Every naming scheme maps to the right bones, in every rest pose and with every departure."""

import pytest

import rig_library
from core.retarget import SLOTS, best_effort_map, detection
from core.retarget.bone_names import comparable, tokens
from core.retarget.corrections import problem
from core.retarget.schemes import Scheme, schemes

LIBRARY = [scheme.name for scheme in rig_library.schemes()]
PRESETS = {scheme.name: scheme for scheme in schemes() if not scheme.is_control}


def wrong_slots(scheme: str, pose: str, variation: str, with_heads: bool = True) -> dict:
    """Slots of a library rig whose bones are not those of its truth."""
    departure = rig_library.VARIATIONS[variation]
    rig = rig_library.build(scheme, pose, seed=3, variation=departure)
    heads = rig.heads if with_heads else None
    found = best_effort_map(rig.bone_names, rig.parents, heads)
    truth = rig_library.truth(scheme, departure)
    allowed = rig_library.accepted(scheme, departure)
    assert problem(found, rig.bone_names, rig.parents) is None
    assert not found.doubtful, {s: found.evidence[s] for s in found.doubtful}
    assert set(found.evidence) == set(found.bones)
    return {
        slot: (found.bones.get(slot), truth.get(slot))
        for slot in SLOTS
        if (slot in found.bones) != (slot in truth)
        or not set(found.bones.get(slot, ())) <= {*allowed.get(slot, ()), *truth.get(slot, ())}
    }


@pytest.mark.parametrize("pose", rig_library.REST_POSES)
@pytest.mark.parametrize("scheme", LIBRARY)
def test_every_slot_is_right_in_every_rest_pose(scheme, pose):
    assert wrong_slots(scheme, pose, "usual") == {}


@pytest.mark.parametrize("variation", rig_library.VARIATIONS)
@pytest.mark.parametrize("scheme", LIBRARY)
def test_every_slot_is_right_whatever_bones_a_rig_lacks_or_has_besides(scheme, variation):
    assert wrong_slots(scheme, "A", variation) == {}


@pytest.mark.parametrize("scheme", LIBRARY)
def test_names_and_parents_are_enough(scheme):
    assert wrong_slots(scheme, "A", "usual", with_heads=False) == {}


#: Only a preset knows that twist bones are the limbs there.
@pytest.mark.parametrize("scheme", [name for name in LIBRARY if name != "auto_rig_pro_twist"])
def test_without_any_preset_the_words_say_the_same(scheme, monkeypatch):
    monkeypatch.setattr(detection, "match", lambda names: None)
    rig = rig_library.build(scheme, "A", seed=3)
    found = best_effort_map(rig.bone_names, rig.parents, rig.heads)
    truth, allowed = rig_library.truth(scheme), rig_library.accepted(scheme)
    for slot in SLOTS:
        right = {*allowed.get(slot, ()), *truth.get(slot, ())}
        assert (slot in found.bones) == (slot in truth), slot
        assert set(found.bones.get(slot, ())) <= right, slot
    assert found.scheme == "by words" and found.title == ""


def hierarchy_of(scheme: Scheme) -> tuple[list[str], list[int]]:
    """A rig with exactly the preset's bones, the first name of every single joint."""
    names: list[str] = []
    parents: list[int] = []

    def add(slot: str, above: int) -> int:
        chain = scheme.bones.get(slot, ())
        for name in chain if slot in ("spine", "neck") else chain[:1]:
            names.append(name)
            parents.append(above)
            above = len(names) - 1
        return above

    pelvis = add("pelvis", -1)
    chest = add("spine", pelvis)
    add("head", add("neck", chest))
    for side in ("left", "right"):
        for start, parts in (
            (pelvis, "hip knee ankle foot"),
            (chest, "collar shoulder elbow wrist"),
        ):
            above = start
            for part in parts.split():
                above = add(f"{side}_{part}", above)
    for name in (*scheme.needs, *scheme.others):
        if name not in names:
            names.append(name)
            parents.append(-1)
    return names, parents


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_recognises_its_own_names(name):
    scheme = PRESETS[name]
    names, parents = hierarchy_of(scheme)
    found = best_effort_map(names, parents)
    assert (found.scheme, found.title) == (name, scheme.title)
    for slot in SLOTS:
        chain = scheme.bones.get(slot, ())
        expected = chain if slot in ("spine", "neck") else chain[:1]
        assert found.bones.get(slot, ()) == expected, slot
    assert all("Named as in" in found.evidence[slot].reason for slot in found.bones)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_what_files_do_to_names(name):
    names, parents = hierarchy_of(PRESETS[name])
    straight = best_effort_map(names, parents)
    index = {n: i for i, n in enumerate(names)}
    for change in (
        lambda n: n.replace(" ", "_").replace(".", "_").replace("-", "_"),
        lambda n: f"Hero:{n}",
        lambda n: f"Armature|{n}",
        str.upper,
    ):
        changed = [change(n) for n in names]
        if len(set(changed)) < len(names):
            continue  # such names would get numbers
        found = best_effort_map(changed, parents)
        expected = {s: tuple(changed[index[b]] for b in c) for s, c in straight.bones.items()}
        assert found.bones == expected, changed[0]


def test_a_control_rig_goes_before_its_own_deform_bones():
    control = {scheme.name: scheme for scheme in schemes() if scheme.is_control}
    assert {"rigify_control", "auto_rig_pro_control"} <= set(control)
    deform = PRESETS["auto_rig_pro"]
    names, parents = hierarchy_of(deform)
    both = [*names, *(n for chain in control["auto_rig_pro_control"].bones.values() for n in chain)]
    extra = len(both) - len(names)
    assert best_effort_map(names, parents).scheme == "auto_rig_pro"
    found = best_effort_map(both, [*parents, *[-1] * extra])
    assert found.scheme == "auto_rig_pro_control"
    assert found.bone("left_knee") == control["auto_rig_pro_control"].bones["left_knee"][0]


@pytest.mark.parametrize(
    ("scheme", "title"),
    [
        ("mixamo", "Mixamo"),
        ("mixamo_numbered", "Mixamo"),
        ("mpfb_mixamo", "Mixamo"),
        ("ready_player_me", "Ready Player Me or Mixamo"),
        ("unreal5", "Unreal Engine 4 and 5 mannequins"),
        ("valve", "Source engine (ValveBiped)"),
        ("rocketbox", "3ds Max Biped"),
        ("accurig", "Character Creator and ActorCore"),
        ("vroid", "VRoid (VRM)"),
        ("smplx", "SMPL-X"),
        ("genesis9", "Daz Genesis 9"),
        ("mmd", "MikuMikuDance"),
        ("words_l_r", ""),
        ("words_dot_lr", ""),
    ],
)
def test_rigs_are_called_what_people_call_them(scheme, title):
    rig = rig_library.build(scheme)
    assert best_effort_map(rig.bone_names, rig.parents, rig.heads).title == title


@pytest.mark.parametrize("piece", ["forearm", "A", "bip01_", "左"])
def test_names_of_any_length_are_read_at_once(piece):
    endless = 2000 * piece
    assert len(comparable(endless)) <= 256 and len(tokens(endless)) <= 256
    assert tokens("ns:" * 2000 + "LeftForeArm") == ("left", "fore", "arm")

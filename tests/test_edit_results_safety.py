"""Edits and what artists have: strange files, strips, shared and linked actions, damage."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.results_scripts import EDITING, PRELUDE, asker

pytestmark = pytest.mark.blender


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[..., object]:
    return asker(run_in_blender, tmp_path, PRELUDE + EDITING)


def test_whatever_file_the_artist_has_rejecting_leaves_it_as_it_was(ask_blender):
    """Random rigs with strips, slots, drivers, constraints and poses that are not keyed."""
    wrong, shown_in = ask_blender(
        """
wrong, shown_in = {}, 0
for seed in (0, 1, 2, 5, 8, 10, 12, 13, 15, 17):
    rig = artist_file.build(seed)
    rig.data.pose_position = "POSE"
    bpy.context.view_layer.update()
    before, counted = dump(users=False), dump()
    edit(rig, names=("left_arm", "spine", "root") if seed % 2 else ("left_arm",))
    told, showing = listed().message, bool(listed().playing_uid)
    shown_in += showing
    if showing == bool(told):
        wrong[f"{seed} told"] = [told]
    if showing:
        assert rig.animation_data.action.name == preview.PREVIEW_NAME
        listed().active_index = 1
        bpy.context.scene.frame_set(20, subframe=0.5)
        ops.result_reject(index=1)
    if found := differences(before, dump(users=False)):
        wrong[seed] = found[:6]
    ops.results_clear()
    bpy.context.view_layer.update()
    if found := differences(counted, dump()):
        wrong.setdefault(f"{seed} cleared", found[:6])
answer([wrong, shown_in])
"""
    )
    assert wrong == {}
    assert shown_in >= 5


def test_an_action_of_others_is_copied_and_the_artist_is_told(ask_blender):
    found = ask_blender(
        """
rig = walking_rig()
own = rig.animation_data.action
other = rig.copy()
bpy.context.scene.collection.objects.link(other)
other.animation_data_create().action = own
before = keys(other)
found = []
for play in (True, False):
    rig.animation_data.action = own
    edit(rig, play=play, count=1)
    ops.result_accept(index=len(listed().entries) - 1)
    now = rig.animation_data.action
    found.append([now.name, now != own, other.animation_data.action == own,
                  changed(before, keys(other)), "edits" in now, "edits" in own])
answer(found)
"""
    )
    assert found[0][0] == "Walk.001"
    assert all(one[1:] == [True, True, [], True, False] for one in found)


def test_a_strip_that_is_tweaked_takes_the_edit_when_it_is_accepted(ask_blender):
    found = ask_blender(
        """
rig = walking_rig()
animation, own = rig.animation_data, rig.animation_data.action
animation.action = None
track = animation.nla_tracks.new()
strip = track.strips.new("Walk", 1, own)
track.select = strip.select = True
strip.blend_type = "REPLACE"
animation.nla_tracks.active = track
animation.use_tweak_mode = True
assert animation.action == own
before = dump(users=False)
edit(rig)
told, same = listed().message, differences(before, dump(users=False))
ops.result_accept(index=0)
answer([told, same, animation.use_tweak_mode, animation.action == own, "edits" in own,
        [a.name for a in bpy.data.actions]])
"""
    )
    told, same, tweaked, own, remembered, actions = found
    assert "tweak" in told and same == []
    assert tweaked and own and remembered and actions == ["Walk"]


def test_nothing_is_lost_with_the_file_the_rig_or_the_bones(ask_blender, tmp_path):
    found = ask_blender(
        """
found = {}
# Saved while it is shown, opened again, rejected.
rig = walking_rig()
bpy.context.scene.frame_set(7)
before, own = dump(users=False), keys(rig)
edit(rig)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shown.blend"))
bpy.ops.wm.open_mainfile(filepath=str(folder / "shown.blend"))
rig = rig_of_file()
found["shown again"] = rig.animation_data.action.name
ops.result_play(index=1)
ops.result_reject()
found["after loading"] = [changed(own, keys(rig)), rig.animation_data.action.name,
                          bpy.context.scene.frame_current]
# The rig's bones are called otherwise now; then the frame rate is another.
rig.data.bones["left_elbow"].name = "Ellbogen"
ops.result_play(index=0)
found["renamed"] = listed().playing_uid != ""
ops.result_stop()
edit(rig, ("Ellbogen",), count=1)
ops.result_stop()
rig.data.bones["Ellbogen"].name = "left_elbow"
found["bone gone"] = refusal(ops.result_play, index=1)
bpy.context.scene.render.fps = 24
found["frame rate"] = refusal(ops.result_play, index=0)
bpy.context.scene.render.fps = 30
# The rig is deleted while it shows an edit: the artist's action stays in the file.
ops.result_play(index=0)
bpy.data.objects.remove(rig)
found["rig gone"] = refusal(ops.result_accept)
ops.result_stop()
found["actions"] = sorted(a.name for a in bpy.data.actions)
answer(found)
"""
    )
    assert found["shown again"] == "ScaleMoGen Preview"
    assert found["after loading"] == [[], "Walk", 7]
    assert found["renamed"], "a body part is the same part under other names"
    assert "Ellbogen" in found["bone gone"]
    assert "frame rate" in found["frame rate"]
    assert found["rig gone"]
    assert found["actions"] == ["Walk"]


def test_damaged_edits_are_refused(ask_blender):
    found = ask_blender(
        """
rig = walking_rig()
edit(rig, play=False, count=1)
item = listed().entries[0]
good = json.loads(item.edit)
before, found = dump(users=False), []
def broken(**values):
    table = json.loads(json.dumps(good))
    table.update(values)
    return json.dumps(table)
report = good["edited"]["report"]
for text in ("x", "{}", broken(at="1"), broken(names=[]), broken(names=[1]), broken(edited={}),
             broken(at=10**9), broken(edited=good["edited"] | {"report": report | {
                 "edit": report["edit"] | {"last": 10**6}}})):
    item.edit = text
    found.append(refusal(ops.result_play))
    listed().message = ""
item.edit = json.dumps(good)
item.source = "SMG1:x"
found.append(refusal(ops.result_play))
answer([found, differences(before, dump(users=False))])
"""
    )
    refused, same = found
    assert all(text and "damaged" in text for text in refused), refused
    assert same == []


def test_an_override_gets_a_copy_of_its_linked_action(ask_blender):
    found = ask_blender(
        """
rig = walking_rig()
characters = bpy.data.collections.new("Characters")
for collection in rig.users_collection:
    collection.objects.unlink(rig)
characters.objects.link(rig)
bpy.context.scene.collection.children.link(characters)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "library.blend"))
bpy.ops.wm.read_homefile(use_empty=True)
with bpy.data.libraries.load(str(folder / "library.blend"), link=True) as (_, wanted):
    wanted.collections = ["Characters"]
wanted.collections[0].override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
rig = next(o for o in bpy.data.objects if o.override_library is not None)
bpy.context.view_layer.objects.active = rig
bpy.context.scene.render.fps = 30
bpy.context.view_layer.update()
linked, before = rig.animation_data.action, dump(users=False)
own, outside = keys(rig), keys(rig, (12, 30))
edit(rig, count=1)
told, playing = listed().message, bool(listed().playing_uid)
ops.result_stop()
listed().entries.clear()
same = differences(before, dump(users=False))
edit(rig, count=1)
ops.result_accept()
now = rig.animation_data.action
outside, inside = changed(outside, keys(rig, (12, 30))), changed(own, keys(rig))
rig.animation_data.action = linked
answer([told, playing, same, now.library is None and now != linked, "edits" in now,
        changed(own, keys(rig)), linked.library is not None, outside, len(inside)])
"""
    )
    told, playing, same, copied, remembered, linked_changed, linked, outside, inside = found
    assert not told and playing and same == []
    assert copied and remembered and outside == [] and inside > 3
    assert linked and linked_changed == []

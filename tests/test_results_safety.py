"""Previews and whatever can happen to a file meanwhile: nothing of the artist's is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.results_scripts import asker

pytestmark = pytest.mark.blender


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[..., object]:
    return asker(run_in_blender, tmp_path)


def test_a_rig_that_cannot_take_it_now_loses_no_result(ask_blender):
    """In Edit Mode and on a linked rig results land, nothing changes, and the panel says why."""
    found = ask_blender(
        """
rig, scene = mannequin(), bpy.context.scene
keyed(rig)
bpy.context.view_layer.objects.active = rig
bpy.ops.object.mode_set(mode="EDIT")
before = dump(users=False)
uids = results.land(scene, rig, finished(), 10, True)
found = {"edit": [len(uids), listed().message, differences(before, dump(users=False)),
                  refusal(ops.result_play), refusal(ops.result_accept)]}
bpy.ops.object.mode_set(mode="OBJECT")
ops.result_play()
found["after"] = [listed().message, rig.animation_data.action.name]
ops.result_stop()
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "library.blend"), copy=True)
bpy.ops.wm.read_factory_settings(use_empty=True)
with bpy.data.libraries.load(str(folder / "library.blend"), link=True) as (there, here):
    here.objects = ["Mannequin"]
scene, rig = bpy.context.scene, here.objects[0]
scene.collection.objects.link(rig)
before = dump(users=False)
uids = results.land(scene, rig, finished(), 10, True)
found["linked"] = [len(uids), listed().message, differences(before, dump(users=False))]
own = rig.override_create(remap_local_usages=True)
land(rig=own)
shows = own.animation_data.action.name
ops.result_stop()
found["override"] = [shows, own.animation_data.action.name]
answer(found)
"""
    )
    landed, message, changed, *refusals = found["edit"]
    assert landed == 3 and changed == []
    for text in (message, *refusals):
        assert "Edit Mode" in text and "Leave it" in text
    assert found["after"] == ["", "ScaleMoGen Preview"]
    landed, message, changed = found["linked"]
    assert landed == 3 and "linked" in message and "override" in message and changed == []
    assert found["override"] == ["ScaleMoGen Preview", "artist's own"]


def test_rigs_renamed_deleted_and_copied_during_a_preview(ask_blender):
    found = ask_blender(
        """
found = {}
rig, scene = mannequin(), bpy.context.scene
keyed(rig)
land(rig=rig)
rig.name = "Hero"
rig.animation_data.action.name = "mine"
ops.result_stop()
found["renamed"] = [rig.animation_data.action.name, len(bpy.data.actions)]

for how in ("operator", "data"):
    rig, scene = mannequin(), bpy.context.scene
    keyed(rig)
    scene.frame_set(5)
    land(rig=rig)
    if how == "data":
        bpy.data.objects.remove(rig)
    else:
        for o in scene.objects:
            o.select_set(o == rig)
        bpy.ops.object.delete()
    stopped = step(ops.result_stop)
    played = refusal(ops.result_play)
    found["deleted " + how] = [list(stopped), [a.name for a in bpy.data.actions],
        scene.frame_current, scene.use_preview_range, bool(played)]

rig, scene = mannequin(), bpy.context.scene
keyed(rig)
land(rig=rig)
copies = []
for linked in (False, True):
    for o in scene.objects:
        o.select_set(o == rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.duplicate(linked=linked)
    copies.append(bpy.context.view_layer.objects.active)
step(ops.result_stop)
found["copied"] = [o.animation_data.action.name.split(".")[0] for o in (rig, *copies)]
found["copies left"] = [a.name for a in bpy.data.actions if "Preview" in a.name]
answer(found)
"""
    )
    assert found["renamed"] == ["artist's own", 1]
    for how in ("operator", "data"):
        stopped, actions, frame, preview_range, refused = found[f"deleted {how}"]
        assert stopped == ["FINISHED"] and frame == 5 and not preview_range and refused
        assert actions == ["artist's own"], "not even the action of a deleted rig is lost"
    assert found["copied"] == ["artist's own"] * 3
    assert found["copies left"] == []


def test_the_artist_takes_the_preview_into_their_own_hands(ask_blender):
    """Another action, none, a deleted preview, keys on it, a push down, a fake user."""
    found = ask_blender(
        """
def start():
    rig = mannequin()
    keyed(rig)
    land(rig=rig)
    return rig, rig.animation_data

found = {}
rig, animation = start()
animation.action = bpy.data.actions.new("chosen meanwhile")
ops.result_stop()
found["another"] = [animation.action.name, animation.use_nla,
                    sorted([a.name, a.use_fake_user] for a in bpy.data.actions)]
rig, animation = start()
animation.action = None
ops.result_stop()
found["none"] = [animation.action.name, sorted(a.name for a in bpy.data.actions)]
rig, animation = start()
bpy.data.actions.remove(animation.action)
ops.result_stop()
found["deleted"] = [animation.action.name, bpy.context.scene.use_preview_range]
rig, animation = start()
rig.pose.bones[5]["mood"] = 1.0
rig.pose.bones[5].keyframe_insert('["mood"]', frame=12)
ops.result_accept()
found["keyed"] = any("mood" in c.data_path for c in artist_file._curves(animation.action))
rig, animation = start()
ours = animation.action
animation.action = None
animation.nla_tracks.new().strips.new("kept", 1, ours)
ops.result_stop()
found["pushed down"] = [animation.action.name, animation.nla_tracks[0].strips[0].action is not None]
rig, animation = start()
animation.action.use_fake_user = True
ops.result_stop()
found["fake user"] = sorted(a.name for a in bpy.data.actions)
ops.result_stop() if ops.result_stop.poll() else None
found["still there"] = sorted(a.name for a in bpy.data.actions)
answer(found)
"""
    )
    name, nla, actions = found["another"]
    assert name == "chosen meanwhile" and nla
    assert actions == [["artist's own", True], ["chosen meanwhile", False]]
    assert found["none"] == ["artist's own", ["artist's own"]]
    assert found["deleted"] == ["artist's own", False]
    assert found["keyed"], "what was keyed on the preview is accepted with it"
    assert found["pushed down"] == ["artist's own", True]
    assert found["fake user"] == found["still there"] == ["ScaleMoGen Preview", "artist's own"]


def test_scenes_deleted_copied_and_sharing_a_rig(ask_blender):
    found = ask_blender(
        """
def start():
    rig = mannequin()
    action = keyed(rig)
    return rig, rig.animation_data, bpy.context.scene

found = {}
rig, animation, scene = start()
other = bpy.data.scenes.new("Other")
other.collection.objects.link(rig)
land(rig=rig)
results.land(other, rig, finished(), 30, True)  # takes the rig over
found["taken over"] = [listed(scene).playing_uid, listed(other).playing_uid != "",
                       scene.use_preview_range, animation.action.frame_range[0]]
results.stop(other)
found["given back"] = [animation.action.name, other.use_preview_range]

for kind in ("LINK_COPY", "FULL_COPY"):
    rig, animation, scene = start()
    land(rig=rig)
    bpy.ops.scene.new(type=kind)
    copy = next(s for s in bpy.data.scenes if s != scene)
    results.stop(copy)
    first = [copy.use_preview_range, bool(listed(copy).scene_snapshot)]
    results.stop(scene)
    ops.result_stop() if ops.result_stop.poll() else None
    rigs = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    found[kind] = [first, [scene.use_preview_range, bool(listed(scene).scene_snapshot)],
        sorted({o.animation_data.action.name.split(".")[0] for o in rigs}),
        [a.name for a in bpy.data.actions if "Preview" in a.name]]

rig, animation, scene = start()
other = bpy.data.scenes.new("Other")
other.collection.objects.link(rig)
results.land(other, rig, finished(), 30, True)
bpy.data.scenes.remove(other)
orphan = animation.action.name
found["deleted"] = [orphan, ops.result_stop.poll()]
step(ops.result_stop)
found["deleted"] += [animation.action.name, sorted(a.name for a in bpy.data.actions)]

rig, animation, scene = start()
other = bpy.data.scenes.new("Other")
other.collection.objects.link(rig)
results.land(other, rig, finished(), 30, True)
bpy.data.scenes.remove(other)
land(rig=rig)  # another preview on a rig that was left in one
ops.result_stop()
found["played again"] = [animation.action.name, sorted(a.name for a in bpy.data.actions)]
answer(found)
"""
    )
    assert found["taken over"] == ["", True, False, 30.0]
    assert found["given back"] == ["artist's own", False]
    for kind in ("LINK_COPY", "FULL_COPY"):
        assert found[kind] == [[False, False], [False, False], ["artist's own"], []], kind
    assert found["deleted"] == ["ScaleMoGen Preview", True, "artist's own", ["artist's own"]]
    assert found["played again"] == ["artist's own", ["artist's own"]]


def test_a_preview_goes_on_in_a_saved_file_and_can_be_stopped_there(ask_blender):
    wrong = ask_blender(
        """
wrong = {}
for seed in range(10):
    rig = artist_file.build(seed)
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "before.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(folder / "before.blend"))
    before = dump()  # saving drops what nobody uses, and opening evaluates
    land(rig=rig_of_file())
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "preview.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(folder / "preview.blend"))
    listed().active_index = 1
    assert rig_of_file().animation_data.action.name == preview.PREVIEW_NAME
    ops.result_stop()
    ops.results_clear()
    found = differences(before, dump())
    if found:
        wrong[seed] = found[:5]
answer(wrong)
"""
    )
    assert wrong == {}


def test_disabling_the_add_on_ends_the_preview(ask_blender):
    wrong = ask_blender(
        """
wrong = {}
for seed in range(6):
    rig = artist_file.build(seed)
    before = dump(users=False)
    land(rig=rig)
    scalemogen_blender.unregister()
    if found := differences(before, dump(users=False)):
        wrong[seed] = found[:5]
    left = [h for name in ("undo_pre", "undo_post", "redo_pre", "redo_post")
            for h in getattr(bpy.app.handlers, name) if "scalemogen" in h.__module__]
    if left or hasattr(bpy.types.Action, "scalemogen_snapshot"):
        wrong[f"{seed} traces"] = str(left)
    scalemogen_blender.register()
answer(wrong)
"""
    )
    assert wrong == {}


def test_a_result_that_cannot_be_read_is_one_line_and_changes_nothing(ask_blender):
    message, changed, still = ask_blender(
        """
rig, scene = mannequin(), bpy.context.scene
keyed(rig)
land(rig=rig)
shows = rig.animation_data.action.name
listed().entries[1].motion = listed().entries[1].motion[:50]
before = state()
message = refusal(ops.result_play, index=1)
refusal(ops.result_accept, index=1)
refusal(ops.results_accept_all)
changed = differences(before, state())
ops.result_reject(index=1)
answer([message, changed, [listed().playing_uid != "", len(listed().entries)]])
"""
    )
    assert "damaged" in message and "generate it again" in message
    assert changed == []
    assert still == [True, 2], "taking another result out of the list does not end the preview"


def test_a_preview_that_fails_half_way_leaves_nothing_behind(ask_blender):
    wrong = ask_blender(
        """
from scalemogen_blender.results import scene_snapshot
wrong = {}
plain = scene_snapshot.set_preview_bounds
def failing(*_):
    scene_snapshot.set_preview_bounds = plain  # once
    raise ValueError("in the middle")
for seed in range(8):
    rig = artist_file.build(seed)
    before = dump(users=False)
    scene_snapshot.set_preview_bounds = failing
    try:
        land(rig=rig)
    except ValueError:
        pass
    if found := differences(before, dump(users=False)):
        wrong[seed] = found[:5]
answer(wrong)
"""
    )
    assert wrong == {}


def test_the_evaluation_that_follows_the_end_of_playback_spares_unkeyed_poses(ask_blender):
    """In a window Blender evaluates the frame again after the timeline was stopped."""
    found = ask_blender(
        """
from scalemogen_blender.results import playback, settling
playback.start, playback.stop = lambda scene: True, lambda: True
rig, scene = mannequin(), bpy.context.scene
keyed(rig)
pose = rig.pose.bones[2]
pose.rotation_quaternion = (0.5, 0.5, 0.5, 0.5)
bpy.context.view_layer.update()
land(rig=rig)
ops.result_stop()
scene.frame_set(scene.frame_current)
first = list(pose.rotation_quaternion)
scene.frame_set(scene.frame_current)  # later, by the artist
answer([first, list(pose.rotation_quaternion), len(settling._states),
        settling._put_back in bpy.app.handlers.frame_change_post])
"""
    )
    first, later, waiting, handler = found
    assert first == [0.5] * 4
    assert later != first, "what is not keyed goes with the next change of frame, as always"
    assert waiting == 0 and not handler


@pytest.mark.parametrize("when", ["shown", "accepted"])
def test_results_do_not_keep_a_deleted_rig_in_the_file(ask_blender, when):
    found = ask_blender(
        f"""
rig = mannequin()
keyed(rig)
land(rig=rig)
if {when == "accepted"}:
    ops.result_accept()
for collection in list(rig.users_collection):
    collection.objects.unlink(rig)
path = str(folder / "deleted.blend")
bpy.ops.wm.save_as_mainfile(filepath=path)
kept = [item.rig is None for item in listed().entries]
bpy.ops.wm.open_mainfile(filepath=path)
answer([kept, "Mannequin" in bpy.data.objects, len(listed().entries),
        listed().playing_uid, sorted(a.name for a in bpy.data.actions)])
"""
    )
    kept, there, count, playing, actions = found
    assert kept == [True] * count and count == 3
    assert not there and playing == ""
    assert "ScaleMoGen Preview" not in actions

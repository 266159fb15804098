"""Results inside Blender: played, stopped, accepted, rejected, whatever the artist does."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.results_scripts import asker

pytestmark = pytest.mark.blender


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[..., object]:
    return asker(run_in_blender, tmp_path)


def test_stop_brings_back_whatever_file_the_artist_has(ask_blender):
    """Random rigs, scenes and selections; results are played, changed and stopped."""
    count = int(os.environ.get("SCALEMOGEN_ARTIST_FILES", "25"))
    found = ask_blender(
        """
wrong = {}
for seed in range(int(sys.argv[3])):
    rig = artist_file.build(seed)
    rng = random.Random(seed)
    before, counted = dump(users=False), dump()
    land(rig=rig)
    assert rig.animation_data.action.name == preview.PREVIEW_NAME
    for _ in range(rng.randint(0, 3)):
        listed().active_index = rng.randint(0, 2)
        bpy.context.scene.frame_set(rng.randint(0, 40), subframe=0.5)
    if rng.random() < 0.5:
        ops.result_stop()
    else:
        ops.result_reject(index=next(i for i, item in enumerate(listed().entries)
                                     if item.uid == listed().playing_uid))
    if found := differences(before, dump(users=False)):
        wrong[seed] = found[:6]
    ops.results_clear()
    bpy.context.view_layer.update()
    if found := differences(counted, dump()):
        wrong.setdefault(seed, found[:6])
answer(wrong)
""",
        count,
    )
    assert found == {}


def test_a_preview_shows_the_motion_however_the_rig_is_set_up(ask_blender):
    """NLA with solo, tweak mode, blending at 30 %, rest position: the motion is seen as it is."""
    worst, checked = ask_blender(
        """
worst, checked = 0.0, []
for seed in range(16):
    rig = artist_file.build(seed)
    bones = rig.animation_data.drivers if rig.animation_data else ()
    if len(bones) or any(bone.constraints for bone in rig.pose.bones):
        continue  # these do what the artist wants of them
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 30, 1.0
    place = rig.matrix_world.copy()
    land(rig=rig, start=3)
    seen = shown(range(3, 27)) - np.array(place.translation)
    plain = mannequin()
    pipeline.retarget_onto(plain, walking(24))
    worst = max(worst, float(abs(seen - shown(range(1, 25))).max()))
    checked.append(seed)
answer([worst, len(checked)])
"""
    )
    assert checked >= 5
    assert worst < 1e-4, "metres"


def test_the_motion_keeps_the_time_of_the_scene(ask_blender):
    found = ask_blender(
        """
rig, scene = mannequin(), bpy.context.scene
scene.render.fps, scene.render.fps_base = 24, 1.001
scene.frame_start, scene.frame_end = 1, 250
land(rig=rig, start=-7, frames=91)  # three seconds and one frame at 30
action = rig.animation_data.action
answer({"range": list(action.frame_range), "preview": [scene.use_preview_range,
    scene.frame_preview_start, scene.frame_preview_end], "frame": scene.frame_current,
    "scene": [scene.frame_start, scene.frame_end, scene.render.fps, scene.render.fps_base]})
"""
    )
    last = -7 + int(3 * 24 / 1.001)
    assert found["range"] == [-7, last]
    assert found["preview"] == [True, -7, last]
    assert found["frame"] == -7
    assert found["scene"] == [1, 250, 24, pytest.approx(1.001)]


def test_one_undo_step_each_and_redo_comes_back(ask_blender):
    """Every button: undo gives the state before it, redo the state after it, exactly."""
    wrong = ask_blender(
        """
def steps(rig):
    yield "land", lambda: (land(rig=rig), bpy.ops.ed.undo_push(message="Generate"))
    yield "play", lambda: step(ops.result_play, index=1)
    yield "play again", lambda: step(ops.result_play, index=2)
    yield "stop", lambda: step(ops.result_stop)
    yield "play then accept", lambda: step(ops.result_play, index=0)
    yield "accept", lambda: step(ops.result_accept)
    yield "play 1", lambda: step(ops.result_play, index=1)
    yield "reject", lambda: step(ops.result_reject)
    yield "play 2", lambda: step(ops.result_play, index=1)
    yield "accept all", lambda: step(ops.results_accept_all)
    yield "play 3", lambda: step(ops.result_play, index=0)
    yield "accept in NLA", lambda: step(ops.result_accept, mode="NLA")
    yield "clear", lambda: step(ops.results_clear)

wrong = {}
for seed in (None, 1, 4, 8, 15):
    rig = mannequin() if seed is None else artist_file.build(seed)
    if rig.mode != "OBJECT" or bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.ed.undo_push(message="Start")
    states, names = [state()], []
    for name, do in steps(rig):
        do()
        states.append(state())
        names.append(name)
        rig = rig_of_file()
    wrong |= artist_file.undone_and_redone(states, names, state, seed)
answer(wrong)
"""
    )
    assert wrong == {}


def test_going_on_after_an_undo_stops_exactly(ask_blender):
    """Undo to the middle of a preview, then stop: everything is as before the first one."""
    wrong = ask_blender(
        """
wrong = {}
for seed in range(6):
    rig = artist_file.build(seed)
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    before = dump()
    bpy.ops.ed.undo_push(message="Start")
    land(rig=rig)
    bpy.ops.ed.undo_push(message="Generate")
    step(ops.result_play, index=2)
    step(ops.result_accept)
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    assert listed().playing_uid == listed().entries[0].uid
    ops.result_stop()
    ops.results_clear()
    if found := differences(before, dump()):
        wrong[seed] = found[:4]
answer(wrong)
"""
    )
    assert wrong == {}


def test_accept_gives_the_rig_an_action_that_remembers_how_it_was_made(ask_blender):
    found = ask_blender(
        """
rig, scene = mannequin(), bpy.context.scene
earlier = keyed(rig)
scene.frame_set(12)
seen = []
land(rig=rig)
seen.append(shown(range(10, 34)).tolist())
scene.frame_set(15)
ops.result_accept()
action = rig.animation_data.action
frame = scene.frame_current
seen.append(shown(range(10, 34)).tolist())
answer({
    "name": action.name, "own": {k: action[k] for k in action.keys()},
    "actions": sorted(a.name for a in bpy.data.actions), "kept": earlier.use_fake_user,
    "slot": getattr(rig.animation_data, "action_slot", "none here") is not None,
    "preview": [scene.use_preview_range, frame, listed().playing_uid],
    "accepted": [item.is_accepted for item in listed().entries],
    "moved": float(abs(np.array(seen[0]) - np.array(seen[1])).max()),
    "tracks": len(rig.animation_data.nla_tracks), "users": action.users,
})
"""
    )
    assert found["name"] == "a person walks"
    assert found["own"] == {
        "prompt": "a person walks",
        "seed": 7,
        "seconds": 0.8,
        "guidance": 3.0,
        "temperature": 1.0,
        "cleanup": True,
        "model": "open",
        "device": "cpu",
        "engine_version": "1.0",
        "root_motion": "HIPS",
        "feet": "AUTOMATIC",
        "controls": "FK",
        "arm_spread": 0.0,
        "leg_spread": 0.0,
        "keep_hand_contacts": True,
        "reference": "REST",
    }
    assert found["actions"] == ["a person walks", "artist's own"]
    assert found["kept"], "nobody else uses it, and saving would lose it"
    assert found["slot"] and found["tracks"] == 0
    assert found["preview"] == [False, 12, ""]
    assert found["accepted"] == [True, False, False]
    assert found["moved"] == 0.0, "what was seen is what was accepted"
    assert found["users"] == 2, "the rig and the list"


def test_accept_shows_the_motion_also_over_solo_tweaked_and_resting_rigs(ask_blender):
    worst, checked = ask_blender(
        """
worst, checked = {}, 0
for seed in range(24):
    for mode in ("ACTION", "NLA"):
        rig = artist_file.build(seed)
        if rig.animation_data and len(rig.animation_data.drivers):
            continue
        bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 30, 1.0
        land(rig=rig, start=3)
        seen = shown(range(3, 27))
        place = np.array(rig.matrix_world.translation)
        ops.result_accept(mode=mode)
        after = shown(range(3, 27))
        # The object may be moved by the artist's own strips; the body within it is the result's.
        body = abs((seen - seen[:, :1]) - (after - after[:, :1])).max()
        if body > 1e-4:
            worst[f"{seed} {mode}"] = float(body)
        checked += 1
answer([worst, checked])
"""
    )
    assert checked > 30
    assert worst == {}


def test_a_long_or_strange_prompt_is_a_good_name(ask_blender):
    names = ask_blender(
        """
rig = mannequin()
names = []
for prompt in ("", "  two\\n\\nwords ", "走" * 40, "a" * 200):
    ops.results_clear() if len(listed().entries) else None
    land(rig=rig, count=1, prompt=prompt)
    ops.result_accept()
    names.append(rig.animation_data.action.name)
answer(names)
"""
    )
    assert names[:2] == ["ScaleMoGen", "two words"]
    assert names[2] == "走" * 19 + "…"
    assert names[3] == "a" * 57 + "…"


@pytest.mark.parametrize("with_tracks", [False, True])
def test_accepting_into_the_nla_pushes_the_earlier_action_down(ask_blender, with_tracks):
    """As Blender's own Push Down: nothing of it is lost and it looks the same; ours goes on top."""
    found = ask_blender(
        """
rig, scene = mannequin(), bpy.context.scene
if sys.argv[3] == "True":
    animation = rig.animation_data_create()
    lowest = keyed(rig, "lowest")
    animation.action = None
    animation.nla_tracks.new().strips.new("lowest", 1, lowest)
earlier = keyed(rig)
rig.pose.bones[2].rotation_quaternion = (1.0, 0.0, 0.5, 0.0)
rig.pose.bones[2].keyframe_insert("rotation_quaternion", frame=10.5)
animation = rig.animation_data
animation.action_blend_type, animation.action_influence = "COMBINE", 0.5
animation.action_extrapolation = "HOLD_FORWARD"
before = shown(range(1, 45, 3))
land(rig=rig, start=50)
ops.result_accept(mode="NLA")
answer({
    "action": animation.action is None,
    "tracks": [[t.name, t.mute, [[s.action.name, s.frame_start, s.frame_end, s.blend_type,
        s.extrapolation, s.use_animated_influence and s.influence] for s in t.strips]]
        for t in animation.nla_tracks][-2:],
    "same": float(abs(shown(range(1, 45, 3)) - before).max()),
    "slots": [getattr(s, "action_slot", 1) is not None for t in animation.nla_tracks
              for s in t.strips],
    "users": [earlier.users, earlier.use_fake_user],
})
""",
        with_tracks,
    )
    assert found["action"]
    blending = ["COMBINE", "HOLD_FORWARD", 0.5] if with_tracks else ["REPLACE", "HOLD", False]
    assert found["tracks"] == [
        ["artist's own", False, [["artist's own", 1.0, 40.0, *blending]]],
        ["a person walks", False, [["a person walks", 50.0, 73.0, "REPLACE", "NOTHING", False]]],
    ]
    assert found["same"] < 1e-5, "outside the result the rig moves as before"
    assert all(found["slots"])
    assert found["users"] == [1, False]


def test_accept_all_makes_a_track_for_every_result(ask_blender):
    found = ask_blender(
        """
rig, scene = mannequin(), bpy.context.scene
keyed(rig)
land(rig=rig, start=10)
ops.result_accept(index=1)  # an action of the rig already
ops.result_play(index=2)
ops.results_accept_all()
animation = rig.animation_data
first = [[t.name, t.mute, [s.frame_start for s in t.strips]] for t in animation.nla_tracks]
ops.results_accept_all()
again = len(animation.nla_tracks)
answer([first, again, animation.action is None, scene.use_preview_range,
        [item.is_accepted for item in listed().entries], sorted(a.name for a in bpy.data.actions)])
"""
    )
    tracks, again, no_action, preview_range, accepted, actions = found
    assert [track[1:] for track in tracks] == [[True, [10.0]], [True, [10.0]], [False, [10.0]]]
    assert again == 3, "pressing twice adds nothing"
    assert no_action and not preview_range and accepted == [True] * 3
    assert "artist's own" in actions and len(actions) == 4


def test_the_scene_range_is_fitted_only_if_asked(ask_blender):
    found = ask_blender(
        """
rig, scene = mannequin(), bpy.context.scene
scene.render.fps = 30
scene.frame_start, scene.frame_end = 1, 250
ranges = []
for fit, start in ((False, 300), (True, 300), (True, 5)):
    listed().fit_scene_range = fit
    land(rig=rig, start=start, count=1)
    ops.result_accept(index=len(listed().entries) - 1)
    ranges.append([scene.frame_start, scene.frame_end])
answer(ranges)
"""
    )
    assert found == [[1, 250], [300, 323], [5, 28]]

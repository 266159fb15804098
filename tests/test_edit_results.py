"""Edits inside Blender: shown on a copy, rejected, accepted into the artist's own action."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.results_scripts import EDITING, PRELUDE, asker

pytestmark = pytest.mark.blender


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[..., object]:
    return asker(run_in_blender, tmp_path, PRELUDE + EDITING)


def test_every_step_is_one_undo_step_and_comes_back(ask_blender):
    wrong = ask_blender(
        """
def steps():
    rig = rig_of_file
    yield "edit", lambda: (edit(rig(), last=20), bpy.ops.ed.undo_push(message="Edit"))
    yield "other variation", lambda: step(ops.result_play, index=1)
    yield "accept", lambda: step(ops.result_accept)
    yield "edit again", lambda: (edit(rig(), ("head",), 16, 24, 1),
                                 bpy.ops.ed.undo_push(message="Edit"))
    yield "stop", lambda: step(ops.result_stop)
    yield "accept hidden", lambda: step(ops.result_accept, index=2)
    yield "in place", lambda: step(ops.in_place)
    yield "reject", lambda: step(ops.result_reject)
    yield "clear", lambda: step(ops.results_clear)

rig = mannequin()
keyed(rig)
bpy.context.view_layer.objects.active = rig
bpy.ops.object.mode_set(mode="POSE")
bpy.ops.ed.undo_push(message="Start")
states, names = [state()], []
for name, do in steps():
    do()
    assert not listed().message, (name, listed().message)
    states.append(state())
    names.append(name)
wrong = artist_file.undone_and_redone(states, names, state, 0)
answer(wrong)
"""
    )
    assert wrong == {}


def test_accepted_edits_are_what_was_shown_in_the_artists_own_action(ask_blender):
    found = ask_blender(
        """
rig, scene = walking_rig(), bpy.context.scene
own, uid = rig.animation_data.action, rig.animation_data.action.session_uid
before, still = keys(rig), shown(range(1, 61))
edit(rig)
seen = shown(range(1, 61))
preview_range = [scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end]
step(ops.result_accept)
after = keys(rig)
outside = {n: k for n, k in keys(rig, (12, 30)).items()}
rig.animation_data.action = own
first = {
    "same block": own.session_uid == uid and own.name == "Walk",
    "as shown": float(abs(shown(range(1, 61)) - seen).max()),
    "moves": float(abs(seen - still)[12:29].max()),
    "outside": float(max(abs(seen - still)[:11].max(), abs(seen - still)[30:].max())),
    "curves": sorted({name.split('"')[1] for name in changed(before, after)}),
    "range": preview_range, "actions": [a.name for a in bpy.data.actions],
    "remembered": json.loads(own["edits"]),
    "again": refusal(ops.result_accept), "played": refusal(ops.result_play),
}
# A second edit on top, of other bones, and then the other variation in place of the first.
edit(rig, ("head",), 20, 40, 1)
on_top = shown(range(1, 61))
step(ops.result_accept)
first["second"] = float(abs(on_top - shown(range(1, 61))).max())
first["both"] = [e["parts"] for e in json.loads(own["edits"])]
head = rig.data.bones.find("head")
with_head = shown(range(1, 61))
ops.result_play(index=1)
ops.result_accept()
arm = [rig.data.bones.find(f"left_{n}") for n in ("shoulder", "elbow", "wrist")]
first["other variation"] = float(abs(shown(range(1, 61)) - with_head)[12:29][:, arm].max())
first["other bones"] = float(np.delete(abs(shown(range(1, 61)) - with_head), arm, 1).max())
answer(first)
"""
    )
    assert found["same block"] and found["actions"] == ["Walk"]
    assert found["as shown"] == 0.0 and found["outside"] == 0.0
    assert found["moves"] > 0.02, "metres"
    assert found["curves"] == ["left_collar", "left_elbow", "left_shoulder", "left_wrist"]
    assert found["range"] == [True, 1, 60], "a second around the range"
    assert found["remembered"] == [
        {
            "operation": "EDIT",
            "prompt": "waves",
            "seed": "7",
            "first": 12,
            "last": 30,
            "parts": ["left_arm"],
            "keep": 0.0,
            "guidance": 3.0,
            "temperature": 1.0,
            "model": "open",
        }
    ]
    assert "already" in found["again"] and "already" in found["played"]
    assert found["second"] == 0.0 and found["both"] == [["left_arm"], ["head"]]
    assert 1e-3 < found["other variation"] < 0.1, "it replaces the first, it is not added to it"
    assert found["other bones"] < 1e-6


def test_another_variation_takes_the_place_of_the_one_that_is_accepted(ask_blender):
    """Also where both carry the path on: from where the second one ends, not from both."""
    during, after = ask_blender(
        """
from dataclasses import replace
from core.editing import Offset
from core.editing.alignment import turned_and_moved

def variations(rig):
    scene = bpy.context.scene
    wanted = order.Order("EDIT", ("root", "left_arm"), 12, 30, prompt="turns", later="OFFSET")
    prepared = order.prepare(wanted, scene, rig)
    request = EditRequest(prepared.source, prepared.edit, (1, 2))
    made = []
    for seed in request.seeds:
        edited = session_fakes.edited(request, seed)
        offset = Offset(0.4 * seed, np.array([0.1, 0.0, 0.3 * seed]))
        later = turned_and_moved(edited.motion.at_frames(slice(prepared.edit.last + 1, None)),
                                 offset.turn, offset.shift)
        start = prepared.edit.last + 1
        edited.motion.rotations[start:] = later.rotations
        edited.motion.root_positions[start:] = later.root_positions
        made.append(replace(edited, offset=offset))
    done = Finished(1, tuple(e.motion for e in made), request.seeds, {}, edited=tuple(made))
    return results.land_edits(scene, rig, done, prepared.made(), False)

paths = []
for both in (False, True):
    bpy.ops.wm.read_homefile(use_empty=True)
    rig = walking_rig()
    variations(rig)
    if both:
        step(ops.result_accept, index=0)
    ops.result_play(index=1)
    step(ops.result_accept)
    paths.append(shown(range(1, 61)))
apart = abs(paths[0] - paths[1])
answer([float(apart[:30].max()), float(apart[30:].max())])
"""
    )
    assert during < 2e-3 and after < 2e-3, "metres"


def test_what_the_artist_keys_on_what_is_shown_is_kept(ask_blender):
    kept, gone, added = ask_blender(
        """
rig = walking_rig()
before = keys(rig)
edit(rig)
bone = rig.pose.bones["right_wrist"]
bone.rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
bone.keyframe_insert("rotation_quaternion", frame=25.5)
bone.scale = (1.5, 1.0, 1.0)
bone.keyframe_insert("scale", frame=20)
curves = compat.active_curves(rig)
compat.remove_curve(rig, next(c for c in curves if "right_foot" in c.data_path))
mine = keys(rig)
step(ops.result_accept)
answer([changed(mine, keys(rig)), sorted(before.keys() - keys(rig).keys()),
        [n for n in keys(rig) if n.endswith("scale[0]")]])
"""
    )
    assert kept == [] and len(gone) == 1 and "right_foot" in gone[0]
    assert added == ['pose.bones["right_wrist"].scale[0]']


def test_a_rig_without_an_action_gets_one_and_goes_back_to_rest_after_the_range(ask_blender):
    found = ask_blender(
        """
rig = mannequin()
rest = shown([1, 11, 31, 60])
edit(rig)
action = rig.animation_data.action
during = shown([20])
ops.result_stop()
gone = rig.animation_data is None or rig.animation_data.action is None
ops.result_play(index=0)
ops.result_accept()
answer([gone, rig.animation_data.action.name, [a.name for a in bpy.data.actions],
        float(abs(shown([1, 11, 31, 60]) - rest).max()), float(abs(shown([20]) - during).max()),
        float(abs(during - rest[:1]).max())])
"""
    )
    gone, name, actions, outside, inside, moved = found
    assert gone and name == "waves" and actions == ["waves"]
    assert outside < 1e-6 and inside == 0.0 and moved > 0.005


def test_what_ends_with_the_motion_is_held_after_it(ask_blender):
    """Nothing jumps back to the old end where the timeline goes on beyond the motion."""
    found = ask_blender(
        """
rig = walking_rig()
edit(rig, tuple(order.skeletons.BODY_PARTS), 61, 90, 1, operation="EXTEND", later="OFFSET")
ops.result_accept()
extended = list(rig.animation_data.action.frame_range)
poses = shown([90, 91, 120])
edit(rig, ("left_arm",), 70, 90, 1)
ops.result_accept()
after = shown([90, 91, 120])
answer([extended, list(rig.animation_data.action.frame_range),
        float(abs(poses - poses[:1]).max()), float(abs(after - after[:1]).max()),
        float(abs(after - poses).max())])
"""
    )
    extended, edited, held, held_again, moved = found
    assert extended == [1, 90] and edited == [1, 90]
    assert held == 0.0 and held_again == 0.0 and moved > 0.02

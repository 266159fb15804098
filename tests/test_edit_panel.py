"""The Edit panel: from its settings to a request, and what it says beforehand."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from core.editing import Edit
from core.skeleton import canonical
from scalemogen_blender.edit.plan import plan
from scalemogen_blender.edit.span import Span

TESTS = Path(__file__).parent
ALL = canonical().joint_names
ARM = ("left_shoulder", "left_elbow")


def planned(first: int, last: int, extent: Span | None, joints=ARM, fps=30.0, **options):
    edit = Edit(joints, 0, last - first, loop=options.pop("loop", False))
    return plan(edit, first, extent, fps, 320 / 30, **options)


# Which frames the model sees.


def test_the_model_sees_two_seconds_on_either_side_as_far_as_there_is_motion():
    found = planned(140, 169, Span(1, 400))
    assert (found.first, found.last) == (80, 229)
    assert found.first + found.edit.first == 140 and found.edit.frame_count == 30
    found = planned(10, 39, Span(-5, 50))
    assert (found.first, found.last) == (-5, 50)
    first, last = found.regenerated
    assert abs(first - 10) <= 2 and abs(last - 39) <= 2, "cells lie on the range"


def test_beyond_the_end_the_body_goes_on_and_a_limb_moves_on_what_stands_there():
    body = planned(101, 160, Span(1, 100), ALL, extends=True)
    assert body.last == 100 and body.first + body.edit.first == 101 and body.end == 160
    limb = planned(90, 160, Span(1, 100))
    assert limb.last == 160 and limb.end == 160
    late = planned(131, 160, Span(1, 100), ALL, extends=True)
    assert late.last == 130, "until then it stands"


def test_a_rig_that_nothing_moves_stands_before_and_after():
    found = planned(-3, 20, None)
    assert found.first < -3 and found.last > 20


def test_a_loop_shows_the_model_the_whole_motion():
    loop = planned(600, 623, Span(1, 623), ALL, loop=True)
    assert (loop.first, loop.last) == (1, 623)


# In Blender.


@pytest.fixture
def in_panel(run_in_blender: Callable[..., str]) -> Callable[[str], str]:
    start = """
import json, sys
sys.path.insert(0, sys.argv[2])
import bpy
from panel_fakes import draw, find, texts
from session_fakes import Bench
from scalemogen_blender import bake, compat, mannequin, runtime, session
from scalemogen_blender import rig as rigs
from scalemogen_blender.edit import affected, ops as edit_ops, panel, span, timeline, viewport
from scalemogen_blender.results import preview
from tests.synthetic import walking

bpy.ops.wm.read_factory_settings(use_empty=True)
ops = bpy.ops.scalemogen
scene = bpy.context.scene
scene.render.fps = 30

def walker(frames=120):
    rig = mannequin.build()
    bpy.context.view_layer.objects.active = rig
    bpy.context.view_layer.update()
    bake.bake(rig, rigs.retargeter(rig).transfer(walking(frames), rigs.options(rig)), "Walk")
    return rig

def shown(panel_class=panel.SCALEMOGEN_PT_edit):
    return draw(panel_class, bpy.context)

def why_grey(operator=edit_ops.SCALEMOGEN_OT_edit, from_panel=True):
    # What the button's tooltip would say.
    told = []
    class Context:
        def __getattr__(self, name):
            if name == edit_ops.BUTTON:
                return scene.scalemogen.edit if from_panel else None
            return getattr(bpy.context, name)
    poll = operator.poll.__func__
    class Fake(operator):
        poll_message_set = staticmethod(lambda text, *more: told.append(text))
    return "" if poll(Fake, Context()) else told[-1]

def refused(operator, **options):
    try:
        operator(**options)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("it was taken")
"""

    def run(body: str) -> str:
        return run_in_blender(start + textwrap.dedent(body), TESTS)

    return run


@pytest.mark.blender
def test_the_panel_says_what_will_change_and_why_it_cannot(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    assert shown() == [], "no rig"
    rig = walker()
    settings = scene.scalemogen.edit
    assert "Pose Mode" in texts(shown()) and len(texts(shown())) == 2
    assert shown(panel.SCALEMOGEN_PT_edit_more) == []
    bpy.ops.object.mode_set(mode="POSE")

    # Range and bones.
    compat.select_bones(rig, [])
    assert "There is no preview range" in " ".join(texts(shown()))
    assert "Select the bones" in " ".join(texts(shown()))
    assert "Type what should happen" in why_grey() and "has no words" in (
        setattr(settings, "prompt", "?") or why_grey())
    settings.prompt = "waves"
    assert "Select the bones" in why_grey()
    compat.select_bones(rig, ["left_shoulder", "left_elbow", "head"])
    assert "preview range" in why_grey()
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 40, 75
    assert why_grey() == ""
    told = texts(shown())
    assert "40 to 75, 1.20 s" in told
    assert "Left Arm: 2 bones" in told and "Head: 1 bone" in told
    assert any(text.startswith("Regenerates ") for text in told)
    assert not any("Legs follow" in text for text in told)
    settings.range = "KEYS"
    assert "1 to 120, 4.00 s" in texts(shown()), "all new keys are selected"
    for curve in compat.active_curves(rig):
        if "left_elbow" in curve.data_path or "right_foot" in curve.data_path:
            wanted = (50, 60) if "left_elbow" in curve.data_path else (5, 110)
            for key in curve.keyframe_points:
                key.select_control_point = key.co[0] in wanted
        else:
            for key in curve.keyframe_points:
                key.select_control_point = False
    assert "50 to 60, 0.37 s" in texts(shown()), "of the selected bones only"
    compat.select_bones(rig, ["right_knee"])
    assert "No keys" in why_grey()
    compat.select_bones(rig, ["left_shoulder", "left_elbow", "head"])
    settings.range, settings.first, settings.last = "CUSTOM", 10, 30
    assert "10 to 30, 0.70 s" in texts(shown())
    settings.first = 50
    assert settings.last == 50, "the end goes with the start"
    scene.frame_set(70)
    ops.edit_range_end(end="LAST")
    assert (settings.first, settings.last) == (50, 70)
    ops.edit_range(source="AROUND")
    assert (settings.first, settings.last) == (55, 85)
    for frame, wanted in ((3, (1, 31)), (120, (90, 120)), (200, (185, 215))):
        scene.frame_set(frame)
        ops.edit_range(source="AROUND")
        assert (settings.first, settings.last) == wanted, "a second of the motion, where it is"
    ops.edit_range(source="KEYS")
    assert (settings.first, settings.last) == (50, 60)
    ops.edit_range(source="PREVIEW")
    assert (settings.first, settings.last) == (40, 75)

    # The hips move the character.
    advanced = panel.SCALEMOGEN_PT_edit_advanced
    compat.select_bones(rig, ["pelvis", "spine1", "spine2"])
    told = texts(shown())
    assert "Root: 1 bone" in told and "Spine: 2 bones" in told
    assert "Legs follow, so that feet stay" in told
    settings.keep_feet = False
    assert not any("Legs follow" in text for text in texts(shown()))
    compat.select_bones(rig, ["left_knee", "right_knee"])
    assert "they keep their way" in " ".join(texts(shown()))
    compat.select_bones(rig, ["pelvis", "spine1", "left_knee", "right_knee"])
    assert not any("Select the" in text for text in texts(shown()))
    settings.words_only = True
    assert {"later", "keep_feet", "source_prompt", "guidance"} <= {d.name for d in shown(advanced)}
    compat.select_bones(rig, list(rig.data.bones.keys()))
    assert [t for t in texts(shown()) if t.endswith(("bones", "bone"))] == ["Whole Body: 22 bones"]

    # What is drawn over the viewport and the Dope Sheet.
    compat.select_bones(rig, ["left_elbow", "pelvis"])
    settings.keep_feet = True
    now = affected.affected(scene, rig, settings)
    changing, beside, following = viewport.groups(rig, now)
    assert set(changing) == {"left_elbow", "pelvis"}
    assert set(beside) == {"left_collar", "left_shoulder", "left_wrist"}
    assert "right_knee" in following and len(following) == 8
    assert viewport.ends(rig, changing).shape == (4, 3)
    bands = timeline.bands(now, 4, 0.0, 1.0)
    assert [band[0] for band in bands] == [39.5, 43.5, 71.5] and bands[-1][2] == 75.5
    assert bands[0][4][3] < bands[1][4][3], "borders are lighter"
    assert len(timeline.bands(now, 0, 0.0, 1.0)) == 1
    assert timeline.bars(now, 0.0, 1.0)[0][0] == now.regenerated[0] - 0.5

    # Other reasons.
    runtime.problem = lambda: "The engine is not installed. Install it in the preferences."
    assert "not installed" in why_grey()
    assert why_grey(edit_ops.SCALEMOGEN_OT_in_place) == "", "it needs no engine"
    runtime.problem = lambda: None
    settings.loop_frames = 80
    assert "too short for a loop" in why_grey(edit_ops.SCALEMOGEN_OT_make_loop)
    rig.animation_data_clear()
    assert "no animation" in why_grey(edit_ops.SCALEMOGEN_OT_extend)
    """)


@pytest.mark.blender
def test_buttons_and_scripts_ask_for_the_same(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    rig = walker()
    rig.animation_data.action["prompt"] = "a person walks"
    settings, entries = scene.scalemogen.edit, scene.scalemogen.results.entries
    def asked():
        return bench.client.requests[max(bench.client.requests)]

    # A script, in Object Mode, with everything given.
    assert ops.edit(prompt=" waves\\n", first=40, last=75, bones="left arm, bone:head", keep=0.25,
                    blend=6, seed=11, variations=3, guidance=2.0, cleanup=False,
                    words_only=True) == {"FINISHED"}
    request = asked()
    assert request.seeds == (11, 12, 13) and request.guidance == 2.0
    assert request.temperature is None and not request.cleanup
    edit = request.edit
    assert edit.prompt == "waves" and edit.keep == 0.25 and edit.blend == 6
    assert edit.parts == ("left_arm", "head") and len(edit.joints) == 5, "a bone, too"
    assert edit.frame_count == 36 and request.source.fps == 30
    assert edit.words_only and edit.source_prompt == "a person walks"
    assert len(entries) == 3 and all(item.is_edit for item in entries)
    assert (entries[0].first, entries[0].last, entries[0].start_frame) == (40, 75, 40)
    assert not preview.of(scene).message and preview.of(scene).playing_uid == entries[0].uid
    ops.result_accept()

    # The panel's own settings, in Pose Mode; scripts may replace some of them.
    bpy.ops.object.mode_set(mode="POSE")
    compat.select_bones(rig, ["right_elbow"])
    settings.prompt, settings.range = "claps", "CUSTOM"
    settings.first, settings.last, settings.seed, settings.keep = 20, 40, 5, 0.5
    ops.edit()
    assert asked().edit.joints == ("right_elbow",) and asked().seeds == (5,)
    assert asked().edit.frame_count == 21 and asked().edit.keep == 0.5
    ops.edit(seed=6)  # while an edit is shown: it is made anew, of the artist's own motion
    assert asked().seeds == (6,) and rig.animation_data.action.name == preview.PREVIEW_NAME
    assert [d.text for d in shown() if d.name == "scalemogen.result_accept"] == ["Accept"]
    ops.result_regenerate(new_seed=True)
    assert asked().edit.joints == ("right_elbow",) and asked().seeds != (6,)
    ops.results_clear()

    # The other buttons.
    settings.prompt = ""
    ops.inbetween()
    assert asked().edit.prompt == "" and len(asked().edit.parts) == 7 and asked().edit.keep == 0
    ops.inbetween(bones="right_arm", first=30, last=50)
    assert asked().edit.parts == ("right_arm",) and asked().edit.frame_count == 21
    ops.extend(seconds=1.5)
    edit, source = asked().edit, asked().source
    assert edit.first == source.frame_count and edit.frame_count == 45
    assert (entries[-1].first, entries[-1].last) == (121, 165)
    ops.make_loop(frames=20)
    assert asked().edit.loop and asked().source.frame_count == 120
    assert (entries[-1].first, entries[-1].last) == (101, 120)
    count = len(bench.client.requests)
    ops.in_place()
    assert len(bench.client.requests) == count, "the engine is not asked"
    assert entries[-1].is_edit and preview.of(scene).playing_uid == entries[-1].uid
    ops.result_accept()
    way = [c for c in compat.active_curves(rig) if c.data_path.endswith('["pelvis"].location')]
    assert max(abs(c.evaluate(120) - c.evaluate(1)) for c in way) < 0.1, "4.8 m before"

    # What cannot be meant.
    assert "nearest" not in refused(ops.edit, prompt="waves", first=1, last=9, bones="left_arn")
    assert "left_arn" in refused(ops.edit, prompt="waves", first=1, last=9, bones="left_arn")
    assert "before it begins" in refused(ops.edit, prompt="waves", first=9, last=1, bones="all")
    assert "Type what" in refused(ops.edit, prompt="", first=1, last=9, bones="all")
    assert "claps" not in refused(ops.edit, prompt="a" * 5000, first=1, last=9, bones="all")
    ops.results_clear()
    ops.generate(prompt="a person jumps")
    assert "not accepted yet" in why_grey()
    assert "not accepted yet. Accept" in " ".join(texts(shown())), "and both buttons below it"
    assert "not accepted yet" in refused(ops.edit, prompt="waves", first=1, last=9, bones="all")
    ops.result_reject()

    # Cancelled, and a rig that goes while the engine works.
    bench.client.automatic = False
    from scalemogen_blender.edit import order
    wanted = order.Order("EDIT", ("head",), 10, 30, prompt="nods")
    job = order.submit(wanted, scene, rig)
    assert "Cancelling" not in str(texts(shown())) and any(d.kind == "progress" for d in shown())
    session.cancel()
    bench.client.confirm_cancel(job.id)
    bench.pump()
    assert len(entries) == 0 and rig.animation_data.action.name == "Walk"
    job = order.submit(wanted, scene, rig)
    bench.client.fail(job.id, "The prompt means nothing to the model.")
    bench.pump()
    assert "The prompt means nothing" in " ".join(texts(shown()))
    job = order.submit(wanted, scene, rig)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.data.objects.remove(rig)
    bench.client.finish(job.id)
    bench.pump()
    assert len(entries) == 1 and entries[0].rig is None
    """)

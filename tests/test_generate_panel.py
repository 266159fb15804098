"""From the panel's settings to a request, a landed result and one undo step."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import skeleton
from core.motion import Motion
from scalemogen_blender.generate import length, prompt

TESTS = Path(__file__).parent
LONGEST = 320 / 30


# Prompts.


@pytest.mark.parametrize("text", ["", "   ", "\n\t", " "])
def test_a_prompt_without_words_is_refused(text):
    assert "Type what the character should do" in prompt.problem(prompt.clean(text))


@pytest.mark.parametrize("text", ["…", "👋", "!!! ???", "🕺 💃"])
def test_a_prompt_of_signs_is_refused(text):
    assert "no words" in prompt.problem(prompt.clean(text))


def test_a_book_is_refused_with_its_length():
    assert "5000 letters; shorten it to 1000" in prompt.problem("a" * 5000)
    assert prompt.problem("a" * 1000) == ""


@pytest.mark.parametrize(
    "text", ["a person waves 👋", "eine Frau läuft", "人が歩く", "1 2 3", "naïve walk"]
)
def test_words_of_any_script_are_taken(text):
    assert prompt.problem(prompt.clean(text)) == ""


def test_only_foreign_scripts_are_warned_of():
    assert prompt.is_foreign("人が歩く") and prompt.is_foreign("человек идёт")
    assert not prompt.is_foreign("eine Frau läuft") and not prompt.is_foreign("1 👋")


def test_line_breaks_and_doubled_spaces_are_tidied():
    assert prompt.clean("  a person\n walks\t fast ") == "a person walks fast"


# Lengths.


@given(st.integers(2, 400), st.floats(6, 240))
def test_a_range_is_filled_and_hardly_more(frames, fps):
    seconds = length.seconds_for(frames, fps)
    engine_frames = round(seconds * 30)
    assert abs(seconds * 30 - engine_frames) < 1e-6, "not a whole number of the engine's frames"
    canonical = skeleton.canonical()
    import numpy as np

    motion = Motion(
        canonical,
        np.tile([1.0, 0, 0, 0], (engine_frames, canonical.joint_count, 1)),
        np.zeros((engine_frames, 3)),
        30.0,
    )
    made = motion.resampled(fps).frame_count
    assert frames <= made <= frames + np.ceil(fps / 30)


def test_a_range_that_is_too_long_says_how_long_it_may_be():
    timeline = length.Timeline(1, 500, 1, 24.0)
    assert "20.8 s" in length.problem(timeline, LONGEST)
    assert "shorten it to 256 frames" in length.problem(timeline, LONGEST)
    assert length.problem(length.Timeline(1, 256, 1, 24.0), LONGEST) == ""
    assert length.problem(length.Timeline(1, 257, 1, 24.0), LONGEST) != ""
    assert "0.5 s at least" in length.problem(length.Timeline(1, 3, 1, 24.0), LONGEST)
    assert length.problem(length.Timeline(10, 1, 1, 24.0), LONGEST) != ""


# In bpy.

START = """
import sys
sys.path.insert(0, sys.argv[2])
import bpy
from panel_fakes import draw, find, texts
from session_fakes import Bench, walk
from scalemogen_blender import mannequin, runtime, session
from scalemogen_blender.generate import ops, panel
from scalemogen_blender.session import JobState
generate = bpy.ops.scalemogen.generate

def refused(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("nothing was refused")

def shown(which=panel.SCALEMOGEN_PT_generate):
    return draw(which, bpy.context)

def asked():
    "The last request that the engine got."
    return list(bench.client.requests.values())[-1]

def why_grey():
    "Why the panel's own button cannot be pressed."
    with bpy.context.temp_override(**{ops.BUTTON: bench.settings}):
        return "" if generate.poll() else refused(generate)
"""


@pytest.fixture
def in_panel(run_in_blender: Callable[..., str]) -> Callable[[str], str]:
    def run(body: str) -> str:
        return run_in_blender(START + textwrap.dedent(body), TESTS)

    return run


@pytest.mark.blender
def test_a_motion_lands_on_the_rig_with_one_undo_step(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    rig = mannequin.build()
    bpy.context.scene.frame_start = 11
    bpy.ops.ed.undo_push(message="before")
    assert generate(prompt="a person waves", seed=5, variations=3) == {"FINISHED"}
    entries = bench.results
    assert [entry.prompt for entry in entries] == ["a person waves"] * 3
    assert [int(entry.seed) for entry in entries] == [5, 6, 7]
    assert entries[0].start_frame == 11 and entries[0].rig == rig
    assert rig.animation_data.action is not None, "not played"
    bpy.ops.ed.undo()
    rig = bpy.data.objects[mannequin.NAME]
    assert len(bench.results) == 0
    assert rig.animation_data is None or rig.animation_data.action is None
    bpy.ops.ed.redo()
    assert len(bench.results) == 3
    """)


@pytest.mark.blender
def test_what_is_not_given_comes_from_the_panel(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    panel_settings = bench.settings
    panel_settings.prompt, panel_settings.seed, panel_settings.variations = "a man  runs ", 9, 2
    generate()
    request = asked()
    assert request.prompt == "a man runs" and request.seeds == (9, 10)
    assert request.seconds is None and request.guidance is None and request.temperature is None
    assert request.cleanup
    panel_settings.length_mode, panel_settings.seconds = "SECONDS", 6.5
    panel_settings.use_custom_sampling, panel_settings.guidance = True, 5.0
    panel_settings.temperature, panel_settings.cleanup = 0.5, False
    generate()
    request = asked()
    assert (request.seconds, request.guidance, request.temperature) == (6.5, 5.0, 0.5)
    assert not request.cleanup
    generate(prompt="she sits", seconds=2.0, seed=1, variations=1, guidance=1.0, temperature=0.25,
             cleanup=True)
    request = asked()
    assert request.prompt == "she sits" and request.seeds == (1,) and request.cleanup
    assert (request.seconds, request.guidance, request.temperature) == (2.0, 1.0, 0.25)
    generate()  # nothing of the last call is remembered
    assert asked().prompt == "a man runs" and asked().seconds == 6.5
    panel_settings.length_mode = "AUTOMATIC"
    generate(seconds=3.0)
    assert asked().seconds == 3.0
    panel_settings.seed = 2**31 - 1
    generate(variations=2)
    assert asked().seeds == (2**31 - 1, 2**31 - 1 + 1 - 2**31), "seeds go round"
    """)


@pytest.mark.blender
def test_the_scene_range_and_its_frame_rate(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    scene = bpy.context.scene
    bench.settings.prompt, bench.settings.length_mode = "a person walks", "RANGE"
    scene.frame_start, scene.frame_end = 101, 196
    scene.render.fps, scene.render.fps_base = 24, 1.0
    generate()
    assert round(asked().seconds * 30) == 120  # 95 steps of 24 to the second, and one frame more
    assert bench.results[-1].start_frame == 101
    scene.render.fps, scene.render.fps_base = 30, 1.001
    generate()
    assert round(asked().seconds * 30) == 97
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 131, 160
    generate()
    assert round(asked().seconds * 30) == 31 and bench.results[-1].start_frame == 131
    assert "131 to 160, 1.0 s" in texts(shown())
    scene.frame_preview_end = 900
    assert "makes 10.6 s at most" in why_grey()
    assert "shorten it to" in " ".join(texts(shown()))
    assert "makes 10.6 s at most" in refused(generate)
    """)


@pytest.mark.blender
def test_where_a_motion_begins(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_current = 5, 42
    bench.settings.prompt = "a person walks"
    generate()
    assert bench.results[-1].start_frame == 5
    bench.settings.start = "CURRENT"
    generate()
    assert bench.results[-1].start_frame == 42
    bench.settings.length_mode = "RANGE"
    generate()
    assert bench.results[-1].start_frame == 5, "a range begins where it begins"
    """)


@pytest.mark.blender
def test_a_result_that_plays_does_not_change_where_the_next_one_goes(in_panel):
    in_panel("""
    from scalemogen_blender.results import playback
    bench = Bench(automatic=True)
    scene = bpy.context.scene
    rig = mannequin.build()
    bpy.context.view_layer.objects.active = rig
    scene.frame_start, scene.frame_end, scene.frame_current = 101, 196, 150
    bench.settings.prompt, bench.settings.length_mode = "a person walks", "RANGE"
    generate()
    assert scene.use_preview_range, "the result is not shown"
    first = asked().seconds
    generate()
    assert asked().seconds == first and bench.results[-1].start_frame == 101
    bench.settings.length_mode, bench.settings.start = "AUTOMATIC", "CURRENT"
    playback.is_running = lambda: True
    scene.frame_set(120)  # where the timeline happens to be
    generate()
    assert bench.results[-1].start_frame == 150
    playback.is_running = lambda: False
    scene.frame_set(130)  # where the artist has put it
    generate()
    assert bench.results[-1].start_frame == 130
    """)


@pytest.mark.blender
def test_prompts_that_cannot_be_used(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    assert "Type what the character should do" in refused(generate)
    assert "Type what the character should do" in refused(generate, prompt="   ")
    assert "no words" in refused(generate, prompt="👋")
    assert "5000 letters" in refused(generate, prompt="a" * 5000)
    assert bench.client is None, "the engine was asked all the same"
    bench.settings.prompt = "walk " * 1000
    assert len(bench.settings.prompt) <= 1000
    assert generate(prompt="jemand läuft über die Straße 👋") == {"FINISHED"}
    assert asked().prompt.endswith("Straße 👋")
    bench.settings.prompt = "人が歩く"
    assert any("understands English" in text for text in texts(shown()))
    """)


@pytest.mark.blender
def test_the_button_says_why_it_cannot_be_pressed(in_panel):
    in_panel("""
    bench = Bench()
    assert "Type what" in why_grey()
    assert generate.poll(), "a script may bring its own prompt"
    bench.settings.prompt = "a person walks"
    assert why_grey() == ""
    job = bench.submit()
    assert "being generated" in why_grey()
    session.cancel()
    bench.client.confirm_cancel(job.id)
    bench.pump()
    runtime.problem = lambda: "The engine is not installed. Install it in the preferences."
    assert "not installed" in why_grey()
    assert "Open Preferences" in texts(shown())
    runtime.problem = lambda: None
    lamp = bpy.data.objects.new("Lamp Rig", bpy.data.armatures.new("Lamp"))
    bpy.context.scene.collection.objects.link(lamp)
    bpy.context.view_layer.objects.active = lamp
    assert "Lamp Rig" in why_grey()
    assert any("Lamp Rig" in text for text in texts(shown()))
    """)


@pytest.mark.blender
def test_without_a_rig_results_wait_in_the_list(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    bpy.ops.wm.read_homefile(use_empty=True)
    find(shown(), "scalemogen.add_mannequin")
    assert generate(prompt="a person waves") == {"FINISHED"}
    assert len(bench.results) == 1 and bench.results[0].rig is None
    assert bpy.ops.scalemogen.add_mannequin() == {"FINISHED"}
    assert "22 bones mapped" in " ".join(texts(shown()))
    """)


@pytest.mark.blender
def test_progress_takes_the_place_of_the_button(in_panel):
    in_panel("""
    bench = Bench()
    rig = mannequin.build()
    bpy.context.view_layer.objects.active = rig
    bench.settings.prompt = "a person walks"
    assert find(shown(), "scalemogen.generate").text == "Generate"
    job = bench.submit()
    def bar():
        return next(item for item in shown() if item.kind == "progress")
    assert "Starting the engine" in bar().text
    bench.make_ready()
    assert bar().options["factor"] == 0.0
    bench.client.progress(job.id, 2, 6)
    bench.pump()
    assert bar().text == "Scale 3 of 6" and abs(bar().options["factor"] - 1 / 3) < 1e-6
    assert not any(item.name == "scalemogen.generate" for item in shown())
    assert find(shown(), "scalemogen.cancel").enabled
    session.cancel()
    assert "Cancelling" in bar().text and not find(shown(), "scalemogen.cancel").enabled
    bench.client.confirm_cancel(job.id)
    bench.pump()
    assert find(shown(), "scalemogen.generate")
    """)


@pytest.mark.blender
def test_a_crash_is_told_in_the_panel(in_panel):
    in_panel("""
    bench = Bench()
    bench.settings.prompt = "a person walks"
    bench.submit()
    bench.make_ready()
    bench.client.die("The engine ran out of memory. Make fewer variations.")
    bench.pump()
    assert "fewer variations" in " ".join(texts(shown()))
    find(shown(), "scalemogen.engine_restart")
    bench.client.needs_repair = True
    find(shown(), "preferences.addon_show")
    bench.submit()
    assert "fewer variations" not in " ".join(texts(shown()))
    """)


@pytest.mark.blender
def test_a_rig_that_is_gone_gets_nothing_and_the_panel_says_so(in_panel):
    in_panel("""
    bench = Bench()
    from scalemogen_blender.client.messages import GenerateRequest
    from scalemogen_blender.generate import order
    for way in ("delete", "unlink"):
        rig = mannequin.build()
        job = order.submit(GenerateRequest("a person walks", (0,)), bpy.context.scene, rig, 1, True)
        bench.make_ready()
        if way == "delete":
            bpy.data.objects.remove(rig)
        else:
            bpy.context.scene.collection.objects.unlink(rig)
        bench.client.finish(job.id)
        bench.pump()
        assert job.state is JobState.DELIVERED, job.problem
        assert bench.results[-1].rig is None
        assert any("rig is gone" in text for text in texts(shown()))

    rig = mannequin.build()
    job = order.submit(GenerateRequest("a person walks", (0,)), bpy.context.scene, rig, 1, True)
    rig.name = "Hero"
    bench.client.finish(job.id)
    bench.pump()
    assert bench.results[-1].rig == rig and rig.animation_data.action is not None
    """)


@pytest.mark.blender
def test_errors_while_waiting_reach_the_script(in_panel):
    in_panel("""
    bench = Bench()
    assert "longer than 0.05 seconds" in refused(generate, prompt="a person walks", timeout=0.05)
    assert not session.busy() and len(bench.results) == 0
    real = bench.client.generate
    def failing(request):
        number = real(request)
        bench.client.fail(number, "The device is gone; choose another.")
        return number
    bench.client.generate = failing
    assert "choose another" in refused(generate, prompt="a person walks", wait=True)
    def killed(request):
        number = real(request)
        bench.client.die("The engine was ended by the system.")
        return number
    bench.client.generate = killed
    assert "ended by the system" in refused(generate, prompt="a person walks", wait=True)
    """)


@pytest.mark.blender
def test_the_dice(in_panel):
    in_panel("""
    bench = Bench()
    seeds = set()
    for _ in range(8):
        assert bpy.ops.scalemogen.random_seed() == {"FINISHED"}
        seeds.add(bench.settings.seed)
    assert len(seeds) > 4
    """)


@pytest.mark.blender
def test_panels_draw_with_every_setting(in_panel):
    in_panel("""
    bench = Bench()
    for mode, wanted, missing in (
        ("AUTOMATIC", {"start"}, {"seconds"}),
        ("SECONDS", {"start", "seconds"}, set()),
        ("RANGE", set(), {"start", "seconds"}),
    ):
        bench.settings.length_mode = mode
        names = {item.name for item in shown()}
        assert names >= wanted | {"prompt", "length_mode", "seed", "variations", "play"}
        assert not names & missing
    advanced = {item.name for item in shown(panel.SCALEMOGEN_PT_generate_advanced)}
    assert advanced == {"cleanup", "use_custom_sampling", "guidance", "temperature"}
    """)


@pytest.mark.blender
def test_nothing_happens_to_the_scene_when_the_button_is_pressed(in_panel):
    in_panel("""
    bench = Bench()
    rig = mannequin.build()
    bpy.context.view_layer.objects.active = rig
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene["mark"] = 1
    bpy.ops.ed.undo_push(message="mark")
    from scalemogen_blender.client.messages import GenerateRequest
    from scalemogen_blender.generate import order
    order.submit(GenerateRequest("a person walks", (0,)), bpy.context.scene, rig, 1, True)
    assert rig.animation_data is None and len(bench.results) == 0
    bpy.ops.ed.undo()
    assert "mark" not in bpy.context.scene, "pressing made an undo step"
    assert session.busy()
    """)

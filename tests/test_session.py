"""The session in bpy: one job, from pressing the button to its result, whatever happens between."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.blender

TESTS = Path(__file__).parent
START = """
import sys
sys.path.insert(0, sys.argv[2])
import bpy
import session_fakes
from session_fakes import Bench, walk
from scalemogen_blender import mannequin, session
from scalemogen_blender.session import JobState
from scalemogen_blender._core import errors
from tests.refusals import refused
"""


@pytest.fixture
def in_session(run_in_blender: Callable[..., str]) -> Callable[[str], str]:
    def run(body: str) -> str:
        return run_in_blender(START + textwrap.dedent(body), TESTS)

    return run


def test_a_result_is_delivered_once_and_makes_one_undo_step(in_session):
    in_session("""
    bench = Bench()
    bpy.ops.ed.undo_push(message="before")
    got = []
    def deliver(finished):
        got.append(finished)
        bpy.context.scene["landed"] = len(finished.motions)
    job = bench.submit(deliver)
    assert session.busy() and bench.client.calls == ["start"]
    bench.make_ready()
    for done in range(1, 4):
        bench.client.progress(job.id, done, 3, walk(20))
        bench.pump()
        assert job.progress == done / 3 and not got
    bench.client.finish(job.id)
    bench.pump(); bench.pump()
    assert job.state is JobState.DELIVERED and len(got) == 1 and not session.busy()
    bpy.ops.ed.undo()
    assert "landed" not in bpy.context.scene
    bpy.ops.ed.redo()
    assert bpy.context.scene["landed"] == 1
    bpy.ops.ed.undo()
    assert "landed" not in bpy.context.scene, "more than one undo step"
    """)


def test_only_one_job_at_a_time(in_session):
    in_session("""
    bench = Bench()
    bench.submit()
    assert "already" in refused(bench.submit)
    assert len(bench.client.requests) == 1
    """)


def test_cancel_is_asked_for_and_confirmed(in_session):
    in_session("""
    bench = Bench()
    job = bench.submit(lambda finished: (_ for _ in ()).throw(AssertionError("delivered")))
    bench.make_ready()
    session.cancel()
    assert bench.client.cancelled == [job.id] and session.status().cancelling
    bench.client.finish(job.id)  # it was done before it heard of it
    bench.pump()
    assert job.state is JobState.CANCELLED and not session.busy()

    second = bench.submit()
    session.cancel(); session.cancel()
    assert bench.client.cancelled == [job.id, second.id], "asked twice"
    bench.client.confirm_cancel(second.id)
    bench.pump()
    assert second.state is JobState.CANCELLED and not session.status().failed
    """)


def test_delivery_waits_until_the_artist_lets_go(in_session):
    in_session("""
    bench, got = Bench(), []
    job = bench.submit(got.append)
    bench.make_ready()
    bench.obstacles = ["TRANSFORM_OT_translate"]
    bench.client.finish(job.id)
    for second in range(100):
        bench.now = second
        bench.pump()
        assert not got and job.state is JobState.WAITING
    assert "Waiting" in session.status().step
    bench.obstacles = []
    bench.pump()
    assert len(got) == 1 and job.state is JobState.DELIVERED

    job = bench.submit(got.append)
    bench.obstacles = ["addon:VIEW3D_OT_show_keys"]  # runs for ever
    bench.client.finish(job.id)
    bench.pump()
    assert len(got) == 1, "an add-on's tool is not waited for at all"
    bench.now += 6
    bench.pump()
    assert len(got) == 2

    job = bench.submit(got.append)
    bench.obstacles = ["TRANSFORM_OT_translate"]
    bench.client.finish(job.id)
    bench.pump()
    session.cancel()
    assert job.state is JobState.CANCELLED and len(got) == 2
    """)


def test_tools_in_blender_are_told_from_those_of_add_ons(in_session):
    in_session("""
    from scalemogen_blender.session import moment
    assert moment.obstacles() == []
    assert moment._named("TRANSFORM_OT_translate") == "TRANSFORM_OT_translate"
    assert moment._named("OBJECT_OT_align") == "addon:OBJECT_OT_align"  # written in Python
    assert not moment.is_good(["TRANSFORM_OT_translate"], 1e6)
    assert not moment.is_good(["addon:OBJECT_OT_align"], 1.0)
    assert moment.is_good(["addon:OBJECT_OT_align"], 10.0)
    """)


def test_undo_redo_and_renaming_while_a_job_runs(in_session):
    in_session("""
    bench, got = Bench(), []
    bpy.ops.ed.undo_push(message="start")
    rig = mannequin.build()
    bpy.ops.ed.undo_push(message="mannequin")
    rig_uid = rig.session_uid
    job = bench.submit(got.append, rig=rig)
    assert job.rig_uid == rig_uid
    rig.name, bpy.context.scene.name = "Hero", "Shot 7"
    bpy.ops.ed.undo_push(message="renamed")
    bpy.ops.ed.undo(); bpy.ops.ed.undo(); bpy.ops.ed.redo(); bpy.ops.ed.redo()
    bench.make_ready()
    bench.client.finish(job.id)
    bench.pump()
    assert len(got) == 1
    scene, found = session.find(job.scene_uid, job.rig_uid)
    assert scene.name == "Shot 7" and found.name == "Hero" and found.session_uid == rig_uid
    """)


def test_another_file_drops_the_job_and_saving_does_not(in_session):
    in_session("""
    import os
    bench, got = Bench(), []
    job = bench.submit(got.append)
    bench.make_ready()
    path = os.path.join(bpy.app.tempdir, "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    assert session.busy()
    bpy.ops.wm.open_mainfile(filepath=path)
    assert job.state is JobState.DROPPED and bench.client.cancelled == [job.id]
    bench.client.finish(job.id)
    bench.pump()
    assert not got, "delivered into another file"
    second = bench.submit(got.append)  # and goes on as usual
    bench.client.finish(second.id)
    bench.pump()
    assert len(got) == 1
    for load in (bpy.ops.wm.read_homefile, bpy.ops.wm.read_factory_settings):
        job = bench.submit(got.append)
        load(use_empty=True)
        assert job.state is JobState.DROPPED
    """)


def test_a_deleted_scene_drops_the_job(in_session):
    in_session("""
    bench, got = Bench(), []
    bpy.data.scenes.new("Other")
    job = bench.submit(got.append)
    bench.make_ready()
    bpy.data.scenes.remove(bpy.context.scene)
    bench.client.finish(job.id)
    bench.pump()
    assert job.state is JobState.DROPPED and not got
    assert "scene is gone" in session.status().notice
    """)


def test_switching_scenes_delivers_in_the_scene_that_asked(in_session):
    in_session("""
    bench, got = Bench(), []
    home = bpy.context.scene
    job = bench.submit(lambda finished: got.append(bpy.context.scene.name))
    bench.make_ready()
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    bench.client.finish(job.id)
    bench.pump()
    assert got == [home.name] and bpy.context.scene.name == "Other"
    """)


def test_a_dead_worker_is_reported_with_its_last_lines(in_session):
    in_session("""
    bench = Bench()
    job = bench.submit()
    bench.make_ready()
    bench.client.die("The engine ran out of memory. Make fewer variations.")
    bench.pump()
    assert job.state is JobState.FAILED
    status = session.status()
    assert status.state == "failed" and not status.busy
    assert "out of memory" in status.failed and "out of memory" in status.problem
    assert status.log[-1] == "RuntimeError: out of memory"
    assert bpy.ops.scalemogen.engine_restart() == {"FINISHED"}
    assert bench.client.calls[-1] == "restart" and not session.status().failed

    bench.make_ready()
    bench.client.die("It died while nothing was to do.")
    bench.pump()
    assert session.status().state == "failed" and not session.status().failed
    """)


def test_a_request_that_cannot_be_carried_out(in_session):
    in_session("""
    bench = Bench()
    job = bench.submit()
    bench.make_ready()
    bench.client.fail(job.id, "seconds is out of range; use 0.5 to 10.6 seconds")
    bench.pump()
    assert job.state is JobState.FAILED and "use 0.5" in session.status().failed
    assert session.status().state == "ready"
    """)


def test_a_result_that_cannot_land(in_session):
    in_session("""
    bench = Bench()
    def deliver(finished):
        raise errors.ScaleMoGenError("The rig is linked; make it local.")
    job = bench.submit(deliver)
    bench.make_ready()
    bench.client.finish(job.id)
    bench.pump()
    assert job.state is JobState.FAILED and "make it local" in session.status().failed
    def broken(finished):
        raise KeyError("hips")
    job = bench.submit(broken)
    bench.client.finish(job.id)
    bench.pump()
    assert job.state is JobState.FAILED and "hips" in session.status().failed
    assert bench.submit()
    """)


def test_a_timer_that_meets_a_fault_goes_on(in_session):
    in_session("""
    bench = Bench()
    job = bench.submit()
    def broken():
        raise OSError("pipe")
    bench.client.poll = broken
    assert session._pulse() > 0
    assert job.state is JobState.FAILED and "pipe" in session.status().failed
    """)


def test_stale_and_foreign_events_are_ignored(in_session):
    in_session("""
    bench, got = Bench(), []
    old = bench.submit(got.append)
    bench.make_ready()
    session.drop()
    new = bench.submit(got.append)
    bench.client.progress(old.id, 5, 6, walk(20))
    bench.client.finish(old.id)
    bench.client.confirm_cancel(old.id)
    bench.pump()
    assert new.state is JobState.RUNNING and new.done == 0 and not got
    bench.client.finish(new.id)
    bench.client.events *= 2  # answered twice
    bench.pump()
    assert len(got) == 1
    """)


def test_waiting_without_timers(in_session):
    in_session("""
    import threading
    bench, got = Bench(automatic=True), []
    bench.obstacles = ["TRANSFORM_OT_translate"]  # a script wants its result all the same
    job = bench.submit(got.append)
    session.wait(job, timeout=30)
    assert job.state is JobState.DELIVERED and len(got) == 1

    bench.client.automatic = False
    job = bench.submit(got.append)
    assert "longer than 0.05 seconds" in refused(session.wait, job, timeout=0.05)
    assert job.state is JobState.DROPPED and bench.client.cancelled == [job.id]

    job = bench.submit(got.append)
    bench.client.fail(job.id, "no such device; use auto")
    assert refused(session.wait, job) == "no such device; use auto"
    """)


def test_the_engine_is_made_anew_when_the_settings_change(in_session):
    in_session("""
    from dataclasses import replace
    bench = Bench(automatic=True)
    session.wait(bench.submit())
    first = bench.client
    session.wait(bench.submit())
    assert bench.client is first
    bench.launch = replace(bench.launch, device="cpu")
    session.wait(bench.submit())
    assert bench.client is not first and first.calls[-1] == "stop"
    assert bench.client.launch.device == "cpu"
    """)


def test_typing_a_prompt_warms_the_engine_up(in_session):
    in_session("""
    bench = Bench()
    session.warm_up()
    assert bench.client.calls == ["start"]
    for letter in range(50):
        session.warm_up()
    assert bench.client.calls == ["start"]

    bench.make_ready()
    bench.client.die("out of memory")
    bench.pump()
    bench.now += 100
    session.warm_up()
    assert bench.client.calls == ["start"], "an engine that failed was started again by typing"

    session.use(None)
    def missing():
        raise errors.ScaleMoGenError("No engine is installed.")
    fresh = session.Session(find_launch=missing)
    session.use(fresh)
    session.warm_up()
    assert fresh.client is None
    """)


def test_the_timer_runs_only_while_there_is_something_to_serve(in_session):
    in_session("""
    from scalemogen_blender.client.state import State
    bench, pulse = Bench(), session._pulse
    registered = lambda: bpy.app.timers.is_registered(pulse)
    assert not registered() and pulse() is None
    job = bench.submit()
    assert registered() and pulse() <= 1 / 20
    bench.make_ready()
    bench.client.finish(job.id)
    pulse()
    bench.now += 10
    assert pulse() >= 1.0, "polls often while it has nothing to do"
    bench.client.state = State.ASLEEP
    assert pulse() is None, "polls for ever"
    bench.client.state = State.STARTING
    assert pulse() <= 0.1
    """)


def test_progress_that_was_overtaken_is_skipped(in_session):
    in_session("""
    bench, shown = Bench(), []
    job = bench.submit()
    bench.make_ready()
    bench.session.overlay.show = shown.append
    coarse, fine = walk(20), walk(30)
    bench.client.progress(job.id, 1, 6, coarse)
    bench.client.progress(job.id, 2, 6, fine)
    bench.client.progress(job.id, 3, 6)
    bench.pump()
    assert shown == [fine] and job.done == 3
    """)


def test_nothing_is_left_after_unregistering_in_the_middle_of_a_job(in_session):
    in_session("""
    import threading
    import scalemogen_blender
    def traces():
        handlers = {name: len(getattr(bpy.app.handlers, name)) for name in dir(bpy.app.handlers)
                    if isinstance(getattr(bpy.app.handlers, name), list)}
        types = {name for name in dir(bpy.types) if "scalemogen" in name.lower()}
        timer = bpy.app.timers.is_registered(session._pulse)
        return handlers, types, threading.active_count(), timer
    before = traces()
    for _ in range(2):
        bench = Bench()
        rig = mannequin.build()
        job = bench.submit(rig=rig)
        bench.make_ready()
        bench.client.progress(job.id, 1, 6, walk(20))
        bench.pump()
        client, overlay = bench.client, bench.session.overlay
        assert overlay.is_shown
        scalemogen_blender.unregister()
        assert job.state is JobState.DROPPED and client.calls[-1] == "stop"
        assert not overlay.is_shown and session._session is None
        assert traces() == before
    """)


def test_operators_say_why_they_cannot_be_pressed(in_session):
    in_session("""
    bench = Bench()
    operators = bpy.ops.scalemogen
    assert not operators.cancel.poll() and not operators.engine_stop.poll()
    assert "Nothing is being generated" in refused(operators.cancel)
    assert "not running" in refused(operators.engine_stop)
    assert "not written a log" in refused(operators.engine_log)
    job = bench.submit()
    assert operators.cancel() == {"FINISHED"}
    assert bench.client.cancelled == [job.id]
    bench.client.confirm_cancel(job.id)
    bench.make_ready()
    assert operators.engine_stop() == {"FINISHED"} and bench.client.calls[-1] == "stop"
    session.log_path().parent.mkdir(parents=True)
    session.log_path().write_text("log")
    assert operators.engine_log() == {"FINISHED"}
    """)


def test_engine_panel_in_every_state(in_session):
    in_session("""
    from panel_fakes import draw, texts
    from scalemogen_blender import runtime
    from scalemogen_blender.client.state import State
    from scalemogen_blender.session.panel import SCALEMOGEN_PT_engine as panel
    def shown():
        return " ".join(texts(draw(panel, bpy.context)))
    bench = Bench()
    assert "Not running" in shown()
    runtime.problem = lambda: "The engine is not installed. Install it in the preferences."
    assert "Not Installed" in shown() and "Install it in the" in shown()
    assert not bpy.ops.scalemogen.engine_restart.poll()
    runtime.problem = lambda: None
    job = bench.submit()
    assert "Starting" in shown()
    bench.make_ready()
    assert "Working on Fake GPU" in shown() and "8.0 GB" in shown() and "2.13.0" in shown()
    bench.client.responding = False
    assert "Not answering" in shown() and "out of memory" in shown()
    bench.client.responding = True
    bench.client.finish(job.id)
    bench.pump()
    assert "Ready on Fake GPU" in shown()
    bench.client.state = State.ASLEEP
    assert "Asleep" in shown() and "Fake GPU" not in shown()
    bench.client.die("The driver has gone away. Choose the device CPU.")
    bench.pump()
    assert "Stopped Working" in shown() and "Choose the" in shown() and "out of memory" in shown()
    """)


def test_a_job_that_cannot_be_begun_keeps_nobody_from_the_next(in_session):
    in_session("""
    from scalemogen_blender.overlay import place
    bench = Bench()
    plain = place.of_rig
    def failing(rig):
        place.of_rig = plain
        raise ZeroDivisionError("a rig that cannot be measured")
    place.of_rig = failing
    try:
        bench.submit()
    except ZeroDivisionError:
        pass
    assert not session.busy() and not bench.client.requests
    bench.submit()
    assert session.busy()
    """)


def test_a_result_that_ends_its_own_job_is_no_fault(in_session):
    """Landing runs other people's handlers, and those may load a file or disable the add-on."""
    in_session("""
    for ending in (session.drop, session.close):
        for fails in (False, True):
            bench = Bench()
            def deliver(finished):
                ending()
                if fails:
                    raise errors.ScaleMoGenError("and then it fails")
            job = bench.submit(deliver)
            bench.make_ready()
            bench.client.finish(job.id)
            bench.session.pump()
            assert job.state is JobState.DROPPED and not session.busy()
    """)


def test_a_translation_with_other_names_in_it_falls_back(in_session):
    in_session("""
    from scalemogen_blender import interface
    assert interface.label("{name} is here", name="{rig} {0} {") == "{rig} {0} { is here"
    for wrong in ("{nom} est l\u00e0", "{} {}", "{name", "{0}"):
        interface.pgettext_iface = interface.pgettext_rpt = lambda text: wrong
        for say in (interface.label, interface.report):
            assert say("{name} is here", name="Rig") == "Rig is here"
    """)


def test_the_addon_goes_although_others_have_emptied_the_handlers(in_session):
    in_session("""
    import scalemogen_blender
    bench = Bench()
    bench.submit()
    for name in ("load_pre", "load_post", "save_pre", "undo_pre", "undo_post", "redo_pre",
                 "redo_post"):
        getattr(bpy.app.handlers, name).clear()
    scalemogen_blender.unregister()
    assert not session.busy() and not hasattr(bpy.types.Scene, "scalemogen")
    """)


def test_errors_name_files_whose_names_are_no_text(in_session):
    in_session("""
    import os
    from scalemogen_blender import interface
    from scalemogen_blender.operator_errors import reported
    name = os.fsdecode(b"caf\\xe9.fbx")
    class Operator:
        def report(self, kind, text):
            self.told = text.encode().decode()
    @reported
    def execute(self, context):
        raise errors.ScaleMoGenError(f"There is no {name}.")
    operator = Operator()
    assert execute(operator, None) == {"CANCELLED"} and operator.told == "There is no caf?.fbx."
    assert interface.printable("Käse 日本 {x} 100%") == "Käse 日本 {x} 100%"
    """)

"""The session with the real engine: generating, cancelling, crashing and going away inside bpy."""

import importlib.util
import os
import textwrap
import time
from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.blender, pytest.mark.slow]

PYTHON = os.environ.get("SCALEMOGEN_PYTHON", "")
if not PYTHON and importlib.util.find_spec("torch") is None:
    pytest.skip(
        "no torch here: SCALEMOGEN_PYTHON names a Python that has it", allow_module_level=True
    )

START = """
import os, sys, time
os.environ.setdefault("SCALEMOGEN_PYTHON", sys.executable)
import bpy
import scalemogen_blender
from scalemogen_blender import mannequin, session
from scalemogen_blender.client.messages import GenerateRequest
from scalemogen_blender.generate import order
from scalemogen_blender.session import JobState

scalemogen_blender.register()
rig = mannequin.build()
bpy.context.view_layer.objects.active = rig
results = lambda: bpy.context.scene.scalemogen.results.entries

def submit(variations=1, seconds=4.0):
    request = GenerateRequest("a person walks forward", tuple(range(variations)), seconds)
    return order.submit(request, bpy.context.scene, rig, 1, True)

def beat_until(condition, timeout=120):
    "Serve the session as Blender's timer would."
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, session.status()
        session._pulse()
        time.sleep(0.01)

def process():
    return session._session.client.process_id

def alive(number):
    try:
        os.kill(number, 0)
    except OSError:
        return False
    with open(f"/proc/{number}/stat") as file:  # a zombie is none
        return file.read().rpartition(")")[2].split()[0] != "Z"
"""


@pytest.fixture
def with_engine(run_in_blender: Callable[..., str]) -> Callable[[str], str]:
    def run(body: str) -> str:
        return run_in_blender(START + textwrap.dedent(body), timeout=300)

    return run


def test_a_script_generates_and_the_same_seed_gives_the_same_motion(with_engine):
    with_engine("""
    import numpy as np
    from scalemogen_blender.results import storage
    bpy.ops.ed.undo_push(message="before")
    for _ in range(2):
        assert bpy.ops.scalemogen.generate(
            prompt="a person waves", seconds=2.0, seed=3, variations=2, wait=True) == {"FINISHED"}
    motions = [storage.unpack(entry.motion) for entry in results()]
    assert len(motions) == 4 and motions[0].frame_count == 60
    assert np.array_equal(motions[0].rotations, motions[2].rotations)
    assert not np.array_equal(motions[0].rotations, motions[1].rotations)
    bpy.ops.ed.undo(); bpy.ops.ed.undo()
    assert len(results()) == 0
    bpy.ops.ed.redo()
    assert len(results()) == 2 and session.status().state == "ready"
    try:
        bpy.ops.scalemogen.generate(prompt="a person waves", timeout=0.01, variations=8)
    except RuntimeError as error:
        assert "longer than" in str(error)
    else:
        raise AssertionError("not timed out")
    assert bpy.ops.scalemogen.generate(prompt="a person sits down", seconds=1.0) == {"FINISHED"}
    """)


def test_previews_come_while_it_refines(with_engine):
    with_engine("""
    job, seen = submit(), set()
    def note():
        if session._session.overlay.is_shown:
            seen.add(job.done)
        return job.ended
    beat_until(note)
    assert job.state is JobState.DELIVERED and job.of == 6 and seen, job.problem
    assert not session._session.overlay.is_shown
    assert rig.animation_data.action is not None
    """)


def test_cancel_and_go_on(with_engine):
    with_engine("""
    job = submit(variations=8, seconds=10.0)
    beat_until(lambda: job.done >= 1)
    session.cancel()
    began = time.monotonic()
    beat_until(lambda: job.ended)
    assert job.state is JobState.CANCELLED and len(results()) == 0
    again = submit(seconds=1.0)
    beat_until(lambda: again.ended)
    assert again.state is JobState.DELIVERED and len(results()) == 1, again.problem
    """)


def test_a_killed_worker_is_noticed_and_restarted(with_engine):
    with_engine("""
    import signal
    job = submit(variations=8, seconds=10.0)
    beat_until(lambda: job.done >= 1)
    os.kill(process(), signal.SIGKILL)
    beat_until(lambda: job.ended, timeout=10)
    status = session.status()
    assert job.state is JobState.FAILED and status.state == "failed", status
    assert status.failed and status.problem and status.log and not status.busy
    assert bpy.ops.scalemogen.engine_restart() == {"FINISHED"}
    beat_until(lambda: session.status().state == "ready")
    job = submit(seconds=1.0)
    beat_until(lambda: job.ended)
    assert job.state is JobState.DELIVERED
    """)


def test_another_file_while_it_works(with_engine):
    with_engine("""
    job = submit(variations=8, seconds=10.0)
    beat_until(lambda: job.done >= 1)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert job.state is JobState.DROPPED and not session.busy()
    assert bpy.ops.scalemogen.generate(prompt="a person sits", seconds=1.0) == {"FINISHED"}
    assert len(results()) == 1
    """)


def test_disabling_the_add_on_while_it_works_leaves_nothing(with_engine):
    with_engine("""
    import threading
    job = submit(variations=8, seconds=10.0)
    beat_until(lambda: job.done >= 1)
    number = process()
    assert alive(number)
    scalemogen_blender.unregister()
    assert job.state is JobState.DROPPED
    end = time.monotonic() + 10
    while alive(number) or threading.active_count() > 1:
        assert time.monotonic() < end, threading.enumerate()
        time.sleep(0.05)
    scalemogen_blender.register()
    assert bpy.ops.scalemogen.generate(prompt="a person sits", seconds=1.0) == {"FINISHED"}
    """)


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "sys.exit(0)"])
def test_a_blender_that_goes_takes_the_worker_along(run_in_blender, tmp_path, end):
    told = tmp_path / "worker"
    source = START + textwrap.dedent(f"""
    job = submit(variations=8, seconds=10.0)
    beat_until(lambda: job.done >= 1)
    open({str(told)!r}, "w").write(str(process()))
    sys.stdout.flush()
    {end}
    """)
    try:
        run_in_blender(source, timeout=120)
    except AssertionError:
        assert "kill" in end or "exit" in end
    number = int(told.read_text())
    until = time.monotonic() + 15
    while _alive(number):
        assert time.monotonic() < until, "the worker outlived Blender"
        time.sleep(0.1)


def _alive(number: int) -> bool:
    try:
        with open(f"/proc/{number}/stat", encoding="utf-8") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

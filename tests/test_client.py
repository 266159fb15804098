"""The engine's client against workers that crash, hang, flood, lie and come too late."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from worker_fakes import LONG, ROOT, Watched, fake_engine, request

from core.protocol import PROTOCOL_VERSION, Message, ProtocolError
from scalemogen_blender.client import EngineClient, Patience, State, connection, incoming
from scalemogen_blender.client.diagnosis import verdict
from scalemogen_blender.client.inbox import Ended, Hello, Inbox
from scalemogen_blender.client.launching import command, environment
from scalemogen_blender.client.log import EngineLog
from scalemogen_blender.client.messages import (
    Asleep,
    Cancelled,
    Died,
    Failed,
    Finished,
    GenerateRequest,
    Launch,
    Progress,
    Ready,
)
from scalemogen_blender.client.throttle import Throttle

Watch = Callable[..., Watched]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Make a client on a worker that behaves as named; all are ended afterwards."""
    made: list[Watched] = []

    def make(behaviour: str, **patience: float) -> Watched:
        folder = tmp_path / f"{len(made)} with späces"
        folder.mkdir()
        made.append(Watched(folder, behaviour, **patience))
        return made[-1]

    yield make
    for watched in made:
        watched.client.stop(0)


def lives(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


posix = pytest.mark.skipif(os.name != "posix", reason="signals")
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


# --- what is usual -------------------------------------------------------------------------------


def test_a_request_starts_the_worker_and_is_answered(watch: Watch) -> None:
    w = watch("good")
    assert w.client.state is State.STOPPED and w.client.info is None
    number = w.client.generate(request(seeds=(4, 5)))
    assert w.client.state is State.STARTING and w.client.pending == (number,)
    w.until_told(Finished)
    ready, finished = w.events[0], w.events[-1]
    assert isinstance(ready, Ready) and ready.info is w.client.info
    assert ready.info.devices[0].memory_mb == 1000 and ready.info.devices[1].memory_mb is None
    assert ready.info.max_seconds == 10.0
    assert isinstance(finished, Finished) and finished.request == number
    assert finished.seeds == (4, 5) and finished.settings == {"model": "fake"}
    assert [m.root_positions[0, 0] for m in finished.motions] == [4.0, 5.0]
    assert finished.motions[0].rotations.dtype == np.float64
    assert w.client.state is State.READY and w.client.pending == ()
    assert w.starts() == 1


def test_requests_are_answered_in_order_under_their_own_numbers(watch: Watch) -> None:
    w = watch("good")
    numbers = [w.client.generate(request(seeds=(seed,))) for seed in range(5)]
    assert len(set(numbers)) == 5
    w.until_told(Finished, 5)
    assert [(e.request, e.seeds) for e in w.of(Finished)] == [
        (number, (seed,)) for seed, number in enumerate(numbers)
    ]


def test_warming_up_needs_no_request(watch: Watch) -> None:
    w = watch("good")
    w.client.start()
    w.client.start()
    w.until_told(Ready)
    w.client.start()
    assert w.client.state is State.READY and w.starts() == 1


def test_stopping_ends_the_process_and_cancels_what_it_did(watch: Watch) -> None:
    w = watch("busy")
    number = w.client.generate(request("work long"))
    w.until_told(Progress)
    process = w.client.process_id
    assert process is not None
    w.client.stop(LONG)
    assert w.client.state is State.STOPPED and w.client.process_id is None
    assert w.poll() == [Cancelled(number)]
    w.until(lambda: not lives(process))
    w.client.stop()  # once more does no harm
    w.client.generate(request())
    w.until_told(Finished)
    assert w.starts() == 2


def test_only_the_newest_progress_is_told_and_no_preview_gets_lost(watch: Watch) -> None:
    w = watch("previews")
    w.client.start()
    w.until_told(Ready)
    w.client.generate(request())
    deadline = time.monotonic() + LONG
    inbox = w.client._connection.inbox
    while inbox._progress.get(1) is None or inbox._progress[1].done < 6:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    (progress,) = w.poll()
    assert isinstance(progress, Progress) and (progress.done, progress.of) == (6, 6)
    assert progress.preview is not None and progress.preview.root_positions[0, 0] == 3.0
    (w.scratch / "go").touch()
    w.until_told(Finished)


def test_a_failed_request_is_told_in_one_line_and_the_worker_goes_on(watch: Watch) -> None:
    w = watch("fails")
    first, second = w.client.generate(request()), w.client.generate(request())
    w.until_told(Failed, 2)
    assert w.of(Failed) == [Failed(n, "two lines", "traceback") for n in (first, second)]
    assert w.client.state is State.READY and w.starts() == 1


@pytest.mark.parametrize(
    "wish",
    [
        GenerateRequest("x" * 2_000_000, (1,)),
        GenerateRequest("a walk", (1,), seconds=float("nan")),
        GenerateRequest("a walk", (1,), guidance=float("inf")),
        GenerateRequest("a walk", (object(),)),  # type: ignore[arg-type]
    ],
)
def test_a_request_that_cannot_be_sent_fails_at_once(watch: Watch, wish: GenerateRequest) -> None:
    w = watch("good")
    number = w.client.generate(wish)
    (failed,) = w.poll()
    assert isinstance(failed, Failed) and failed.request == number
    assert w.client.pending == ()


# --- starts that fail ----------------------------------------------------------------------------


def launch_of(python: Path, folder: Path) -> Launch:
    return Launch(python, fake_engine(folder / "engine"))


@pytest.mark.parametrize("what", ["absent", "folder", "not_executable", "no_program", "nul"])
def test_a_python_that_cannot_be_started_is_named(tmp_path: Path, what: str) -> None:
    python = tmp_path / "python"
    if what == "folder":
        python.mkdir()
    elif what in {"not_executable", "no_program"}:
        python.write_bytes(b"\x00\x01\x02 no program at all")
        python.chmod(0o755 if what == "no_program" else 0o644)
    elif what == "nul":
        python = tmp_path / "pyth\0on"
    client = EngineClient(launch_of(python, tmp_path), tmp_path / "log" / "engine.log")
    number = client.generate(request())
    events: list[object] = []
    while not events:
        events += client.poll()
    (died,) = events
    assert isinstance(died, Died) and died.requests == (number,)
    assert died.repair and client.needs_repair
    assert str(python) in died.message and "Repair" in died.message
    assert client.state is State.FAILED and client.failure == died.message
    # Not tried again until somebody says so.
    client.start()
    again = client.generate(request())
    assert client.poll() == [Failed(again, died.message)]


@pytest.mark.parametrize(
    ("behaviour", "about", "final", "repair"),
    [
        ("missing_module", "no_such_module_anywhere is missing", True, True),
        ("no_torch", "torch is missing. Repair the runtime", True, True),
        ("no_model", "no model 'x'; use another", True, False),
        ("other_version", "does not fit this version of the add-on", True, False),
        ("refuses_version", "The engine speaks version 9", True, False),
        ("crash_at_once", "ended while starting (exit code 7)", False, True),
        ("text_on_stdout", "sent what makes no sense", False, True),
        ("ready_first", "sent what makes no sense", False, True),
        ("bad_ready", "sent what makes no sense", False, True),
        pytest.param("killed_at_start", "probably for lack of memory", False, False, marks=posix),
    ],
)
def test_a_worker_that_does_not_get_ready_is_explained(
    watch: Watch, behaviour: str, about: str, final: bool, repair: bool
) -> None:
    w = watch(behaviour)
    number = w.client.generate(request())
    died = w.until_told(Died)
    assert isinstance(died, Died)
    assert about in died.message and "\n" not in died.message
    assert died.requests == (number,) and died.repair == repair
    assert w.client.state is (State.FAILED if final else State.STOPPED)
    assert w.client.failure == died.message and w.client.pending == ()
    assert w.events == [died]


@pytest.mark.parametrize("behaviour", ["hang_at_start", "hang_while_loading"])
def test_a_worker_that_hangs_at_its_start_is_given_up(watch: Watch, behaviour: str) -> None:
    w = watch(behaviour, hello=0.5 if behaviour == "hang_at_start" else LONG, ready=1.0)
    number = w.client.generate(request())
    w.until(lambda: w.client.process_id is not None)
    process = w.client.process_id
    died = w.until_told(Died)
    assert isinstance(died, Died) and "was not ready after" in died.message
    assert died.requests == (number,)
    assert process is not None
    w.until(lambda: not lives(process))


def test_a_worker_that_needs_long_is_waited_for_by_polled_time() -> None:
    """Time in which nobody polled (a render, a sleeping computer) does not count."""
    now = [0.0]
    launch = Launch(Path(sys.executable), ROOT)
    client = EngineClient(
        launch, Path(os.devnull), patience=Patience(hello=10.0), clock=lambda: now[0]
    )
    client._connect = lambda: None  # type: ignore[method-assign]
    client.poll()
    now[0] = 10_000.0
    client.poll()
    assert client._now == 1.0


def test_what_was_wrong_is_forgotten_by_restart(watch: Watch, tmp_path: Path) -> None:
    w = watch("no_torch")
    w.client.start()
    w.until_told(Died)
    good = watch("good")
    w.client.restart(good.client.launch)
    assert w.client.state is State.STARTING and w.client.failure == ""
    number = w.client.generate(request())
    finished = w.until_told(Finished)
    assert isinstance(finished, Finished) and finished.request == number
    assert not w.client.needs_repair


# --- deaths --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "about"),
    [
        ("crash_in_job", "crashed (exit code 3)"),
        ("die_mid_message", "crashed (exit code 4)"),
        pytest.param("killed_in_job", "probably for lack of memory", marks=posix),
        pytest.param("segfault_in_job", "crashed (SIGSEGV)", marks=posix),
    ],
)
def test_a_death_in_a_job_names_what_is_lost_and_the_next_request_starts_anew(
    watch: Watch, behaviour: str, about: str
) -> None:
    w = watch(behaviour)
    numbers = (w.client.generate(request()), w.client.generate(request()))
    died = w.until_told(Died)
    assert isinstance(died, Died)
    assert about in died.message and died.requests == numbers and not died.repair
    assert w.client.state is State.STOPPED and w.client.pending == ()
    if behaviour == "crash_in_job":
        assert "the last line" in died.log and "the last line" in w.client.log_tail()
        assert "the last line" in w.log_path.read_text()
    if behaviour == "segfault_in_job":
        assert any("Segmentation fault" in line for line in died.log), "faulthandler's traceback"
    w.client.generate(request())
    w.until_told(Died, 2)
    assert w.starts() == 2


@posix
def test_a_worker_that_is_killed_while_idle_is_noticed(watch: Watch) -> None:
    w = watch("good")
    w.client.start()
    w.until_told(Ready)
    assert w.client.process_id is not None
    os.kill(w.client.process_id, signal.SIGKILL)
    died = w.until_told(Died)
    assert isinstance(died, Died) and died.requests == ()
    w.client.generate(request())
    w.until_told(Finished)


def test_three_deaths_in_a_row_and_it_stays_off_until_restarted(watch: Watch) -> None:
    w = watch("crash_in_job")
    for count in (1, 2, 3):
        assert w.client.state is not State.FAILED
        w.client.generate(request())
        died = w.until_told(Died, count)
    assert isinstance(died, Died) and "3 times in a row" in died.message
    assert w.client.state is State.FAILED
    number = w.client.generate(request())
    assert w.poll() == [Failed(number, died.message)]
    assert w.starts() == 3
    w.client.restart()
    w.until_told(Ready, 4)
    assert w.client.state is State.READY


def test_deaths_long_apart_are_no_row(tmp_path: Path) -> None:
    now = [0.0]
    client = EngineClient(
        Launch(tmp_path / "no python", tmp_path), tmp_path / "log", clock=lambda: now[0]
    )
    for _ in range(5):
        assert client._may_live_after(client._now)
        for _ in range(125):
            now[0] += 1.0
            client.poll()


# --- what breaks the protocol --------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    ["rubbish", "text_midway", "huge_header", "huge_body", "unknown_kind", "no_number",
     "ready_twice", "closes_stdout"],
)  # fmt: skip
def test_a_worker_that_breaks_the_protocol_is_ended(watch: Watch, behaviour: str) -> None:
    w = watch(behaviour)
    w.client.generate(request())
    w.until(lambda: w.client.process_id is not None)
    process = w.client.process_id
    died = w.until_told(Died)
    assert isinstance(died, Died) and "sent what makes no sense" in died.message
    assert w.client.state is State.STOPPED
    assert process is not None
    w.until(lambda: not lives(process))


@pytest.mark.parametrize(
    "how",
    ["nan", "no_unit", "wrong_shape", "wrong_frames", "integers", "missing_array", "other_seeds",
     "too_few", "no_settings", "no_rate"],
)  # fmt: skip
def test_an_answer_of_no_use_fails_its_request_alone(watch: Watch, how: str) -> None:
    w = watch(f"spoilt_{how}")
    numbers = [w.client.generate(request()), w.client.generate(request())]
    w.until_told(Failed, 2)
    assert [event.request for event in w.of(Failed)] == numbers
    assert all("of no use" in event.message for event in w.of(Failed))
    assert w.client.state is State.READY and w.starts() == 1


def test_a_worker_may_not_cancel_by_itself(watch: Watch) -> None:
    w = watch("uninvited_cancelled")
    number = w.client.generate(request())
    failed = w.until_told(Failed)
    assert isinstance(failed, Failed) and failed.request == number


def test_previews_of_no_use_are_dropped(watch: Watch) -> None:
    w = watch("bad_previews")
    w.client.generate(request())
    w.until_told(Finished)
    assert w.of(Progress) == []


def test_second_answers_and_answers_to_nobody_are_dropped(watch: Watch) -> None:
    for behaviour in ("twice", "nobody"):
        w = watch(behaviour)
        numbers = [w.client.generate(request()) for _ in range(3)]
        w.until_told(Finished, 3)
        w.client.stop(LONG)
        w.poll()
        assert [type(event) for event in w.events] == [Ready, Finished, Finished, Finished]
        assert [event.request for event in w.of(Finished)] == numbers


# --- cancelling ----------------------------------------------------------------------------------


def test_cancelling_is_told_at_once_and_what_comes_late_is_dropped(watch: Watch) -> None:
    w = watch("late_after_cancel", cancel=LONG)
    number = w.client.generate(request("work long"))
    w.until_told(Progress)
    w.client.cancel(number)
    assert w.client.pending == ()
    assert Cancelled(number) in w.poll()
    other = w.client.generate(request())
    w.until_told(Finished)
    assert [event.request for event in w.of(Finished)] == [other]
    assert w.starts() == 1, "the late answer shows that the worker is free again"
    w.client.cancel(number)
    w.client.cancel(12345)
    w.until(lambda: not w.client._kill_at)
    assert w.of(Cancelled) == [Cancelled(number)]


def test_the_second_to_let_go_begins_with_the_cancelling(watch: Watch) -> None:
    """Not with the last poll: a busy Blender may not have polled for long."""
    w = watch("late_after_cancel", cancel=1.0)
    number = w.client.generate(request("work long"))
    w.until_told(Progress)
    now = [w.client._clock()]
    w.client._clock = lambda: now[0]
    now[0] += 100.0
    w.client.cancel(number)
    w.poll()
    assert w.client.state is State.READY and w.starts() == 1
    other = w.client.generate(request())
    w.until_told(Finished)
    assert [event.request for event in w.of(Finished)] == [other] and w.starts() == 1


def test_cancelling_while_it_starts_does_not_disturb_the_start(watch: Watch) -> None:
    w = watch("good")
    first, second = w.client.generate(request()), w.client.generate(request())
    w.client.cancel(first)
    w.until_told(Finished)
    assert w.events[0] == Cancelled(first)
    assert [event.request for event in w.of(Finished)] == [second] and w.starts() == 1


def test_who_does_not_stop_is_killed_and_the_others_go_to_a_new_one(watch: Watch) -> None:
    w = watch("deaf_to_cancel", cancel=0.2)
    deaf = w.client.generate(request("work long"))
    w.until_told(Progress)
    others = [w.client.generate(request("work long", (seed,))) for seed in (7, 8)]
    process = w.client.process_id
    w.client.cancel(deaf)
    w.until(lambda: w.starts() == 2)
    w.until_told(Finished, 2)
    assert [(event.request, event.seeds) for event in w.of(Finished)] == [
        (others[0], (7,)),
        (others[1], (8,)),
    ]
    assert w.of(Died) == [] and w.of(Cancelled) == [Cancelled(deaf)]
    assert process is not None and not lives(process)


def test_after_a_kill_it_starts_again_with_the_next_request(watch: Watch) -> None:
    w = watch("deaf_to_cancel", cancel=0.2)
    number = w.client.generate(request("work long"))
    w.until_told(Progress)
    w.client.cancel(number)
    w.until(lambda: w.client.state is State.STOPPED)
    assert w.of(Died) == [] and w.client.failure == ""
    w.client.generate(request("work long"))
    w.until_told(Finished)
    assert w.starts() == 2


# --- hanging -------------------------------------------------------------------------------------


def test_a_worker_that_hangs_in_a_job_shows_and_can_be_cancelled(watch: Watch) -> None:
    w = watch("hang_in_job", ping=0.05, answer=0.3, cancel=0.2)
    number = w.client.generate(request("hang"))
    w.until(lambda: not w.client.responding)
    assert w.client.state is State.READY and w.client.pending == (number,)
    w.client.cancel(number)
    w.until(lambda: w.client.state is State.STOPPED)
    assert w.client.responding
    w.client.generate(request())
    w.until_told(Finished)


def test_a_busy_worker_that_answers_counts_as_responding(watch: Watch) -> None:
    w = watch("busy", ping=0.01, answer=LONG)
    w.client.generate(request("work long"))
    w.until_told(Progress)
    w.until(lambda: w.client._ping_token >= 5)
    assert w.client.responding


def test_a_worker_that_stops_in_the_middle_of_a_message_can_be_restarted(watch: Watch) -> None:
    w = watch("hang_mid_message", ping=0.05, answer=0.3)
    number = w.client.generate(request())
    w.until(lambda: not w.client.responding)
    w.client.restart()
    w.until_told(Failed)
    assert w.of(Failed) == [Failed(number, "The engine was restarted. Generate again.")]
    w.until_told(Ready, 2)


def test_a_worker_that_never_reads_keeps_nobody_waiting(watch: Watch) -> None:
    w = watch("never_reads", cancel=0.2)
    w.client.start()
    w.until_told(Ready)
    longest = 0.0
    for _ in range(100):  # far more than a pipe holds
        began = time.perf_counter()
        number = w.client.generate(request("a walk " * 10_000))
        longest = max(longest, time.perf_counter() - began)
        w.poll()
    assert longest < LONG / 10, "it must not have waited for the pipe"
    w.client.cancel(number)
    w.until(lambda: w.starts() == 2)  # killed, and a new one for the other ninety-nine
    assert len(w.client.pending) == 99


def test_ignoring_the_request_to_end_helps_nobody(watch: Watch) -> None:
    w = watch("ignores_shutdown")
    w.client.start()
    w.until_told(Ready)
    process = w.client.process_id
    assert process is not None
    w.client.stop(0.2)
    assert w.client.state is State.STOPPED
    w.until(lambda: not lives(process))


def test_stopping_while_it_starts_leaves_no_process(watch: Watch) -> None:
    w = watch("hang_at_start")
    w.client.start()
    started = w.client._connection
    w.client.stop(0)
    assert started.join(LONG)
    assert started.process_id is None or not lives(started.process_id)


# --- floods --------------------------------------------------------------------------------------


def test_a_flood_of_progress_is_neither_kept_nor_read(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_MESSAGES_PER_SECOND", 1)
    monkeypatch.setattr(connection, "_MESSAGES_AT_ONCE", 20)
    w = watch("flood_progress")
    number = w.client.generate(request())
    w.until_told(Progress)
    sent = w.scratch / "sent"

    def told() -> int:
        return int(sent.read_text() or 0) if sent.exists() else 0

    w.until(lambda: told() >= 15)
    time.sleep(1)
    assert told() < 100, "beyond what was read and what a pipe holds it must wait"
    inbox = w.client._connection.inbox
    assert len(inbox._progress) <= 1 and not inbox._answers
    assert len(w.poll()) <= 1
    w.client.cancel(number)
    assert w.poll() == [Cancelled(number)]
    w.client.stop(0)


def test_a_flood_of_log_is_bounded_in_memory_and_on_disk(watch: Watch) -> None:
    w = watch("flood_stderr")
    w.client.generate(request())
    w.until_told(Finished)
    older = w.log_path.with_name("engine.log.1")
    w.until(older.exists)
    flooding = w.client._connection
    w.client.stop(0)
    assert flooding.join(LONG)
    assert w.log_path.stat().st_size + older.stat().st_size < 3_000_000
    assert sum(map(len, w.client.log_tail(1000))) < 1_000_000


def test_a_throttle_lets_bursts_through_and_slows_floods() -> None:
    now, slept = [0.0], [0.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds
        now[0] += seconds

    throttle = Throttle(10, 50, clock=lambda: now[0], sleep=sleep)
    for _ in range(50):
        throttle.take()
    assert slept[0] == 0
    for _ in range(100):
        throttle.take()
    assert slept[0] == pytest.approx(10, rel=0.05)
    now[0] += 100
    slept[0] = 0
    for _ in range(50):
        throttle.take()
    assert slept[0] == 0


# --- sleep ---------------------------------------------------------------------------------------


def test_an_idle_worker_falls_asleep_and_wakes_for_a_request(watch: Watch) -> None:
    w = watch("sleeps")
    w.client.start()
    w.until_told(Asleep)
    assert w.client.state is State.ASLEEP and w.client.info is not None
    assert [type(event) for event in w.events] == [Ready, Asleep]
    assert w.client.failure == ""


def test_a_request_that_meets_a_worker_falling_asleep_goes_to_the_next(watch: Watch) -> None:
    w = watch("sleeps_when_asked")
    number = w.client.generate(request())
    finished = w.until_told(Finished)
    assert isinstance(finished, Finished) and finished.request == number
    assert w.starts() == 2 and w.of(Died) == [] and w.of(Asleep) == []


def test_one_that_always_sleeps_over_its_work_is_given_up(watch: Watch) -> None:
    w = watch("sleeps_over_work")
    number = w.client.generate(request())
    died = w.until_told(Died)
    assert isinstance(died, Died) and died.requests == (number,)
    assert w.client.state is State.FAILED and w.starts() == 3


# --- leaving -------------------------------------------------------------------------------------

_HOST = """
import os, sys, time
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from worker_fakes import Watched, request
from scalemogen_blender.client.messages import Progress
w = Watched(Path({folder!r}), {behaviour!r})
w.client.generate(request("work long"))
w.until_told(Progress)
print(w.client.process_id, flush=True)
{end}
"""


@linux
@pytest.mark.parametrize("end", ["pass", "os._exit(1)", "time.sleep(3600)", "raise SystemExit(3)"])
def test_no_worker_outlives_its_blender(tmp_path: Path, end: str) -> None:
    source = _HOST.format(
        root=str(ROOT), tests=str(ROOT / "tests"), folder=str(tmp_path), behaviour="busy", end=end
    )
    host = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    worker = int(host.stdout.readline())
    if "sleep" in end:
        assert lives(worker)
        host.kill()
    host.wait(LONG)
    deadline = time.monotonic() + LONG
    while lives(worker):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    host.stdout.close()


def test_threads_end_with_their_process(watch: Watch) -> None:
    w = watch("good")
    w.client.generate(request())
    w.until_told(Finished)

    def ours() -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t.name.startswith("scalemogen")]

    assert ours() and all(thread.daemon for thread in ours())
    before = len(ours())
    w.client.stop(LONG)
    w.until(lambda: len(ours()) <= before - 4)


# --- how it is started ---------------------------------------------------------------------------


def test_the_workers_surroundings_are_its_own() -> None:
    launch = Launch(Path("/run time/python"), Path("/an engine/Ä"), "open", "cuda:1", 60.0)
    base = {
        "PATH": "/bin",
        "HOME": "/home/x",
        "PYTHONHOME": "/blender/python",
        "PYTHONPATH": "/blender/scripts",
        "PythonStartup": "x.py",
        "LD_PRELOAD": "libjemalloc.so",
        "__PYVENV_LAUNCHER__": "/blender",
    }
    variables = environment(launch, base)
    assert variables["PATH"] == "/bin" and variables["HOME"] == "/home/x"
    assert variables["PYTHONPATH"] == str(launch.engine_folder)
    assert variables["PYTHONNOUSERSITE"] == variables["PYTHONUTF8"] == "1"
    assert not variables.keys() & {"PYTHONHOME", "PythonStartup", "LD_PRELOAD"}
    assert not variables.keys() & {"__PYVENV_LAUNCHER__"}
    words = command(launch, 42)
    assert words[:3] == [str(launch.python), "-m", "core.worker"]
    assert {"--model=open", "--device=cuda:1", "--idle-seconds=60.0", "--parent=42"} <= set(words)
    assert not any(word.startswith("--cache-folder") for word in words)


def test_a_module_in_the_current_folder_is_not_imported(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    w = watch("good")
    w.client.generate(request())
    w.until_told(Finished)


# --- the parts -----------------------------------------------------------------------------------


def test_the_log_keeps_last_lines_and_survives_an_unwritable_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = EngineLog(tmp_path / "file" / "engine.log", kept_lines=3)  # its folder is a file
    log.write(b"eins\nzw")
    log.write("ei ä".encode()[:-1])
    log.write("ä".encode()[1:] + b"\r\n\n\xff\xfe broken\n")
    assert log.tail() == ("eins", "zwei ä", "\ufffd\ufffd broken")
    log.note("ours")
    assert log.tail(2) == ("\ufffd\ufffd broken", "ours")


def test_the_log_file_turns_over(tmp_path: Path) -> None:
    log = EngineLog(tmp_path / "new" / "engine.log", max_bytes=100)
    for index in range(50):
        log.write(f"line {index}\n".encode())
    older = (tmp_path / "new" / "engine.log.1").read_text()
    assert (older + log.path.read_text()).endswith("line 48\nline 49\n")
    assert len(older) + log.path.stat().st_size < 250


@pytest.mark.parametrize(
    ("code", "about"),
    [
        (-9, "lack of memory"),
        (0xC0000017, "lack of memory"),
        (0xC0000005, "error 0xc0000005"),
        (-11, "SIGSEGV"),
        (-15, "ended from outside (SIGTERM)"),
        (-99, "signal 99"),
        (1, "exit code 1"),
        (0, "exit code 0"),
    ],
)
def test_exits_are_put_into_words(code: int, about: str) -> None:
    launch = Launch(Path("python"), Path())
    assert about in verdict(Ended(code, greeted=True, ready=True), (), launch).message


def test_messages_out_of_turn_are_refused_and_those_to_nobody_not_even_decoded() -> None:
    inbox = Inbox()
    hello = Message("hello", {"protocol": PROTOCOL_VERSION})
    for early in (Message("ready", {}), Message("pong", {}), Message("asleep", {})):
        with pytest.raises(ProtocolError):
            inbox.receive(early)
    inbox.receive(hello)
    for wrong in (hello, Message("finished", {"request": 1}), Message("asleep", {})):
        with pytest.raises(ProtocolError):
            inbox.receive(wrong)
    inbox._ready = True
    for kind in ("progress", "finished", "failed", "cancelled"):
        inbox.receive(Message(kind, {"request": 1, "motions": "nonsense"}))
    assert [type(item) for item in inbox.take()] == [Hello]


def test_half_characters_are_replaced_before_anybody_shows_them() -> None:
    told = incoming.failed(1, {"message": "no \ud800 such", "details": "\udc80"})
    assert (told.message, told.details) == ("no ? such", "?")


def test_numbers_beyond_all_measure_are_refused() -> None:
    fields = {
        "engine_version": "1", "python_version": "3", "torch_version": "2", "device": "cpu",
        "devices": [], "model": "open", "min_seconds": 10**400, "max_seconds": 10,
    }  # fmt: skip
    with pytest.raises(ProtocolError, match="min_seconds"):
        incoming.worker_info(fields)

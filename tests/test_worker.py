"""The worker with a real engine in it: answers, progress, cancelling, and how it leaves."""

import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from worker_fakes import LONG, ROOT
from worker_talk import ENGINE, PROMPT, Talk, save_tiny

import core
from core.engine import Engine
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.paths import MODELS
from core.protocol import PROTOCOL_VERSION, Message, ProtocolError, unpack_motions
from core.worker import jobs
from core.worker.devices import found_devices, memory_bytes, processor_name
from core.worker.wishes import ClipWish
from scalemogen_blender.client import EngineClient, State
from scalemogen_blender.client.messages import (
    Asleep,
    Died,
    Event,
    Failed,
    Finished,
    GenerateRequest,
    Launch,
    Progress,
    Ready,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEMOGEN_CACHE", str(tmp_path / "prompts"))


@pytest.fixture
def talk() -> Iterator[Callable[..., Talk]]:
    talks: list[Talk] = []

    def start(*arguments: str, **options: Any) -> Talk:
        talks.append(Talk(*arguments, **options))
        return talks[-1]

    yield start
    for made in talks:
        made.process.kill()
        made.end()


# --- the engine's side ---------------------------------------------------------------------------


def test_previews_change_nothing_and_become_the_motion(tiny: Path) -> None:
    engine = Engine.load(tiny, "cpu")
    plain = engine.generate(PROMPT, 2.0, [3, 4], cleanup=False).motions
    coarse: list[Motion] = []
    steps: list[None] = []
    watched = engine.generate(
        PROMPT,
        2.0,
        [3, 4],
        cleanup=False,
        on_preview=lambda done, of, make: coarse.append(make()),
        on_step=lambda: steps.append(None),
    ).motions
    for a, b in zip(plain, watched, strict=True):
        assert np.array_equal(a.rotations, b.rotations)
        assert np.array_equal(a.root_positions, b.root_positions)
    depth = engine.model.config.transformer.depth
    assert len(coarse) == 3 and len(steps) == 3 * depth + 2  # every block of every scale
    assert not any(block._forward_pre_hooks for block in engine.model.transformer.blocks)
    assert all(motion.frame_count == 60 for motion in coarse)
    # With the bits of every scale it is the motion itself; before, it is another.
    np.testing.assert_allclose(coarse[-1].rotations, plain[0].rotations, atol=1e-5)
    assert np.abs(coarse[0].rotations - plain[0].rotations).max() > 1e-3


@pytest.mark.parametrize("where", ["on_scale", "on_preview", "on_step"])
def test_raising_in_a_callback_stops_the_engine(tiny: Path, where: str) -> None:
    class StopHereError(Exception):
        pass

    def stop(*_: Any) -> None:
        raise StopHereError

    with pytest.raises(StopHereError):
        Engine.load(tiny, "cpu").generate(PROMPT, 2.0, [3], **{where: stop})


def test_devices_have_names_and_memory() -> None:
    devices = found_devices()
    assert devices[-1]["id"] == "cpu"
    assert devices[-1]["name"] == processor_name() != ""
    memory = memory_bytes()
    assert memory is not None and memory > 100e6
    assert devices[-1]["memory_mb"] == round(memory / 1e6)
    assert all(isinstance(d["name"], str) and d["id"] for d in devices)


# --- through the client --------------------------------------------------------------------------


class Client:
    """The real client on the real worker."""

    def __init__(self, folder: Path, **launch: Any) -> None:
        launch = {"python": Path(sys.executable), "engine_folder": ROOT, "device": "cpu"} | launch
        cache = folder / "cache of prompts"
        self.client = EngineClient(Launch(**launch, cache_folder=cache), folder / "engine.log")
        self.events: list[Event] = []

    def until_told(self, kind: type[Event], count: int = 1) -> Any:
        end = time.monotonic() + LONG
        while len(self.of(kind)) < count:
            assert time.monotonic() < end, (self.events, self.client.log_tail())
            self.events += self.client.poll()
            time.sleep(0.005)
        return self.of(kind)[-1]

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(**launch: Any) -> Client:
        clients.append(Client(tmp_path, **launch))
        return clients[-1]

    yield make
    for made in clients:
        made.client.stop(0)


def models() -> list[str]:
    return ["tiny", *(["default"] if (MODELS / "default.json").exists() else [])]


@pytest.mark.parametrize("name", models())
def test_what_arrives_is_what_the_engine_makes(
    client: Callable[..., Client], tiny: Path, name: str
) -> None:
    model = str(tiny) if name == "tiny" else name
    c = client(model=model)
    wishes = [
        GenerateRequest(PROMPT, (1, 2**40), 2.0),
        GenerateRequest("eine Person ä winkt 👋", (3,), 1.2, 2.0, 0.8, False, False),
    ]
    for wish in wishes:
        c.client.generate(wish)
    c.until_told(Finished, 2)
    assert c.client.info is not None
    assert c.client.info.engine_version == core.__version__
    assert c.client.info.torch_version == torch.__version__
    assert c.client.info.devices[-1].id == c.client.info.device == "cpu"
    engine = Engine.load(model, "cpu")
    assert c.client.info.max_seconds == engine.max_seconds
    for wish, finished in zip(wishes, c.of(Finished), strict=True):
        assert isinstance(finished, Finished)
        expected = engine.generate(
            wish.prompt,
            wish.seconds or 0,
            wish.seeds,
            guidance=wish.guidance,
            temperature=wish.temperature,
            cleanup=wish.cleanup,
        ).motions
        for made, sent in zip(expected, finished.motions, strict=True):
            assert np.array_equal(made.rotations.astype("f4"), sent.rotations)
            assert np.array_equal(made.root_positions.astype("f4"), sent.root_positions)
            assert np.array_equal(made.contacts.astype("f4"), sent.contacts)
        assert finished.settings["prompt"] == wish.prompt
        assert finished.settings["seconds"] == wish.seconds
        assert finished.settings["cleanup"] == wish.cleanup
        assert finished.settings["engine"] == core.__version__
        assert finished.timings["total_ms"] > 0
    own = engine.model.config.transformer
    first, second = (f.settings for f in c.of(Finished))
    assert (first["guidance"], first["temperature"]) == (own.guidance, own.temperature)
    assert (second["guidance"], second["temperature"]) == (2.0, 0.8)
    assert all(p.preview is None for p in c.of(Progress) if p.request == 2)


def test_the_model_may_choose_the_length(client: Callable[..., Client], tiny: Path) -> None:
    c = client(model=str(tiny))
    c.client.generate(GenerateRequest("a kick", (1,)))
    finished = c.until_told(Finished)
    seconds = Engine.load(tiny, "cpu").natural_seconds("a kick")
    assert finished.settings["seconds"] == seconds
    assert finished.motions[0].seconds == pytest.approx(seconds, abs=0.02)


def test_what_the_artist_can_put_right_is_told_and_the_worker_goes_on(
    client: Callable[..., Client], tiny: Path
) -> None:
    c = client(model=str(tiny))
    wishes = [
        (GenerateRequest("a kick", (1,), 1000.0), "use 0.5 to 5.3 seconds"),
        (GenerateRequest("  ", (1,), 2.0), "prompt is empty"),
        (GenerateRequest("a \udcff kick", (1,), 2.0), "cannot be read. Type it again"),
        (GenerateRequest("a kick", (), 2.0), "no seed"),
        (GenerateRequest("a kick", (1,), 2.0, guidance=99.0), "guidance"),
        (GenerateRequest("a kick", (1.5,), 2.0), "whole number"),  # type: ignore[arg-type]
    ]
    for wish, _ in wishes:
        c.client.generate(wish)
    c.client.generate(GenerateRequest("a kick", (1,), 1.0))
    c.until_told(Finished)
    for (_, about), failed in zip(wishes, c.of(Failed), strict=True):
        assert isinstance(failed, Failed)
        assert about in failed.message and failed.details == ""


def test_an_idle_worker_leaves_and_comes_back(client: Callable[..., Client], tiny: Path) -> None:
    c = client(model=str(tiny), idle_seconds=0.1)
    c.client.generate(GenerateRequest("a kick", (1,), 1.0))
    c.until_told(Asleep)
    assert c.client.state is State.ASLEEP
    assert len(c.of(Finished)) == 1 and c.of(Died) == []
    c.client.generate(GenerateRequest("a kick", (1,), 1.0))
    c.until_told(Finished, 2)


@pytest.mark.parametrize(
    ("launch", "about"),
    [
        ({"model": "no-such-model"}, "no model 'no-such-model'"),
        ({"device": "cuda:99"}, "no device 'cuda:99'"),
    ],
)
def test_a_model_or_device_that_is_not_there_is_named(
    client: Callable[..., Client], launch: dict[str, str], about: str
) -> None:
    c = client(**launch)
    c.client.start()
    died = c.until_told(Died)
    assert about in died.message and not died.repair
    assert c.client.state is State.FAILED


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter without any packages."""
    folder = tmp_path_factory.mktemp("bare") / "runtime"
    venv.create(folder, with_pip=False, symlinks=os.name == "posix")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def test_a_runtime_without_torch_can_be_repaired(
    client: Callable[..., Client], bare_python: Path
) -> None:
    c = client(python=bare_python)
    number = c.client.generate(GenerateRequest("a kick", (1,), 1.0))
    died = c.until_told(Died)
    assert "runtime is incomplete: torch is missing" in died.message and died.repair
    assert died.requests == (number,) and c.client.state is State.FAILED


@pytest.mark.parametrize(
    ("torch_source", "about"),
    [
        ("import no_such_part.of_torch", "no_such_part is missing"),
        ("raise ImportError('libtorch.so: undefined symbol')", "undefined symbol"),
        ("raise OSError('[WinError 126] c10.dll')", "c10.dll"),
        ("raise RuntimeError('odd')", "cannot start (RuntimeError: odd)"),
    ],
)
def test_a_runtime_with_a_damaged_torch_is_told(
    client: Callable[..., Client], tmp_path: Path, torch_source: str, about: str
) -> None:
    venv.create(tmp_path / "runtime", with_pip=False, symlinks=os.name == "posix")
    python = tmp_path / "runtime" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.check_output(ask, text=True).strip())
    (site / "torch.py").write_text(torch_source)
    c = client(python=python)
    c.client.start()
    died = c.until_told(Died)
    assert about in died.message and "\n" not in died.message
    assert died.repair == ("RuntimeError" not in torch_source)


def test_the_engine_may_lie_in_any_folder(
    client: Callable[..., Client], tiny: Path, tmp_path: Path
) -> None:
    """Spaces, letters of the world, write-protected, and with modules that look like others."""
    folder = tmp_path / "Bibliothèque – 拡張 機能" / "scalemogen"
    shutil.copytree(ROOT / "core", folder / "core", ignore=shutil.ignore_patterns("__pycache__"))
    assets = shutil.ignore_patterns("models", "evaluator")
    shutil.copytree(ROOT / "assets", folder / "assets", ignore=assets)
    model = shutil.copytree(tiny, tmp_path / "ein Modell ä")
    for name in ("typing_extensions", "sympy", "safetensors"):
        (folder / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    protected = [folder, *folder.rglob("*")]
    for path in protected:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        c = client(engine_folder=folder, model=str(model))
        c.client.generate(GenerateRequest("a kick", (1,), 1.0))
        c.until_told(Finished)
    finally:
        for path in protected:
            path.chmod(0o755)


# --- message by message --------------------------------------------------------------------------


def test_every_scale_is_told_and_the_first_with_a_preview(
    talk: Callable[..., Talk], tiny: Path
) -> None:
    t = talk("--model", str(tiny), "--device", "cpu")
    t.greet()
    t.ask(5)
    *progress, finished = t.hear_until("finished")
    assert [(m.kind, m.fields["request"], m.fields["done"], m.fields["of"]) for m in progress] == [
        ("progress", 5, done, 3) for done in (1, 2, 3)
    ]
    (preview,) = unpack_motions(progress[0])
    assert preview.frame_count == 60
    assert finished.fields["request"] == 5
    t.ask(6, preview=False)
    assert all(not message.arrays for message in t.hear_until("finished")[:-1])


@pytest.mark.parametrize("theirs", [PROTOCOL_VERSION + 1, "one", None])
def test_another_version_is_refused_clearly(talk: Callable[..., Talk], theirs: Any) -> None:
    t = talk("--device", "cpu")
    t.say("hello", protocol=theirs)
    answer = t.hear()
    assert answer is not None and answer.kind == "cannot_start"
    assert answer.fields["reason"] == "version"
    assert answer.fields["protocol"] == PROTOCOL_VERSION
    assert repr(theirs) in answer.fields["message"]
    assert t.hear() is None
    assert t.end()[0] == 3


def test_who_sends_nonsense_is_left(talk: Callable[..., Talk], tiny: Path) -> None:
    t = talk("--model", str(tiny), "--device", "cpu")
    t.greet()
    t.process.stdin.write(b"generate a walk, please\n")
    assert t.hear() is None
    code, log = t.end()
    assert code == 1 and "no message" in log


def test_shutdown_and_the_end_of_the_pipe_end_it(talk: Callable[..., Talk], tiny: Path) -> None:
    for how in ("shutdown", "close"):
        t = talk("--model", str(tiny), "--device", "cpu")
        t.greet()
        if how == "shutdown":
            t.say("shutdown")
        else:
            t.process.stdin.close()
        assert t.process.wait(LONG) == 0


# --- with engines that do what is wanted of them -------------------------------------------------


@pytest.fixture
def fake(talk: Callable[..., Talk]) -> Callable[..., Talk]:
    def start(*arguments: str) -> Talk:
        t = talk(*(arguments or ("0",)), source=ENGINE)
        t.greet()
        return t

    return start


def test_what_libraries_print_goes_to_the_log(fake: Callable[..., Talk]) -> None:
    t = fake()
    t.ask(1, "print")
    assert [m.kind for m in t.hear_until("finished", "failed")] == ["finished"]
    t.say("shutdown")
    assert t.hear() is None
    _, log = t.end()
    for words in ("printed by a library", "written by a library", "printed by a program"):
        assert words in log


@pytest.mark.parametrize(
    ("prompt", "about", "traced"),
    [
        ("memory", "not enough memory for this. Ask for fewer variations", False),
        ("torch_memory", "choose the device CPU", False),
        ("bug", "made a mistake (KeyError: 'a mistake of ours'). Its log tells more", True),
        ("nan", "computed what is no number. Choose the device CPU", False),
    ],
)
def test_a_job_that_goes_wrong_is_explained_and_the_next_one_works(
    fake: Callable[..., Talk], prompt: str, about: str, traced: bool
) -> None:
    t = fake()
    t.ask(1, prompt)
    t.ask(2, "a kick")
    failed, finished = t.hear_until("finished")
    assert failed.kind == "failed" and failed.fields["request"] == 1
    assert about in failed.fields["message"] and "\n" not in failed.fields["message"]
    assert ("Traceback" in failed.fields["details"]) == traced
    assert finished.fields["request"] == 2


def test_a_gpu_that_has_lost_its_mind_gets_a_new_process(fake: Callable[..., Talk]) -> None:
    t = fake()
    t.ask(1, "cuda")
    failed, asleep = t.hear_until("asleep")
    assert "graphics device stopped working" in failed.fields["message"]
    assert asleep.kind == "asleep" and t.process.wait(LONG) == 0


def test_memory_that_does_not_suffice_for_the_model_is_told(talk: Callable[..., Talk]) -> None:
    t = talk("load_memory", source=ENGINE)
    t.say("hello", protocol=PROTOCOL_VERSION)
    hello, refusal = t.hear_until("cannot_start")
    assert hello.kind == "hello" and refusal.fields["reason"] == "setup"
    assert "not enough memory to load" in refusal.fields["message"]
    assert t.process.wait(LONG) == 2


def test_previews_are_no_more_than_can_be_seen(fake: Callable[..., Talk]) -> None:
    t = fake()
    began = time.monotonic()
    t.ask(1, "many")
    heard = t.hear_until("finished")
    elapsed = time.monotonic() - began
    assert len(heard) == 2001
    assert 1 <= sum(bool(m.arrays) for m in heard[:-1]) <= 1 + 15 * elapsed


@pytest.mark.parametrize("prompt", ["long", "decode"])
def test_a_running_job_can_be_called_off(fake: Callable[..., Talk], prompt: str) -> None:
    t = fake()
    t.ask(1, prompt)
    t.hear_until("progress")
    t.say("cancel", request=1)
    t.ask(2, "a kick")
    heard = [(m.kind, m.fields["request"]) for m in t.hear_until("finished")]
    assert [entry for entry in heard if entry[0] != "progress"] == [
        ("cancelled", 1),
        ("finished", 2),
    ]


def test_every_cancel_is_answered_once(fake: Callable[..., Talk]) -> None:
    t = fake()
    t.ask(1, "stuck")
    t.hear_until("progress")
    t.ask(2, "a kick")
    t.say("cancel", request=2)  # it waits behind a job that never ends
    t.say("cancel", request=77)  # nobody knows it
    assert [(t.hear().kind, n) for n in (2, 77)] == [("cancelled", 2), ("cancelled", 77)]


def test_a_ping_is_answered_during_a_job(fake: Callable[..., Talk]) -> None:
    t = fake()
    t.ask(1, "stuck")
    t.hear_until("progress")
    t.say("ping", token=42)
    pong = t.hear()
    assert pong is not None and (pong.kind, pong.fields) == ("pong", {"token": 42})


def test_work_keeps_it_awake(fake: Callable[..., Talk]) -> None:
    t = fake("0.3")
    t.ask(1, "long")
    began = time.monotonic()
    while time.monotonic() - began < 0.8:
        message = t.hear()
        assert message is not None and message.kind == "progress"
    t.say("cancel", request=1)
    assert [m.kind for m in t.hear_until("asleep") if m.kind != "progress"] == [
        "cancelled",
        "asleep",
    ]
    assert t.process.wait(LONG) == 0


@pytest.mark.parametrize("prompt", ["stuck", "long"])
def test_the_end_of_the_pipe_ends_it_in_the_middle_of_a_job(
    fake: Callable[..., Talk], prompt: str
) -> None:
    t = fake()
    t.ask(1, prompt)
    t.hear_until("progress")
    t.process.stdin.close()
    assert t.process.wait(LONG) == 0


@pytest.mark.skipif(os.name != "posix", reason="POSIX tells who is an orphan")
def test_an_orphan_leaves_even_if_somebody_holds_its_pipe(talk: Callable[..., Talk]) -> None:
    nobody = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    t = talk("0", str(nobody.pid), source=ENGINE)
    t.greet()
    t.ask(1, "stuck")
    t.hear_until("progress")
    nobody.send_signal(signal.SIGKILL)
    nobody.wait()
    assert t.process.wait(LONG) == 0


# --- a job's small print -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "memory", "lost"),
    [
        (MemoryError(), True, False),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True, False),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True, False),
        (RuntimeError("CUDA error: out of memory"), True, False),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), True, False),
        (RuntimeError("CUDA error: device-side assert triggered"), False, True),
        (RuntimeError("shapes do not fit"), False, False),
        (KeyError("out of memory"), False, False),
    ],
)
def test_errors_are_sorted_by_what_helps(error: Exception, memory: bool, lost: bool) -> None:
    assert jobs._is_out_of_memory(error) == memory
    assert jobs._is_device_lost(error) == lost


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": None},
        {"prompt": 5},
        {"seeds": "12"},
        {"seeds": [True]},
        {"seconds": "2"},
        {"guidance": False},
        {"guidance": 10**400},
        {"cleanup": None},
        {"preview": 1},
    ],
)
def test_requests_of_another_make_are_refused(change: dict[str, Any]) -> None:
    fields = {"prompt": "a kick", "seeds": [1], "cleanup": True, "preview": False}
    ClipWish(fields)
    with pytest.raises(ScaleMoGenError):
        ClipWish(fields | change)


def test_an_answer_too_long_to_send_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Message] = []

    def send(message: Message) -> None:
        if message.kind != "failed":
            raise ProtocolError("a message of 2 + 99999999 bytes is too long")
        sent.append(message)

    monkeypatch.setitem(jobs.KINDS, "generate", lambda *_: Message("finished", {}))
    jobs.work(None, jobs.Job(1, Message("generate")), send)  # type: ignore[arg-type]
    assert "too long" in sent[0].fields["message"]


def test_ready_is_told_before_anything_else(client: Callable[..., Client], tiny: Path) -> None:
    c = client(model=str(tiny))
    c.client.generate(GenerateRequest("a kick", (1,), 1.0))
    c.until_told(Finished)
    assert isinstance(c.events[0], Ready)

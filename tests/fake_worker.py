"""The script behind tests/worker_fakes.py: ``--model`` names what it does wrong."""

import os
import signal
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from core.motion import Motion
from core.protocol import PROTOCOL_VERSION, Message, encode, pack_motions, read, write
from core.skeleton import canonical

SOURCE, SINK = open(0, "rb", 0), open(1, "wb", 0)  # noqa: SIM115
READY = {
    "engine_version": "fake",
    "python_version": "3",
    "torch_version": "none",
    "device": "cpu",
    "devices": [{"id": "cpu", "name": "a processor", "memory_mb": 1000}, {"id": "x", "name": "y"}],
    "model": "fake",
    "min_seconds": 0.5,
    "max_seconds": 10,
}
FRAMES = 10
lock = threading.Lock()


def say(kind: str, arrays: dict[str, np.ndarray] | None = None, **fields: Any) -> None:
    with lock:
        write(SINK, Message(kind, fields, arrays or {}))


def raw(data: bytes) -> None:
    with lock:
        SINK.write(data)


def motion(seed: int = 0) -> Motion:
    rotations = np.zeros((FRAMES, 22, 4))
    rotations[..., 0] = 1
    return Motion(canonical(), rotations, np.full((FRAMES, 3), float(seed)), 30.0)


def finished(request: int, seeds: list[int]) -> Message:
    table, arrays = pack_motions([motion(seed) for seed in seeds])
    fields = {"request": request, "seeds": seeds, "settings": {"model": "fake"}, "timings": {}}
    return Message("finished", {**fields, "motions": table}, arrays)


def answer(request: int, seeds: list[int]) -> None:
    message = finished(request, seeds)
    say(message.kind, dict(message.arrays), **message.fields)


def progress(request: int, done: int, preview: bool = True) -> None:
    table, arrays = pack_motions([motion(done)] if preview else [])
    say("progress", arrays, request=request, done=done, of=6, motions=table)


def hang() -> None:
    while True:
        time.sleep(3600)


def spoilt(how: str, request: int, seeds: list[int]) -> None:
    """An answer that is well framed and makes no sense."""
    message = finished(request, seeds)
    arrays = {name: array.copy() for name, array in message.arrays.items()}
    fields = dict(message.fields)
    if how == "nan":
        arrays["0/root_positions"][3] = np.nan
    elif how == "no_unit":
        arrays["0/rotations"] *= 2
    elif how == "wrong_shape":
        arrays["0/rotations"] = arrays["0/rotations"][:, :5]
    elif how == "wrong_frames":
        arrays["0/root_positions"] = arrays["0/root_positions"][:-1]
    elif how == "integers":
        arrays["0/rotations"] = arrays["0/rotations"].astype("i4")
    elif how == "missing_array":
        del arrays["0/rotations"]
    elif how == "other_seeds":
        fields["seeds"] = [99]
    elif how == "too_few":
        fields["motions"] = []
    elif how == "no_settings":
        del fields["settings"]
    elif how == "no_rate":
        fields["motions"] = [{"fps": None}]
    say("finished", arrays, **fields)


class Worker:
    """Speaks the protocol, but for one fault."""

    def __init__(self, behaviour: str, scratch: Path) -> None:
        self.behaviour, self.scratch = behaviour, scratch
        with (scratch / "starts").open("a") as file:
            file.write("x")
        self.first_start = (scratch / "starts").stat().st_size == 1

    def start(self) -> None:
        """Up to ``ready``."""
        match self.behaviour:
            case "crash_at_once":
                os._exit(7)
            case "missing_module":
                import no_such_module_anywhere  # noqa: F401
            case "text_on_stdout":
                raw(b"Welcome to the engine!\n")
                hang()
            case "hang_at_start":
                hang()
            case "killed_at_start":
                os.kill(os.getpid(), signal.SIGKILL)
            case "ready_first":
                say("ready", **READY)
                hang()
        hello = read(SOURCE)
        assert hello is not None and hello.kind == "hello"
        assert hello.fields == {"protocol": PROTOCOL_VERSION}
        match self.behaviour:
            case "other_version":
                say("hello", protocol=PROTOCOL_VERSION + 1)
                hang()
            case "refuses_version":
                say("cannot_start", reason="version", message="The engine speaks version 9.")
                os._exit(3)
        say("hello", protocol=PROTOCOL_VERSION, engine_version="fake")
        match self.behaviour:
            case "hang_while_loading":
                hang()
            case "no_torch":
                say("cannot_start", reason="runtime", message="torch is missing.")
                os._exit(2)
            case "no_model":
                say("cannot_start", reason="setup", message="no model 'x'; use another")
                os._exit(2)
            case "bad_ready":
                say("ready", **{**READY, "devices": 5})
                hang()
            case "flood_stderr":
                threading.Thread(target=self.flood_stderr, daemon=True).start()
        say("ready", **READY)
        if self.behaviour == "ready_twice":
            say("ready", **READY)

    def flood_stderr(self) -> None:
        while True:
            os.write(2, b"x" * 65536)

    def run(self) -> None:
        self.start()
        if self.behaviour == "sleeps" or (
            self.behaviour == "sleeps_when_asked" and self.first_start
        ):
            if self.behaviour == "sleeps_when_asked":
                assert read(SOURCE) is not None
            say("asleep")
            os._exit(0)
        if self.behaviour == "sleeps_over_work":
            assert read(SOURCE) is not None
            say("asleep")
            os._exit(0)
        if self.behaviour == "closes_stdout":
            os.close(1)
            hang()
        if self.behaviour == "never_reads":
            hang()
        while (message := read(SOURCE)) is not None:
            self.receive(message)
        if self.behaviour == "ignores_shutdown":
            hang()

    def receive(self, message: Message) -> None:
        fields = message.fields
        if message.kind == "ping":
            say("pong", token=fields["token"])
        elif message.kind == "cancel":
            self.cancel(fields["request"])
        elif message.kind == "shutdown":
            if self.behaviour != "ignores_shutdown":
                os._exit(0)
        elif message.kind == "generate":
            self.generate(fields["request"], fields["seeds"], fields["prompt"])

    def cancel(self, request: int) -> None:
        match self.behaviour:
            case "deaf_to_cancel":
                return
            case "late_after_cancel":
                progress(request, 6)
                answer(request, [1])
                return
        say("cancelled", request=request)

    def generate(self, request: int, seeds: list[int], prompt: str) -> None:
        match self.behaviour:
            case "crash_in_job":
                print("about to crash\nthe last line", file=sys.stderr, flush=True)
                os._exit(3)
            case "killed_in_job":
                os.kill(os.getpid(), signal.SIGKILL)
            case "segfault_in_job":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "crash_first_time":
                if self.first_start:
                    os._exit(3)
            case "die_mid_message":
                data = encode(finished(request, seeds))
                raw(data[: len(data) // 2])
                os._exit(4)
            case "hang_mid_message":
                data = encode(finished(request, seeds))
                raw(data[: len(data) // 2])
                hang()
            case "hang_in_job":
                if prompt == "hang":
                    hang()
            case "deaf_to_cancel" | "late_after_cancel" | "busy":
                if prompt == "work long" and (self.first_start or self.behaviour == "busy"):
                    progress(request, 1)
                    return  # it answers pings, but not this
            case "twice":
                answer(request, seeds)
                say("failed", request=request, message="also failed", details="")
            case "nobody":
                answer(999, seeds)
                progress(998, 1)
                say("failed", request=-5, message="to nobody", details="")
                say("cancelled", request=12345)
            case "rubbish":
                raw(os.urandom(4096))
                hang()
            case "text_midway":
                raw(b"Warning: something is deprecated in this library\n" * 5)
                hang()
            case "huge_header":
                raw(struct.pack("<4sIQ", b"SMGw", 2**31, 0))
                hang()
            case "huge_body":
                raw(struct.pack("<4sIQ", b"SMGw", 2, 2**60) + b"{}")
                hang()
            case "unknown_kind":
                say("dance", request=request)
                hang()
            case "no_number":
                say("failed", request="one", message="x", details="")
                hang()
            case "uninvited_cancelled":
                say("cancelled", request=request)
                return
            case "bad_previews":
                say("progress", request=request, done=7, of=6)
                say("progress", {"0/rotations": np.ones((2, 3), "f4")}, request=request, done=1,
                    of=6, motions=[{"fps": 30.0}])  # fmt: skip
                say("progress", request=request, done="1", of=6)
            case "fails":
                say("failed", request=request, message="two\nlines", details="traceback")
                return
            case "flood_progress":
                sent = 0
                while True:
                    sent += 1
                    progress(request, 1 + sent % 5)
                    (self.scratch / "sent").write_text(str(sent))
            case "previews":
                for done in range(1, 7):
                    progress(request, done, preview=done == 3)
                (self.scratch / "sent").touch()
                while not (self.scratch / "go").exists():
                    time.sleep(0.005)
            case behaviour if behaviour.startswith("spoilt_"):
                spoilt(behaviour.removeprefix("spoilt_"), request, seeds)
                return
        answer(request, seeds)


def main() -> None:
    words = dict(word.split("=", 1) for word in sys.argv[1:])
    Worker(words["--model"], Path(words["--cache-folder"])).run()
    os._exit(0)

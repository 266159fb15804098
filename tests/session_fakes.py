"""An engine that says what a test wants it to say, for scripts inside bpy."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import bpy
import numpy as np

import scalemogen_blender
from core import editing, skeleton
from core import motion as motions
from core.rotations import quaternion_multiply
from scalemogen_blender import runtime, session
from scalemogen_blender.client import messages
from scalemogen_blender.client.state import State
from scalemogen_blender.session.manager import Session

LAUNCH = messages.Launch(python=Path("python"), engine_folder=Path())
INFO = messages.WorkerInfo(
    engine_version="0",
    python_version="3.11",
    torch_version="2.13.0",
    device="cuda:0",
    devices=(messages.Device("cpu", "CPU"), messages.Device("cuda:0", "Fake GPU", 8192)),
    model="open",
    min_seconds=0.5,
    max_seconds=320 / 30,
)
SETTINGS = {
    "prompt": "a person walks", "seconds": 2.0, "guidance": 3.0, "temperature": 1.0,
    "cleanup": True, "model": "open", "device": "cpu", "engine": "0",
}  # fmt: skip


def walk(frames: int = 60) -> motions.Motion:
    """A stiff figure that glides forward."""
    canonical = skeleton.canonical()
    turns = np.zeros((frames, canonical.joint_count, 4))
    turns[..., 0] = 1.0
    roots = np.zeros((frames, 3))
    roots[:, 1], roots[:, 2] = 0.95, np.linspace(0.0, 1.0, frames)
    return motions.Motion(canonical, turns, roots, 30.0)


def edited(request: messages.EditRequest, seed: int) -> editing.Edited:
    """The source with the asked joints bent a little in the asked frames; the last one is held."""
    source, edit = request.source, request.edit
    frames = np.minimum(np.arange(max(source.frame_count, edit.last + 1)), source.frame_count - 1)
    made = source.at_frames(frames)
    names = source.skeleton.joint_names
    bend = np.array([np.cos(0.1 + 0.01 * seed), np.sin(0.1 + 0.01 * seed), 0.0, 0.0])
    inside = slice(edit.first, edit.last + 1)
    for joint in edit.joints:
        at = names.index(joint)
        made.rotations[inside, at] = quaternion_multiply(made.rotations[inside, at], bend)
    report = editing.Report(edit, (edit.first, edit.last), (0, len(frames) - 1), (), 0, 7)
    return editing.Edited(made, report)


def in_blocks(request: messages.SequenceRequest) -> list[dict[str, Any]]:
    """The blocks of a sequence as the engine tells of them; two seconds where it may choose."""
    told: list[dict[str, Any]] = []
    for block in request.blocks:
        first = told[-1]["last"] + 1 if told else 0
        last = first + round((block.seconds or 2.0) * 30) - 1
        told.append({"prompt": block.prompt, "first": first, "last": last})
    return told


class FakeClient:
    """EngineClient without a process; ``automatic`` finishes every request at the next poll."""

    ids = itertools.count(1)
    made: list[FakeClient] = []  # noqa: RUF012

    def __init__(self, launch: messages.Launch, log_path: Path) -> None:
        self.launch, self.log_path = launch, log_path
        self.state, self.info, self.failure = State.STOPPED, None, ""
        self.responding, self.needs_repair = True, False
        self.automatic = False
        self.requests: dict[int, messages.Request] = {}
        self.pending: set[int] = set()
        self.cancelled: list[int] = []
        self.events: list[Any] = []
        self.calls: list[str] = []
        FakeClient.made.append(self)

    def start(self) -> None:
        self.calls.append("start")
        self.state = State.STARTING

    def restart(self) -> None:
        self.calls.append("restart")
        self.state = State.STARTING

    def stop(self, wait_seconds: float = 0.0) -> None:
        self.calls.append("stop")
        self.state, self.pending, self.info = State.STOPPED, set(), None

    def generate(self, request: messages.Request) -> int:
        number = next(self.ids)
        self.requests[number] = request
        self.pending.add(number)
        if self.state is not State.READY:
            self.start()
        return number

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def log_tail(self) -> tuple[str, ...]:
        return ("line one", "RuntimeError: out of memory")

    def poll(self) -> list[Any]:
        if self.automatic:
            for number in sorted(self.pending):
                self.ready()
                self.progress(number, 1, 2, walk(30))
                self.finish(number)
        events, self.events = self.events, []
        return events

    # What tests make it say.

    def ready(self) -> None:
        self.state, self.info = State.READY, INFO
        self.events.append(messages.Ready(INFO))

    def progress(
        self, number: int, done: int, of: int, preview: motions.Motion | None = None
    ) -> None:
        self.events.append(messages.Progress(number, done, of, preview))

    def finish(self, number: int, frames: int = 60) -> None:
        self.pending.discard(number)
        request = self.requests[number]
        settings = SETTINGS | {"prompt": request.prompt}
        edits: tuple[editing.Edited, ...] = ()
        if isinstance(request, messages.EditRequest):
            settings["edit"] = editing.wire.edit_fields(request.edit)
            edits = tuple(edited(request, seed) for seed in request.seeds)
        elif isinstance(request, messages.SequenceRequest):
            settings["blocks"] = in_blocks(request)
            frames = settings["blocks"][-1]["last"] + 1
        made = tuple(e.motion for e in edits) or tuple(walk(frames) for _ in request.seeds)
        self.events.append(messages.Finished(number, made, request.seeds, settings, edited=edits))

    def fail(self, number: int, message: str) -> None:
        self.pending.discard(number)
        self.events.append(messages.Failed(number, message))

    def confirm_cancel(self, number: int) -> None:
        self.pending.discard(number)
        self.events.append(messages.Cancelled(number))

    def die(self, message: str = "The engine stopped; press Restart") -> None:
        lost, self.pending = tuple(sorted(self.pending)), set()
        self.state, self.info, self.failure = State.STOPPED, None, message
        self.events.append(messages.Died(message, lost, self.log_tail()))


class Bench:
    """The add-on, registered, on a fake engine: ``bench.client``, ``bench.job``, ``bench.pump()``.

    ``obstacles`` is what the artist is in the middle of; ``now`` is the session's clock.
    """

    def __init__(self, automatic: bool = False) -> None:
        self.obstacles: list[str] = []
        self.now = 0.0
        self.automatic = automatic
        self.launch = LAUNCH
        runtime.launch = lambda: self.launch
        runtime.problem = lambda: None
        scalemogen_blender.register()
        self.session = Session(
            find_launch=lambda: self.launch,
            make_client=self._make,
            obstacles=lambda: self.obstacles,
            clock=lambda: self.now,
        )
        session.use(self.session)

    def _make(self, launch: messages.Launch, log_path: Path) -> FakeClient:
        client = FakeClient(launch, log_path)
        client.automatic = self.automatic
        return client

    @property
    def client(self) -> FakeClient:
        return self.session.client

    @property
    def job(self) -> session.Job | None:
        return session.job()

    @property
    def settings(self) -> Any:
        return bpy.context.scene.scalemogen.generate

    @property
    def results(self) -> Any:
        return bpy.context.scene.scalemogen.results.entries

    def submit(self, deliver: Any = None, **options: Any) -> session.Job:
        request = messages.GenerateRequest("a person walks", (0,))
        return session.submit(
            request, deliver or (lambda finished: None), "a person walks", **options
        )

    def pump(self) -> None:
        """One beat of the timer."""
        session._pulse()

    def make_ready(self) -> None:
        self.client.ready()
        self.pump()

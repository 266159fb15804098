"""The session: one engine, at most one job, and what has become of them."""

from __future__ import annotations

import math
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from .. import interface
from .._core import errors
from ..overlay import place
from ..overlay.draw import Overlay
from . import data, moment, popups
from .job import Deliver, Job, JobState

if TYPE_CHECKING:
    from ..client.messages import Event, Finished, Launch, Request
    from ..overlay.bones import Placement


def _find_launch() -> Launch:
    from .. import runtime

    return runtime.launch()


def _make_client(launch: Launch, log_path: Path) -> Any:
    from ..client import EngineClient

    return EngineClient(launch, log_path)


def log_path() -> Path:
    """Where the engine's log lies: the user's folder of the extension, or of Blender."""
    package = __package__.rpartition(".")[0]
    try:
        folder = bpy.utils.extension_path_user(package, path="logs")
    except ValueError:  # not installed as an extension: a checkout
        folder = bpy.utils.user_resource("DATAFILES", path="scalemogen")
    return Path(folder) / "engine.log"


#: So often is it tried at most.
WARM_UP_SECONDS = 2.0


class Session:
    """Owns the engine client and the running job.  Everything happens on the main thread.

    ``find_launch``, ``make_client``, ``obstacles`` and ``clock`` are the seams to the outside.
    """

    def __init__(
        self,
        find_launch: Callable[[], Launch] = _find_launch,
        make_client: Callable[[Launch, Path], Any] = _make_client,
        obstacles: Callable[[], list[str]] = moment.obstacles,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.find_launch, self.make_client = find_launch, make_client
        self.obstacles, self.clock = obstacles, clock
        self.overlay = Overlay()
        self.client: Any = None
        self.launch: Launch | None = None
        self.job: Job | None = None
        self.last: Job | None = None
        self.notice = ""
        self.ended_at = -math.inf
        self._made_at = 0.0
        self._warmed_at = -WARM_UP_SECONDS

    # Engine ---------------------------------------------------------------------------------

    def engine(self) -> Any:
        """The client for the settings as they are now; ScaleMoGenError when there is no runtime.

        A running engine with other settings is ended, unless it is working.
        """
        launch = self.find_launch()
        if self.client is not None and launch != self.launch and self.job is None:
            self.stop()
            self.client = None
        if self.client is None:
            self.client, self.launch = self.make_client(launch, log_path()), launch
        return self.client

    def warm_up(self) -> bool:
        """Start the engine, if it can be started, so that it is ready when it is needed.

        Called with every letter that is typed: most calls return at once. True if it starts now.
        """
        from ..client.state import State

        now = self.clock()
        if self.job is not None or now - self._warmed_at < WARM_UP_SECONDS:
            return False
        self._warmed_at = now
        try:
            client = self.engine()
        except errors.ScaleMoGenError:
            return False  # the panel says what is missing
        if client.failure or client.state not in {State.STOPPED, State.ASLEEP}:
            return False  # one that failed is not tried again before the artist asks for it
        client.start()
        return True

    def restart(self) -> None:
        """End the engine and start it again with the settings as they are now."""
        self.drop()
        self.notice, self.last = "", None
        self.engine().restart()

    def stop(self, wait_seconds: float = 0.0) -> None:
        """End the engine; a running job is dropped."""
        self.drop()
        if self.client is not None:
            self.client.stop(wait_seconds)

    # Jobs -----------------------------------------------------------------------------------

    def submit(
        self,
        request: Request,
        deliver: Deliver,
        title: str,
        scene: bpy.types.Scene,
        rig: bpy.types.Object | None,
        start_frame: int,
        undo_message: str,
        interactive: bool,
        placement: Placement | None = None,
    ) -> Job:
        """Hand a request to the engine; ScaleMoGenError if it is busy or cannot be started."""
        if self.job is not None:
            raise errors.ScaleMoGenError(
                "A motion is being generated already; wait until it is done, or cancel it."
            )
        client, where = self.engine(), placement or place.of_rig(rig)
        self.notice, self.last = "", None
        self.job = Job(
            id=client.generate(request),
            title=title,
            request=request,
            deliver=deliver,
            scene_uid=scene.session_uid,
            rig_uid=rig.session_uid if rig is not None else None,
            start_frame=start_frame,
            began=self.clock(),
            interactive=interactive,
            undo_message=undo_message,
        )
        self.overlay.begin(scene.session_uid, where)
        return self.job

    def cancel(self) -> None:
        """Ask the engine to stop working on the job; a result that waits is thrown away."""
        if self.job is None:
            return
        if self.job.state is JobState.WAITING:
            self._end(JobState.CANCELLED)
        elif self.job.state is JobState.RUNNING:
            self.job.state = JobState.CANCELLING
            self.client.cancel(self.job.id)

    def drop(self) -> None:
        """Forget the job: nobody is there any more to deliver its result to."""
        if self.job is None:
            return
        if self.job.state is JobState.RUNNING:
            self.client.cancel(self.job.id)
        self._end(JobState.DROPPED)

    def wait(self, job: Job, timeout: float | None) -> None:
        """Work on until the job has ended, without timers.

        ScaleMoGenError when it failed or took longer than ``timeout`` seconds.
        """
        began = time.monotonic()
        job.interactive = False
        try:
            while not job.ended:
                self.pump(at_once=True)
                if timeout is not None and time.monotonic() - began > timeout:
                    raise errors.ScaleMoGenError(
                        f"Generating took longer than {timeout:g} seconds and was cancelled."
                    )
                if not job.ended:
                    time.sleep(0.005)
        finally:
            if self.job is job:  # timeout, or interrupted from the keyboard
                self.drop()
        if job.state is JobState.FAILED:
            raise errors.ScaleMoGenError(job.problem)

    def abandon(self, error: Exception) -> None:
        """End a job that cannot be served any more because of a fault of ours."""
        if self.job is not None:
            self.client.cancel(self.job.id)
            self._fail(f"Generating failed because of a fault in the add-on: {error}")

    # Events ---------------------------------------------------------------------------------

    def pump(self, at_once: bool = False) -> None:
        """Handle what the engine has said since.

        ``at_once`` delivers even while the artist is in the middle of something.
        """
        if self.client is None:
            return
        for event in _coalesced(self.client.poll()):
            self._handle(event)
        if self.job is not None and data.scene(self.job.scene_uid) is None:
            self.drop()
            self.notice = interface.label("The scene is gone; generating was cancelled")
        if self.job is not None and self.job.state is JobState.WAITING:
            self._deliver_when_possible(at_once)

    def _handle(self, event: Event) -> None:
        from ..client import messages

        if isinstance(event, messages.Died):
            if self.job is not None and self.job.state is not JobState.WAITING:
                self._fail(event.message, event.log)
            return
        if self.job is None or getattr(event, "request", None) != self.job.id:
            return  # of the engine itself, or of a job that was dropped
        if isinstance(event, messages.Progress):
            self.job.done, self.job.of = event.done, event.of
            if event.preview is not None and self.job.state is JobState.RUNNING:
                self.overlay.show(event.preview)
        elif isinstance(event, messages.Cancelled):
            self._end(JobState.CANCELLED)
        elif isinstance(event, messages.Failed):
            if self.job.state is JobState.CANCELLING:
                self._end(JobState.CANCELLED)
            else:
                if event.details:
                    print(event.details, file=sys.stderr)
                self._fail(event.message)
        elif isinstance(event, messages.Finished):
            self._finished(event)

    def _finished(self, event: Finished) -> None:
        job = self.job
        assert job is not None
        if job.state is JobState.CANCELLING:  # it was done before it heard of the cancelling
            self._end(JobState.CANCELLED)
            return
        job.finished, job.state = event, JobState.WAITING
        job.done = job.of = max(job.of, 1)
        self._made_at = self.clock()

    def _deliver_when_possible(self, at_once: bool) -> None:
        waited = self.clock() - self._made_at
        if not at_once and not moment.is_good(self.obstacles(), waited):
            return
        job = self.job
        scene = data.scene(job.scene_uid) if job else None
        if job is None or job.finished is None or scene is None:
            return
        self.overlay.end()
        try:
            with moment.place(scene):
                job.deliver(job.finished)
        except errors.ScaleMoGenError as error:
            self._fail(str(error))
            return
        except Exception as error:
            traceback.print_exc()
            self._fail(f"The motion could not be put into the scene: {error}")
            return
        finally:
            job.finished = None
        if self.job is not job:
            return  # what it set off has ended it: another file, the add-on's end
        if job.undo_message:
            moment.push_undo(job.undo_message, scene)
        self._end(JobState.DELIVERED)

    def _fail(self, problem: str, log: tuple[str, ...] = ()) -> None:
        job = self.job
        if job is None:
            return
        job.problem, job.log = problem, log
        cancelled = job.state is JobState.CANCELLING
        self._end(JobState.CANCELLED if cancelled else JobState.FAILED)
        if job.interactive and not cancelled and not self.obstacles():
            popups.show("Generating Failed", problem)

    def _end(self, state: JobState) -> None:
        job = self.job
        assert job is not None
        job.state, job.finished = state, None
        self.last, self.job = job, None
        self.ended_at = self.clock()
        self.overlay.end()
        interface.redraw()


def _coalesced(events: list[Event]) -> list[Event]:
    """Without progress that later progress of the same list has overtaken."""
    from ..client.messages import Progress

    latest = {}
    for event in events:
        if isinstance(event, Progress):
            latest[event.request, "step"] = event
            if event.preview is not None:
                latest[event.request, "preview"] = event
    wanted = {id(event) for event in latest.values()}
    return [e for e in events if not isinstance(e, Progress) or id(e) in wanted]

"""The one global of the add-on: the engine client, its job and the timer that serves them.

A caller hands in what it wants and what is to happen with the result::

    job = session.submit(request, deliver, "a person waves")
    ...
    session.wait(job)  # only where nobody serves timers: scripts and background mode

``deliver(finished)`` is called on the main thread when the artist is not in the middle of
something, in a context in which operators work; afterwards one undo step is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from . import data
from .job import Deliver, Job, JobState
from .manager import Session, log_path
from .status import Status, describe
from .timer import Pulse, start, stop

if TYPE_CHECKING:
    from ..client.messages import Request
    from ..overlay.bones import Placement

__all__ = [
    "Job",
    "JobState",
    "Status",
    "busy",
    "cancel",
    "close",
    "drop",
    "find",
    "job",
    "log_path",
    "longest_seconds",
    "notice",
    "restart",
    "status",
    "stop_engine",
    "submit",
    "use",
    "wait",
    "warm_up",
]

#: Length of the longest clip of the bundled models; a running engine knows its own.
LONGEST_SECONDS = 320 / 30

_session: Session | None = None
_pulse = Pulse(lambda: _session)


def use(session: Session | None) -> None:
    """Take this session in place of the present one (which is closed); None: a new one later."""
    global _session
    close()
    _session = session


def _get() -> Session:
    global _session
    if _session is None:
        _session = Session()
    return _session


def submit(
    request: Request,
    deliver: Deliver,
    title: str,
    *,
    scene: bpy.types.Scene | None = None,
    rig: bpy.types.Object | None = None,
    start_frame: int | None = None,
    undo_message: str = "Generate Motion",
    interactive: bool = True,
    placement: Placement | None = None,
) -> Job:
    """Hand a request to the engine; ``deliver`` gets its result later, once.

    scene, start_frame: those of the context when left out.  rig: where the preview stands.
    interactive: False if no pop-up may appear when it fails.  placement: where the preview
    stands if not where the rig begins.
    ScaleMoGenError when the engine is busy or cannot be started.
    """
    scene = scene or bpy.context.scene
    made = _get().submit(
        request,
        deliver,
        title,
        scene,
        rig,
        scene.frame_current if start_frame is None else start_frame,
        undo_message,
        interactive,
        placement,
    )
    start(_pulse)
    return made


def wait(job: Job, timeout: float | None = None) -> None:
    """Work on, blocking, until the job has ended; its state tells how.

    ScaleMoGenError when it failed, or took longer than ``timeout`` seconds and was cancelled.
    """
    _get().wait(job, timeout)


def job() -> Job | None:
    """The running job."""
    return _session.job if _session is not None else None


def busy() -> bool:
    """Whether a job is running."""
    return job() is not None


def cancel() -> None:
    """Ask the engine to stop working on the job."""
    if _session is not None:
        _session.cancel()


def drop() -> None:
    """Forget the job, because what it was for is no longer there."""
    if _session is not None:
        _session.drop()


def find(
    scene_uid: int, rig_uid: int | None
) -> tuple[bpy.types.Scene | None, bpy.types.Object | None]:
    """Scene and rig by their ``session_uid`` as they are now; None for what was deleted."""
    return data.scene(scene_uid), data.rig(rig_uid)


def notice(text: str) -> None:
    """Say something in the panel until the next job starts."""
    _get().notice = text


def status() -> Status:
    """What panels show: cheap, never raises."""
    return describe(_get())


def longest_seconds() -> float:
    """Length of the longest clip that can be made."""
    info = getattr(_session.client, "info", None) if _session is not None else None
    return info.max_seconds if info is not None else LONGEST_SECONDS


def warm_up() -> None:
    """Start the engine early, if it can be started; it is ready when the button is pressed."""
    if _get().warm_up():
        start(_pulse)


def restart() -> None:
    """End the engine and start it anew; ScaleMoGenError when it cannot be started."""
    _get().restart()
    start(_pulse)


def stop_engine() -> None:
    """End the engine; the next request starts it again."""
    if _session is not None:
        _session.stop()


def close(wait_seconds: float = 1.0) -> None:
    """End everything: job, engine, timer, preview."""
    global _session
    ending, _session = _session, None
    stop(_pulse)
    if ending is not None:
        ending.stop(wait_seconds)

"""The state of engine and job in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..interface import label
from .job import JobState

if TYPE_CHECKING:
    from ..client.messages import WorkerInfo
    from .manager import Session


@dataclass(frozen=True)
class Status:
    """What panels show.

    state: missing, stopped, starting, ready, working, silent, asleep or failed.
    words, icon: the same for people.  problem: one line with the remedy, or empty; ``failed``
    tells of the last job, ``notice`` what else the artist should know of it.  log: last lines.
    needs_repair: the remedy is in the preferences.  runs: the engine has a process; info is its.
    title, step: of the job, empty without one.  progress: 0 to 1.  elapsed: seconds.
    """

    state: str
    words: str
    icon: str
    problem: str = ""
    failed: str = ""
    notice: str = ""
    needs_repair: bool = False
    log: tuple[str, ...] = ()
    runs: bool = False
    info: WorkerInfo | None = None
    title: str = ""
    step: str = ""
    progress: float = 0.0
    elapsed: float = 0.0
    busy: bool = False
    cancelling: bool = False


def describe(session: Session) -> Status:
    """The session as panels show it."""
    from ..client.state import State

    state = _state(session)
    client = session.client
    runs = client is not None and client.state in {State.STARTING, State.READY}
    words, icon = _words(state, session)
    problem = ""
    log: tuple[str, ...] = ()
    if state == "missing":
        problem = _runtime_problem()
    elif state == "failed":
        problem = client.failure
    if state in {"failed", "silent"}:
        log = tuple(client.log_tail())
    last = session.last
    return Status(
        state=state,
        words=words,
        icon=icon,
        problem=problem,
        failed=last.problem if last is not None else "",
        notice=session.notice,
        log=log or (last.log if last is not None else ()),
        needs_repair=client is not None and client.needs_repair,
        runs=runs,
        info=client.info if runs and client.state is State.READY else None,
        **_job_fields(session),
    )


def _state(session: Session) -> str:
    from ..client.state import State

    client = session.client
    state = client.state if client is not None else State.STOPPED
    if session.job is None and _runtime_problem():
        return "missing"
    if state is State.READY:
        if not client.responding:
            return "silent"
        at_work = session.job is not None and session.job.state is JobState.RUNNING
        return "working" if at_work else "ready"
    if state is State.STARTING:
        return "starting"
    if state is State.FAILED:
        return "failed"
    if client is not None and client.failure:
        return "failed"
    return "asleep" if state is State.ASLEEP else "stopped"


def _runtime_problem() -> str:
    from .. import runtime

    return runtime.problem() or ""


def _words(state: str, session: Session) -> tuple[str, str]:
    if state == "ready":
        return label("Ready on {device}", device=device_name(session.client.info)), "CHECKMARK"
    if state == "working":
        return label("Working on {device}", device=device_name(session.client.info)), "PLAY"
    words, icon = {
        "missing": ("Not Installed", "ERROR"),
        "stopped": ("Not running, starts when needed", "PAUSE"),
        "asleep": ("Asleep, wakes when needed", "PAUSE"),
        "starting": ("Starting…", "SORTTIME"),
        "silent": ("Not answering", "ERROR"),
        "failed": ("Stopped Working", "ERROR"),
    }[state]
    return label(words), icon


def device_name(info: WorkerInfo | None) -> str:
    """The device's name for people."""
    if info is None:
        return ""
    names = {device.id: device.name for device in info.devices}
    short = info.device.partition(":")[0]
    return names.get(info.device) or names.get(short) or info.device.upper()


def _job_fields(session: Session) -> dict[str, object]:
    job = session.job
    if job is None:
        return {}
    return {
        "title": job.title,
        "step": _step(session),
        "progress": job.progress,
        "elapsed": session.clock() - job.began,
        "busy": True,
        "cancelling": job.state is JobState.CANCELLING,
    }


def _step(session: Session) -> str:
    job = session.job
    assert job is not None
    if job.state is JobState.CANCELLING:
        return label("Cancelling…")
    if job.state is JobState.WAITING:
        return label("Waiting for the running tool to end")
    if not job.of:
        starting = _state(session) == "starting"
        return label("Starting the engine…") if starting else label("Reading the prompt…")
    if job.done >= job.of:
        return label("Finishing…")
    return label("Scale {done} of {of}", done=job.done + 1, of=job.of)

"""Blender's timer that serves the session: often while it works, rarely while it rests."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import bpy

from .. import interface
from ..overlay import pace

if TYPE_CHECKING:
    from .manager import Session

BUSY_SECONDS = pace.BEAT
STARTING_SECONDS = 0.1
IDLE_SECONDS = 1.0
#: So long after a job the client may still have to end a process that does not stop working.
AFTERMATH_SECONDS = 3.0


class Pulse:
    """Calls the session until there is nothing to serve; then the timer goes away."""

    def __init__(self, session: Callable[[], Session | None]) -> None:
        self._session = session
        self._seen: tuple[object, ...] = ()

    def __call__(self) -> float | None:
        """Blender's timer function: seconds until it is called again, None to be dropped."""
        session = self._session()
        if session is None:
            return None
        try:
            return self._beat(session)
        except Exception as error:  # a timer that raises is dropped, and the job never ends
            traceback.print_exc(file=sys.stderr)
            with contextlib.suppress(Exception):
                session.abandon(error)
            return IDLE_SECONDS

    def _beat(self, session: Session) -> float | None:
        session.pump()
        seen = _visible_state(session)
        if seen != self._seen:
            self._seen = seen
            interface.redraw()
        session.overlay.play()
        return interval(session)


def _visible_state(session: Session) -> tuple[object, ...]:
    """What panels show of the session: they are drawn again when it changes."""
    client, job = session.client, session.job
    engine = (client.state, client.responding) if client is not None else ()
    work = (job.id, job.state, job.done, job.of) if job is not None else ()
    return (*engine, *work, session.notice)


def interval(session: Session) -> float | None:
    """How long until the session wants to be served again; None if there is nothing to serve."""
    from ..client.state import State

    if session.job is not None or session.clock() - session.ended_at < AFTERMATH_SECONDS:
        return BUSY_SECONDS
    state = session.client.state if session.client is not None else State.STOPPED
    waits = {State.STARTING: STARTING_SECONDS, State.READY: IDLE_SECONDS}
    return waits.get(state)


def start(pulse: Pulse) -> None:
    """Serve the session from now on (or sooner than planned)."""
    stop(pulse)
    bpy.app.timers.register(pulse, first_interval=BUSY_SECONDS, persistent=True)


def stop(pulse: Pulse) -> None:
    """Take the timer away, if it is there."""
    if bpy.app.timers.is_registered(pulse):
        bpy.app.timers.unregister(pulse)

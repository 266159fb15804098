"""What the engine process is up to."""

from enum import Enum


class State(Enum):
    """STOPPED: not started yet, ended on request, or dead; the next request starts it.

    STARTING: its process runs but does not answer requests yet.  READY: waiting or working.
    ASLEEP: ended by itself for lack of work; the next request starts it.  FAILED: it cannot start,
    or dies again and again; only ``restart()`` tries once more.
    """

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    ASLEEP = "asleep"
    FAILED = "failed"

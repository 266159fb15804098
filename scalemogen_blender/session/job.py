"""One order to the engine, from pressing the button to its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..client.messages import Finished, Request

Deliver = Callable[["Finished"], None]


class JobState(Enum):
    """Where a job is; the last four are ends."""

    RUNNING = "running"
    CANCELLING = "cancelling"
    WAITING = "waiting"  # made, but the artist is in the middle of something
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DROPPED = "dropped"  # nobody to deliver to: another file, no scene, no add-on


_ENDS = {JobState.DELIVERED, JobState.CANCELLED, JobState.FAILED, JobState.DROPPED}


@dataclass
class Job:
    """What is asked of the engine, and how far it is.

    scene_uid, rig_uid: ``session_uid`` of the scene and the rig that it was started for; they
    outlive undo and renaming, which pointers do not.  start_frame: where the result begins.
    done, of: finished scales; ``of`` is 0 before the first progress.  problem: one line, when it
    failed.  interactive: started by the artist's hand, so that failures may pop up.
    """

    id: int
    title: str
    request: Request
    deliver: Deliver
    scene_uid: int
    rig_uid: int | None
    start_frame: int
    began: float
    interactive: bool = False
    undo_message: str = ""
    state: JobState = JobState.RUNNING
    done: int = 0
    of: int = 0
    problem: str = ""
    log: tuple[str, ...] = ()
    finished: Finished | None = field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        return self.state in _ENDS

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return self.done / self.of if self.of else 0.0

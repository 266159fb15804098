"""What operators that start a job share: they can wait for it, and do so without a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .. import session

if TYPE_CHECKING:
    from .job import Job

_UNSET = {"SKIP_SAVE"}


class Waiting:
    """Mix-in of operators."""

    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when the motion has landed; always so without a window",
        options=_UNSET,
    )
    timeout: bpy.props.FloatProperty(
        name="Timeout",
        description="Longest time to wait in seconds; 0 waits as long as it takes",
        min=0.0,
        options=_UNSET,
    )

    @property
    def waits(self) -> bool:
        """Whether the operator returns only when the motion has landed."""
        return self.wait or bpy.app.background

    def end(self, job: Job) -> set[str]:
        """What the operator returns, when it is time."""
        if self.waits:
            session.wait(job, self.timeout or None)
        done = not self.waits or job.state is session.JobState.DELIVERED
        return {"FINISHED"} if done else {"CANCELLED"}

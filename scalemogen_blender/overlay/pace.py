"""How often to draw: a heavy scene that is drawn again and again must leave the artist time."""

from __future__ import annotations

#: Seconds from one beat of the timer to the next, when nothing holds it up.
BEAT = 1 / 30
#: Part of the time that drawing may take once it cannot keep up.
SHARE = 1 / 3


class Pace:
    """Decides at every beat whether to draw.

    Between two beats Blender draws what was asked for: how late the second one comes tells how
    long that took.
    """

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._not_before = 0.0

    def beat(self, now: float) -> bool:
        """Whether to draw now, at ``now`` seconds on any clock."""
        if self._asked_at is not None:
            late = now - self._asked_at - BEAT
            if late > BEAT / 2:
                self._not_before = now + late * (1 / SHARE - 1)
            self._asked_at = None
        if now < self._not_before:
            return False
        self._asked_at = now
        return True

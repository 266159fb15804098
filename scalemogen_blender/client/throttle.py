"""Reading slowly from somebody who talks too much."""

from __future__ import annotations

import time
from collections.abc import Callable


class Throttle:
    """A bucket of ``burst`` units that refills with ``per_second``; an empty one makes wait.

    A reader thread that waits lets the pipe fill, and with that the one who writes must wait too:
    neither memory nor Blender's share of the processor goes to a worker gone wild.
    """

    def __init__(
        self,
        per_second: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._burst, self._clock, self._sleep = per_second, burst, clock, sleep
        self._left, self._then = burst, clock()

    def take(self, amount: float = 1.0) -> None:
        """Take so much out of the bucket; sleep until it is there."""
        now = self._clock()
        self._left = min(self._left + (now - self._then) * self._rate, self._burst) - amount
        self._then = now
        if self._left < 0:
            self._sleep(-self._left / self._rate)

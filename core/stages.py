"""How long the stages of a request take, and telling how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .motion import Motion

OnScale = Callable[[int, int], None]
OnPreview = Callable[[int, int, Callable[[], Motion]], None]


class Clock:
    """Milliseconds of each stage."""

    def __init__(self, wait: Callable[[], None]) -> None:
        """``wait`` returns when queued work of a GPU is done."""
        self._wait = wait
        self._began = self._last = time.perf_counter()
        self.timings: dict[str, Any] = {"scales_ms": [], "total_ms": 0.0}

    def stage(self, name: str) -> None:
        """A stage has ended; scales are many."""
        self._wait()
        now = time.perf_counter()
        took = 1000 * (now - self._last)
        self._last = now
        self.timings["total_ms"] = 1000 * (now - self._began)
        if name == "scales_ms":
            self.timings[name].append(took)
        else:
            self.timings[name] = self.timings.get(name, 0.0) + took


class Progress:
    """Tells of every scale that is done."""

    def __init__(
        self, clock: Clock, of: int, on_scale: OnScale | None, on_preview: OnPreview | None
    ) -> None:
        self._clock, self._of, self._done = clock, of, 0
        self._on_scale, self._on_preview = on_scale, on_preview

    def __call__(self, coarse: Callable[[], Motion]) -> None:
        self._done += 1
        self._clock.stage("scales_ms")
        if self._on_scale is not None:
            self._on_scale(self._done, self._of)
        if self._on_preview is not None:
            self._on_preview(self._done, self._of, coarse)

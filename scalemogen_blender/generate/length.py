"""How long a motion becomes, and where on the timeline it begins; no bpy."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Frame rate of the engine's motions.
ENGINE_FPS = 30.0
MIN_SECONDS = 0.5


@dataclass(frozen=True)
class Timeline:
    """A scene's frame rate and its range: the preview range where that is in use."""

    first: int
    last: int
    current: int
    fps: float

    @property
    def frame_count(self) -> int:
        return max(0, self.last - self.first + 1)


def seconds_for(frame_count: int, fps: float) -> float:
    """Length of the shortest motion that covers so many frames of the scene.

    A motion of T frames lasts from its first to its last frame, which are T - 1 steps.
    """
    steps = max(0, frame_count - 1) / fps * ENGINE_FPS
    return (math.ceil(steps - 1e-6) + 1) / ENGINE_FPS


def problem(timeline: Timeline, longest: float) -> str:
    """Why the timeline's range cannot be filled, with the remedy; empty if it can."""
    seconds = seconds_for(timeline.frame_count, timeline.fps)
    if seconds > longest + 1e-6:
        frames = math.floor((longest * ENGINE_FPS - 1) / ENGINE_FPS * timeline.fps + 1e-6) + 1
        most = math.floor(longest * 10) / 10
        return (
            f"The range lasts {seconds:.1f} s, but the model makes {most:.1f} s at most; "
            f"shorten it to {frames} frames"
        )
    if seconds < MIN_SECONDS:
        return (
            f"The range lasts {seconds:.2f} s, but the model makes {MIN_SECONDS:g} s at least; "
            "set a longer range"
        )
    return ""

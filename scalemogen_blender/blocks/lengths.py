"""Blocks of scene frames as seconds for the engine, and the way back; no bpy."""

from __future__ import annotations

from collections.abc import Sequence

from ..generate.length import ENGINE_FPS, seconds_for

#: What a new block lasts.
NEW_SECONDS = 3.0
MIN_SECONDS = 0.5
#: Nothing that is longer can be kept in a file.
LONGEST_SECONDS = 3600.0


def new_length(fps: float) -> int:
    """Frames of a new block."""
    return max(1, round(NEW_SECONDS * fps))


def seconds_of(frame_counts: Sequence[int | None], fps: float) -> list[float | None]:
    """What to ask of the engine so that blocks have so many frames of a scene.

    None leaves a block's length to the model.  The borders are rounded to the engine's frames, not
    the lengths: however many blocks there are, none begins at another frame than it should.
    """
    seconds: list[float | None] = []
    frames = begun = 0
    for number, count in enumerate(frame_counts, 1):
        if count is None:
            frames = begun = 0  # where it ends nobody knows: from there on it is counted anew
            seconds.append(None)
            continue
        frames += count
        end = round(frames / fps * ENGINE_FPS)
        if number == len(frame_counts):  # its last frame is to be there, too
            end = max(end, round(seconds_for(frames, fps) * ENGINE_FPS))
        end = max(end, begun + 1)
        seconds.append((end - begun) / ENGINE_FPS)
        begun = end
    return seconds


def frame_counts(borders: Sequence[tuple[int, int]], motion_fps: float, fps: float) -> list[int]:
    """Scene frames of blocks that fill frames first..last of a motion, one after the other."""
    begins = [round(first * fps / motion_fps) for first, _ in borders]
    end = int((borders[-1][1]) * fps / motion_fps + 1e-6) + 1 if borders else 0
    ends = [*begins[1:], end]
    return [max(1, after - begin) for begin, after in zip(begins, ends, strict=True)]

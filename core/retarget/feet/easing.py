"""Changes that come and go in time, numpy only."""

import numpy as np

from ...cleanup.curves import smoothest
from ...cleanup.filters import highest_around, runs

#: Further from a standing phase than this (seconds) a foot is left alone.
REACH_SECONDS = 0.27
#: Pull back to the foot's own way in between: over about this many seconds.
_BLEND_SECONDS = 0.13
_EXACT = 1e6
#: A foot that strays too far takes a step that lasts this long; shorter phases are let go.
_STEP_SECONDS = 0.23
SHORTEST_SECONDS = 0.1


def eased(changes: np.ndarray, given: np.ndarray, fps: float) -> np.ndarray:
    """Changes [T, K] as they are in the given frames [T], coming and going smoothly beside them."""
    near = highest_around(given.astype(float), max(1, round(REACH_SECONDS * fps))) > 0.0
    rest = (_BLEND_SECONDS * fps) ** -4.0
    weights = np.where(given | ~near, _EXACT, rest)
    found = smoothest(np.where(given[:, None], changes, 0.0), weights, bend_penalty=1.0)
    found[given] = changes[given]
    found[~near] = 0.0
    return found


def nearness(frames: np.ndarray, fps: float, seconds: float = REACH_SECONDS) -> np.ndarray:
    """1 in the given frames [T], smoothly down to 0 within some seconds before and after."""
    at, now = np.flatnonzero(frames), np.arange(len(frames))
    if not len(at):
        return np.zeros(len(frames))
    after = at[np.minimum(np.searchsorted(at, now), len(at) - 1)]
    before = at[np.maximum(np.searchsorted(at, now, side="right") - 1, 0)]
    away = np.minimum(np.abs(after - now), np.abs(now - before))
    near = np.clip(1.0 - away / (seconds * fps), 0.0, 1.0)
    eased_near: np.ndarray = near * near * (3.0 - 2.0 * near)
    return eased_near


def parted(path: np.ndarray, stands: np.ndarray, most: float, fps: float) -> list[tuple[int, int]]:
    """Phases (first, last) of standing frames in each of which a path [T, K] keeps to one place.

    A phase that strays further than ``most`` from its mean is parted where it is fastest, rather
    near its middle, with the time of a step in between.
    """
    kept, waiting = [], list(runs(stands))
    step = max(1, round(0.5 * _STEP_SECONDS * fps))
    while waiting:
        first, last = waiting.pop()
        cut_off = first == 0 or last == len(path) - 1
        if last - first + 1 < (1 if cut_off else SHORTEST_SECONDS * fps):
            continue
        way = path[first : last + 1]
        if np.linalg.norm(way - way.mean(axis=0), axis=-1).max() <= most:
            kept.append((first, last))
            continue
        speed = np.linalg.norm(np.gradient(way, axis=0), axis=-1)
        inner = np.sin(np.pi * (np.arange(len(way)) + 0.5) / len(way))
        fastest = first + int(np.argmax(speed * (0.5 + inner)))
        waiting += [(first, fastest - step), (fastest + step, last)]
    return sorted(kept)

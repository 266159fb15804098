"""Filters along time that leave the ends where they are, numpy only."""

import numpy as np

_BLOCK = 256


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian filter of [T, ...] along axis 0; sigma in frames.

    The ends are mirrored through their own points, so that a straight line stays one and the first
    and last frame do not move.
    """
    reach = min(int(4.0 * sigma + 0.5), len(values) - 1)
    if reach < 1:
        return values.copy()
    ahead = 2.0 * values[:1] - values[reach:0:-1]
    behind = 2.0 * values[-1:] - values[-2 : -reach - 2 : -1]
    return _gaussian(np.concatenate([ahead, values, behind]), sigma, reach)


def local_rms(values: np.ndarray, sigma: float) -> np.ndarray:
    """Root mean square length [T, ...] of vectors [T, ..., K], over about 2 sigma frames each way.

    Edges are held: the mirrored ends of :func:`smooth` could make an energy negative.
    """
    squares = np.sum(values**2, axis=-1)
    reach = int(4.0 * sigma + 0.5)
    held = np.pad(squares, [(reach, reach)] + [(0, 0)] * (squares.ndim - 1), mode="edge")
    return np.sqrt(_gaussian(held, sigma, reach))


def _gaussian(padded: np.ndarray, sigma: float, reach: int) -> np.ndarray:
    """Weighted means [T, ...] over windows of [T + 2 reach, ...]; as matrix products, the fastest.

    In blocks, so that time and memory grow with the frames and not with their square.
    """
    frames = len(padded) - 2 * reach
    flat = padded.reshape(len(padded), -1)
    block = min(frames, _BLOCK)
    away = np.arange(block + 2 * reach) - np.arange(block)[:, None] - reach
    matrix = np.where(np.abs(away) <= reach, np.exp(-0.5 * (away / sigma) ** 2), 0.0)
    matrix /= matrix.sum(axis=1, keepdims=True)
    result = np.empty((frames, flat.shape[1]))
    for start in range(0, frames, block):
        size = min(block, frames - start)
        result[start : start + size] = (
            matrix[:size, : size + 2 * reach] @ flat[start : start + size + 2 * reach]
        )
    return result.reshape(frames, *padded.shape[1:])


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and last frame of every unbroken run of True in [T]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags.astype(bool), [False]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def highest_around(values: np.ndarray, frames: int) -> np.ndarray:
    """The largest value of [T] within ``frames`` frames each way."""
    padded = np.pad(values, frames, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * frames + 1).max(axis=-1)


def lowest_around(values: np.ndarray, frames: int) -> np.ndarray:
    """The smallest value of [T] within ``frames`` frames each way."""
    return -highest_around(-values, frames)

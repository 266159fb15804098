"""Colours of the overlays: one hue, stronger where more changes."""

from __future__ import annotations

import numpy as np

#: Apart from Blender's own orange (selection), cyan (poses), green and yellow (keys).
_HUE = (0.93, 0.36, 0.62)


def _tone(alpha: float) -> np.ndarray:
    return np.array((*_HUE, alpha), dtype=np.float32)


def changing() -> np.ndarray:
    """What may change [4]."""
    return _tone(0.85)


def beside() -> np.ndarray:
    """What is made anew with it, but stays as it is [4]."""
    return _tone(0.35)


def following() -> np.ndarray:
    """What has to follow [4]."""
    return np.array((0.62, 0.55, 0.95, 0.7), dtype=np.float32)


def frames() -> np.ndarray:
    """Frames that may change [4]."""
    return _tone(0.22)


def blended() -> np.ndarray:
    """Frames over which old goes into new [4]."""
    return _tone(0.10)


def edge() -> np.ndarray:
    """The first and the last frame of the range [4]."""
    return _tone(0.8)


def cells() -> np.ndarray:
    """Frames that are made anew [4]."""
    return _tone(0.55)

"""Keys of an F-curve as one table with a row for each, in order of time.  No bpy in here."""

from __future__ import annotations

import numpy as np

#: Interpolation as Blender numbers it.
CONSTANT, LINEAR, BEZIER = 0, 1, 2

#: Everything that Blender tells of a key, by its name there; points are frame and value.
KEY = np.dtype(
    [
        ("co", np.float32, 2),
        ("handle_left", np.float32, 2),
        ("handle_right", np.float32, 2),
        ("interpolation", np.int32),
        ("easing", np.int32),
        ("handle_left_type", np.int32),
        ("handle_right_type", np.int32),
        ("type", np.int32),
        ("select_control_point", np.int32),
        ("select_left_handle", np.int32),
        ("select_right_handle", np.int32),
        ("amplitude", np.float32),
        ("back", np.float32),
        ("period", np.float32),
    ]
)
NO_KEYS = np.zeros(0, KEY)

_PLAIN = np.zeros(1, KEY)
_PLAIN["interpolation"] = LINEAR
_PLAIN["amplitude"], _PLAIN["back"], _PLAIN["period"] = 0.8, 1.70158, 4.1


def linear_keys(frames: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Keys [N] with straight lines between them and free handles of a third of a frame."""
    keys = np.repeat(_PLAIN, len(frames))
    for name, reach in (("co", 0.0), ("handle_left", -1.0 / 3.0), ("handle_right", 1.0 / 3.0)):
        keys[name][:, 0] = frames + reach
        keys[name][:, 1] = values
    return keys


def times(keys: np.ndarray) -> np.ndarray:
    """Frames [N] of keys."""
    return np.asarray(keys["co"][:, 0])


def joined(*parts: np.ndarray) -> np.ndarray:
    """Keys one after the other."""
    found, start = np.empty(sum(map(len, parts)), KEY), 0
    for part in parts:
        found[start : start + len(part)] = part
        start += len(part)
    return found

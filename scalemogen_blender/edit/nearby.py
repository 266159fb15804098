"""Of all numbers that mean the same rotations, those next to what is before and after a range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_TURN = 2.0 * np.pi
_MUCH = 0.5


def next_to(
    values: np.ndarray, kind: str, mode: str, before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Rotation values [T, C] that go on from those before them [C].

    Also whether those after them are other numbers for nearly the same, so that a line to them
    would turn the bone round.  kind: name of the property; mode: the rotation mode.
    """
    equals: Callable[[np.ndarray, np.ndarray], list[np.ndarray]]
    if kind == "rotation_quaternion":
        equals = _quaternions
    elif kind == "rotation_axis_angle":
        equals = _axis_angles
    elif kind == "rotation_euler":

        def equals(given: np.ndarray, near: np.ndarray) -> list[np.ndarray]:
            return _eulers(given, near, mode)

    else:
        return values, False
    values = min(equals(values, before), key=lambda v: _distance(v[0], before))
    ending = values[-1:]
    nearest = min(equals(ending, after), key=lambda v: _distance(v[0], after))
    turned = _distance(ending[0], after) > _distance(nearest[0], after) + _MUCH
    return values, bool(turned)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).sum())


def _quaternions(values: np.ndarray, _near: np.ndarray) -> list[np.ndarray]:
    return [values, -values]


def _axis_angles(values: np.ndarray, near: np.ndarray) -> list[np.ndarray]:
    found = []
    for sign in (1.0, -1.0):
        turned = values * sign
        turned[:, 0] += _TURN * np.round((near[0] - turned[0, 0]) / _TURN)
        found.append(turned)
    return found


def _eulers(values: np.ndarray, near: np.ndarray, order: str) -> list[np.ndarray]:
    """Whole turns, and the other way round: the middle axis turned back, the others by half."""
    middle = "XYZ".index(order[1])
    other = values + np.pi
    other[:, middle] = np.pi - values[:, middle]
    return [v + _TURN * np.round((near - v[0]) / _TURN) for v in (values, other)]

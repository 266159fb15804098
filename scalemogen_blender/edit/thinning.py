"""Few keys for a piece of a Bezier curve that is to be the same to the last bit at whole frames.

A divided Bezier segment is the same curve, but not in the last bit that single precision has.
There are many handles that are as near, though, and one of them hits all frames, if there are not
too many of them: so they are tried, on a curve that nobody sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import bpy
import numpy as np

from .. import compat
from .key_table import BEZIER, linear_keys
from .segments import Bezier

#: Frames between two keys that are tried for at most; pieces that are tried in one edit.
_MOST_BETWEEN, _PIECES = 6, 15000
#: At most as many for one pair of keys; more find hardly more.
_PIECES_EACH = 300


def _nudges() -> np.ndarray:
    """By how many last bits the two handles' values are changed [N, 2], nearest first."""
    found = sorted(product(range(-12, 13), repeat=2), key=lambda n: abs(n[0]) + abs(n[1]))
    return np.array(found[:_PIECES_EACH])


_NUDGES = _nudges()


@dataclass
class Scratch:
    """A curve with two keys, and how many pieces may still be tried on it."""

    action: bpy.types.Action
    curve: bpy.types.FCurve
    left: int
    each: int

    @classmethod
    def new(cls, gaps: int) -> Scratch:
        """For some gaps; :meth:`remove` it in the end."""
        action = bpy.data.actions.new("ScaleMoGen scratch")
        curve = compat.scratch_curve(action)
        return cls(action, curve, _PIECES, min(_PIECES_EACH, _PIECES // max(gaps, 1)))

    def remove(self) -> None:
        """Take it out of the file."""
        bpy.data.actions.remove(self.action)

    def few(
        self, bezier: Bezier, frames: np.ndarray, values: np.ndarray
    ) -> tuple[np.ndarray, dict[tuple[float, float], np.ndarray]]:
        """Which frames [N] are keys, and the pieces [4, 2] between those that are no neighbours.

        The first and the last frame are.
        """
        chosen, pieces = np.zeros(len(frames), dtype=bool), {}
        at, end = 0, len(frames) - 1
        chosen[at] = True
        while at < end:
            to = min(end, at + 1 + _MOST_BETWEEN)
            while to > at + 1:
                piece = self._piece(bezier, frames[at : to + 1], values[at : to + 1])
                if piece is not None:
                    pieces[float(frames[at]), float(frames[to])] = piece
                    break
                to = at + max(1, (to - at) * 2 // 3)
            at = to
            chosen[at] = True
        return chosen, pieces

    def _piece(self, bezier: Bezier, frames: np.ndarray, values: np.ndarray) -> np.ndarray | None:
        """A piece that is right at all the frames."""
        exact = bezier.piece(float(frames[0]), float(frames[-1]))
        keys = linear_keys(frames[[0, -1]], values[[0, -1]])
        keys["interpolation"] = BEZIER
        compat.put_key_table(self.curve, keys)
        wanted = list(zip(frames[1:-1].tolist(), values[1:-1].tolist(), strict=True))
        handles = exact[1:3].astype(np.float32)
        count = max(1, min(self.each, self.left))
        tries = np.tile(handles, (min(count, len(_NUDGES)), 1, 1))
        tries[:, :, 1] += np.abs(np.spacing(handles[:, 1])) * _NUDGES[:count]
        points, evaluate = self.curve.keyframe_points, self.curve.evaluate
        right, left = np.zeros(4, np.float32), np.zeros(4, np.float32)
        for row in tries:
            self.left -= 1
            right[:2], left[2:] = row
            points.foreach_set("handle_right", right)
            points.foreach_set("handle_left", left)
            if all(evaluate(frame) == value for frame, value in wanted):
                exact[1:3] = row
                return exact
        return None

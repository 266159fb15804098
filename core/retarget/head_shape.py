"""Which bones above the arms are neck and head."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .hierarchy import Hierarchy

#: Bones nearer to each other than this share of the body's height are in one place.
_SAME_PLACE = 0.015
#: Bones so far (shares of the height) from the line up the chest are no necks, and heads are
#: at least so long.
_OFF_LINE, _SHORTEST_HEAD = 0.1, 0.085
#: Where heads turn, and how far that varies; how far they may lie before or behind the chest,
#: and how little to a side.
_LEVEL, _LEVEL_SPREAD = 0.9, 0.06
_FORWARD_SPREAD, _SIDE_SPREAD = 0.08, 0.02
#: Cost of a body without a head, and of a bone that is no head at all.
_NO_HEAD, _NONE = 6.0, 30.0
#: Bones above the arms are looked at so many levels deep, and so many in all.
_LEVELS, _MOST_BONES = 6, 200


@dataclass(frozen=True)
class Stance:
    """How a body stands: unit vectors up and to a side (either), a point of the floor, height."""

    up: np.ndarray
    side: np.ndarray
    floor: np.ndarray
    height: float

    def level(self, point: np.ndarray) -> float:
        """Height of a point above the floor, as a share of the body's."""
        return float((point - self.floor) @ self.up) / self.height

    def rise(self, upper: np.ndarray, lower: np.ndarray) -> float:
        """How much higher the one point is, as a share of the height."""
        return float((upper - lower) @ self.up) / self.height

    def aside(self, point: np.ndarray, middle: np.ndarray) -> tuple[float, float]:
        """How far a point is to a side of another, and before or behind it."""
        offset = (point - middle) / self.height
        side = float(offset @ self.side)
        flat = offset - offset @ self.up * self.up - side * self.side
        return abs(side), float(np.linalg.norm(flat))


def neck_and_head(
    tree: Hierarchy, heads: np.ndarray, chest: int, limbs: Collection[int], stance: Stance
) -> tuple[tuple[int, ...], int | None, float]:
    """Neck bones, head, and the cost of what does not look like one.

    The head is the bone on the way up from the arms that is nearest to where heads turn, and
    that no other one continues at once.
    """
    above = _above(tree, chest, limbs)
    best: tuple[float, int] | None = None
    for bone in above:
        side, front = stance.aside(heads[bone], heads[chest])
        cost = ((stance.level(heads[bone]) - _LEVEL) / _LEVEL_SPREAD) ** 2
        cost += (front / _FORWARD_SPREAD) ** 2 + (side / _SIDE_SPREAD) ** 2
        cost += _continued(tree, heads, bone, chest, stance)
        cost -= min(2.0, 0.5 * max(0, len(tree.children[bone]) - 1))
        if best is None or cost < best[0] - 1e-9:
            best = (cost, bone)
    if best is None or best[0] > _NONE:
        return (), None, _NO_HEAD
    head = best[1]
    while (upper := tree.parents[head]) in above and (
        np.linalg.norm(heads[upper] - heads[head]) < _SAME_PLACE * stance.height
    ):
        head = upper  # the face begins where the head does
    return tuple(tree.between(chest, head)), head, min(_NO_HEAD, 0.4 * max(0.0, best[0]))


def _continued(tree: Hierarchy, heads: np.ndarray, bone: int, chest: int, stance: Stance) -> float:
    """Cost of a bone that a longer or a shorter one above it shows to be a neck or a hat."""
    cost = 0.0
    children = tree.children[bone]
    if len(children) == 1 and max(stance.aside(heads[children[0]], heads[chest])) < _OFF_LINE:
        rise = stance.rise(heads[children[0]], heads[bone])
        cost += 2.5 * (_SAME_PLACE < rise < _SHORTEST_HEAD)
    parent = tree.parents[bone]
    if parent != chest and not children:
        cost += 2.5 * (stance.rise(heads[bone], heads[parent]) > _SHORTEST_HEAD)
    return cost


def _above(tree: Hierarchy, chest: int, limbs: Collection[int]) -> Sequence[int]:
    """Bones that hang on the chest, but not on an arm, a few levels deep."""
    found: list[int] = []
    level = [c for c in tree.children[chest] if c not in limbs]
    for _ in range(_LEVELS):
        found += level
        level = [c for bone in level for c in tree.children[bone]]
    return found[:_MOST_BONES]

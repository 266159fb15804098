"""Twin chains of a hierarchy, and which of a limb's bones are its joints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from .hierarchy import Hierarchy

if TYPE_CHECKING:
    from .trunk_shape import Trunk

#: Twins' bones may differ in length by this share of the longer, or of the whole chain.
_SAME_LENGTH, _SAME_OF_CHAIN = 0.06, 0.012
#: Chains shorter than this share of the longest path in the tree are no limbs.
_LEAST_REACH = 0.1
#: Of a bone's children only so many, the farthest-reaching, may continue a limb.
_MOST_CHILDREN = 12
#: Bones of a limb that are looked at, from the trunk on; fingers come later.
_MOST_JOINTS = 14


@dataclass(frozen=True)
class TwinChain:
    """Two chains of the same lengths that hang on one bone: ``pairs`` from the top down."""

    parent: int
    pairs: tuple[tuple[int, int], ...]
    length: float

    def middle(self, heads: np.ndarray, place: int) -> np.ndarray:
        """Point between the twins' bones."""
        a, b = self.pairs[place]
        middle: np.ndarray = 0.5 * (heads[a] + heads[b])
        return middle

    def bones(self) -> frozenset[int]:
        return frozenset(bone for pair in self.pairs for bone in pair)


def reaches(tree: Hierarchy, lengths: np.ndarray) -> np.ndarray:
    """Length [B] of the longest path from each bone's head to the end of a chain below it."""
    reach = np.zeros(tree.count)
    for bone in range(tree.count - 1, -1, -1):
        parent = tree.parents[bone]
        if parent >= 0:
            reach[parent] = max(reach[parent], lengths[bone] + reach[bone])
    return reach


def bone_lengths(tree: Hierarchy, heads: np.ndarray) -> np.ndarray:
    """Distance [B] of each bone's head from its parent's; 0 for roots."""
    parents = np.array(tree.parents)
    lengths = np.linalg.norm(heads - heads[np.maximum(parents, 0)], axis=-1)
    lengths[parents < 0] = 0.0
    return lengths


def twin_chains(tree: Hierarchy, heads: np.ndarray) -> list[TwinChain]:
    """All pairs of siblings whose chains have the same lengths, longest first."""
    lengths = bone_lengths(tree, heads)
    reach = reaches(tree, lengths)
    total = lengths + reach
    least = _LEAST_REACH * float(reach.max(initial=0.0))
    matcher = _Matcher(tree, lengths, reach)
    found = []
    for parent in range(tree.count):
        siblings = [b for b in tree.children[parent] if total[b] >= least and reach[b] > 0.0]
        for a, b in combinations(sorted(siblings, key=lambda b: -total[b])[:_MOST_CHILDREN], 2):
            chain = TwinChain(parent, *matcher.match(a, b))
            if len(chain.pairs) >= 3 and chain.length >= least:
                found.append(chain)
    return sorted(found, key=lambda chain: (-chain.length, chain.pairs))


class _Matcher:
    """Finds the longest chains with the same lengths below two bones."""

    def __init__(self, tree: Hierarchy, lengths: np.ndarray, reach: np.ndarray) -> None:
        self.tree, self.lengths, self.reach = tree, lengths.tolist(), reach.tolist()
        self.known: dict[tuple[int, int], tuple[tuple[tuple[int, int], ...], float]] = {}

    def match(self, a: int, b: int) -> tuple[tuple[tuple[int, int], ...], float]:
        """Pairs from (a, b) on, and the length of the chain with the bones' own."""
        key = (a, b)
        if key not in self.known:
            self.known[key] = ((), 0.0)
            if self._same(self.lengths[a], self.lengths[b], self.reach[a]):
                best: tuple[tuple[tuple[int, int], ...], float] = ((), 0.0)
                for x, y in self._continuations(a, b):
                    found = self.match(x, y)
                    if found[1] > best[1] + 1e-12:
                        best = found
                own = 0.5 * (self.lengths[a] + self.lengths[b])
                self.known[key] = ((key, *best[0]), own + best[1])
        return self.known[key]

    def _continuations(self, a: int, b: int) -> Iterator[tuple[int, int]]:
        for x in self._children(a):
            for y in self._children(b):
                yield x, y

    def _children(self, bone: int) -> list[int]:
        children = self.tree.children[bone]
        if len(children) <= _MOST_CHILDREN:
            return children
        return sorted(children, key=lambda c: -self.lengths[c] - self.reach[c])[:_MOST_CHILDREN]

    def _same(self, x: float, y: float, chain: float) -> bool:
        return abs(x - y) <= max(_SAME_LENGTH * max(x, y), _SAME_OF_CHAIN * (chain + x))


def leg_joints(heads: np.ndarray, legs: TwinChain, trunk: Trunk) -> tuple[dict[str, int], float]:
    """Places in the chain of hip, knee, ankle and toes, and how well they fit (0 to 1).

    The knee halves the leg, the ankle is just above the floor, the toe joint in front of it.
    """
    points = np.array([legs.middle(heads, i) for i in range(min(len(legs.pairs), _MOST_JOINTS))])
    sides = np.array([trunk.apart(heads, *pair) for pair in legs.pairs[: len(points)]])
    height = (points - trunk.floor) @ trunk.up
    total = max(float(height.max()), 1e-9)
    along = _arc(heads, legs, len(points))
    downward = _downward(points, trunk.up)
    best: tuple[float, tuple[int, int, int]] = (-np.inf, (0, 1, 2))
    for hip, knee, ankle in combinations(range(len(points)), 3):
        length = along[ankle] - along[hip]
        if length <= 0.0:
            continue
        half = (along[knee] - along[hip]) / length
        cost = ((half - 0.5) / 0.06) ** 2
        cost += ((height[ankle] / total - 0.09) / 0.06) ** 2
        cost += (max(0.0, 0.85 - downward[ankle]) / 0.1) ** 2  # the shin ends where the foot begins
        cost += (max(0.0, height[0] - height[hip] - 0.1 * total) / (0.05 * total)) ** 2
        cost += (max(0.0, 0.6 * sides.max() - sides[hip]) / (0.2 * sides.max() + 1e-9)) ** 2
        cost += 0.05 * hip  # of bones in one place the upper one
        cost += 0.05 * (knee + ankle)
        if -cost > best[0]:
            best = (-cost, (hip, knee, ankle))
    hip, knee, ankle = best[1]
    joints = {"hip": hip, "knee": knee, "ankle": ankle}
    foot = _toe(points, ankle, total, trunk)
    if foot is not None:
        joints["foot"] = foot
    return joints, float(np.exp(best[0] / 12.0))


def _downward(points: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Cosine [N] between down and the way to each point from the last one apart from it."""
    found = np.ones(len(points))
    for place in range(1, len(points)):
        steps = points[place] - points[:place]
        far = np.linalg.norm(steps, axis=-1)
        apart = np.flatnonzero(far > 1e-3 * max(float(far.max()), 1e-12))
        if len(apart):
            found[place] = -steps[apart[-1]] @ up / far[apart[-1]]
    return found


def _toe(points: np.ndarray, ankle: int, total: float, trunk: Trunk) -> int | None:
    """The first bone well in front of the ankle; the end of the foot only if it is the only one."""
    flat = points - np.outer((points - trunk.floor) @ trunk.up, trunk.up)
    ahead = np.linalg.norm(flat - flat[ankle], axis=-1) / total
    for least in (0.1, 0.05):  # before the toes may come the metatarsals
        for place in range(ankle + 1, len(points)):
            if ahead[place] > least:
                return place
    return None


def arm_joints(
    tree: Hierarchy, heads: np.ndarray, arms: TwinChain, trunk: Trunk
) -> tuple[dict[str, int], float]:
    """Places in the chain of clavicle, shoulder, elbow and wrist, and how well they fit (0 to 1).

    The elbow halves the arm, fingers branch off at the wrist, and the clavicle begins near the
    middle of the body where the shoulder is well apart.
    """
    count = min(len(arms.pairs), _MOST_JOINTS)
    along = _arc(heads, arms, count)
    apart = np.array([trunk.apart(heads, *pair) for pair in arms.pairs[:count]])
    branches = [_branches(tree, arms.pairs[i]) for i in range(count)]
    forks = [min(len(tree.children[b]) for b in pair) > 1 for pair in arms.pairs[:count]]
    has_fingers = any(n >= 3 for n in branches[1:])
    body = trunk.height
    best: tuple[float, tuple[int, int, int]] = (-np.inf, (0, 1, 2))
    for shoulder, elbow, wrist in combinations(range(count), 3):
        length = along[wrist] - along[shoulder]
        if length <= 0.0:
            continue
        half = (along[elbow] - along[shoulder]) / length
        cost = ((half - 0.52) / 0.065) ** 2
        cost += ((apart[shoulder] / 2 - 0.115 * body) / (0.05 * body)) ** 2
        cost += ((length - 0.38 * body) / (0.12 * body)) ** 2
        beyond = along[-1] - along[wrist]
        if has_fingers:
            cost += 0.0 if branches[wrist] >= 3 else 9.0
        elif beyond > 0.0:
            cost += ((beyond / length - 0.3) / 0.3) ** 2
            cost -= 2.0 * forks[wrist]
        cost += 0.15 * (shoulder + elbow + wrist)
        if -cost > best[0]:
            best = (-cost, (shoulder, elbow, wrist))
    shoulder, elbow, wrist = best[1]
    joints = {"shoulder": shoulder, "elbow": elbow, "wrist": wrist}
    # The first bone on the way to the shoulder that has a length of its own.
    for place in range(shoulder):
        if along[shoulder] - along[place] > 0.02 * body:
            joints["collar"] = place
            break
    return joints, float(np.exp(best[0] / 12.0))


def _branches(tree: Hierarchy, pair: tuple[int, int]) -> int:
    """How many chains begin at a pair of bones."""
    return min(sum(1 for c in tree.children[b] if tree.children[c]) for b in pair)


def _arc(heads: np.ndarray, chain: TwinChain, count: int) -> np.ndarray:
    """Length [count] along the chain, the mean of both sides."""
    sides = heads[np.array(chain.pairs[:count])]
    steps = np.linalg.norm(np.diff(sides, axis=0), axis=-1).mean(axis=-1)
    return np.concatenate([[0.0], np.cumsum(steps)])

"""What lies between two pairs of twin chains: whether that is a trunk, and which way it faces."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .head_shape import Stance, neck_and_head
from .hierarchy import Hierarchy
from .limb_shape import TwinChain
from .shape_priors import SHOULDER_LEVEL

#: Toes less far (share of the height) from the ankle may be a heel.
_SHORTEST_FOOT = 0.045
#: Bones on the head that are looked at for eyes.
_MOST_FACE_BONES = 12


@dataclass(frozen=True)
class Trunk:
    """Pelvis, spine, neck and head between legs and arms, all as bone indices.

    up, floor: unit vector and a point.  height: of the body.  left_line: unit vector between the
    sides, with either sign.  cost: of what does not look like a head, feet or legs; 0 at best.
    """

    pelvis: int
    spine: tuple[int, ...]
    neck: tuple[int, ...]
    head: int | None
    up: np.ndarray
    floor: np.ndarray
    left_line: np.ndarray
    height: float
    cost: float

    def apart(self, heads: np.ndarray, a: int, b: int) -> float:
        """How far apart sidewards two bones are."""
        return float(abs((heads[a] - heads[b]) @ self.left_line))


@dataclass(frozen=True)
class Facing:
    """Unit vector forward, and how sure that is (0 to 1)."""

    direction: np.ndarray
    quality: float


def find_trunk(
    tree: Hierarchy, heads: np.ndarray, legs: TwinChain, arms: TwinChain
) -> Trunk | None:
    """The trunk if ``legs`` are the legs and ``arms`` the arms; None where that cannot be."""
    if legs.bones() & arms.bones() or _hangs_on(tree, legs, arms) or _hangs_on(tree, arms, legs):
        return None
    pelvis = _pelvis(tree, legs, arms)
    if pelvis is None:
        return None
    hips = heads[np.array(legs.pairs[0])].mean(axis=0)
    feet = legs.middle(heads, len(legs.pairs) - 1)
    # Farthest from the feet, with clavicles or without.
    shoulders = max(
        (arms.middle(heads, place) for place in (0, 1)),
        key=lambda point: float(np.linalg.norm(point - feet)),
    )
    up = _up(heads, legs, hips, shoulders)
    if up is None:
        return None
    floor = min((heads[b] for pair in legs.pairs for b in pair), key=lambda p: float(p @ up))
    left = _left_line(heads, legs, arms, up)
    height = float((shoulders - floor) @ up) / SHOULDER_LEVEL
    if left is None or height <= 0.0:
        return None
    cost = _leg_cost(heads, legs, up, floor, height)
    chest = arms.parent
    spine = (*tree.between(pelvis, chest), chest) if chest != pelvis else ()
    stance = Stance(up, left, floor, height)
    necks, head, head_cost = neck_and_head(
        tree, heads, arms.parent, legs.bones() | arms.bones(), stance
    )
    return Trunk(pelvis, tuple(spine), necks, head, up, floor, left, height, cost + head_cost)


def _leg_cost(
    heads: np.ndarray, legs: TwinChain, up: np.ndarray, floor: np.ndarray, height: float
) -> float:
    """Legs go down all the way, and end on the floor."""
    level = np.array([(legs.middle(heads, i) - floor) @ up for i in range(len(legs.pairs))])
    level /= height
    rising = float(np.mean(np.diff(level) > 0.02))
    return 3.0 * rising + float((level[-1] / 0.08) ** 2)


def _hangs_on(tree: Hierarchy, upper: TwinChain, lower: TwinChain) -> bool:
    return any(lower.parent in pair or any(tree.is_above(b, lower.parent) for b in pair)
               for pair in upper.pairs[:1])  # fmt: skip


def _pelvis(tree: Hierarchy, legs: TwinChain, arms: TwinChain) -> int | None:
    """The lowest bone above legs and arms."""
    if legs.parent == arms.parent or tree.is_above(legs.parent, arms.parent):
        return legs.parent
    if tree.is_above(arms.parent, legs.parent):
        return arms.parent
    common = tree.common([legs.parent, arms.parent])
    return common[-1] if common else None


def _up(
    heads: np.ndarray, legs: TwinChain, hips: np.ndarray, shoulders: np.ndarray
) -> np.ndarray | None:
    """Upwards along the body, from the feet to the shoulders; None if that makes no sense."""
    places = range(len(legs.pairs))
    far = max(places, key=lambda i: float(np.linalg.norm(legs.middle(heads, i) - shoulders)))
    feet = legs.middle(heads, far)
    leg, trunk = hips - feet, shoulders - hips
    if np.linalg.norm(leg) <= 0.0 or np.linalg.norm(trunk) <= 0.0:
        return None
    if leg @ trunk < 0.5 * np.linalg.norm(leg) * np.linalg.norm(trunk):
        return None
    up: np.ndarray = leg + trunk
    return up / np.linalg.norm(up)


def _left_line(
    heads: np.ndarray, legs: TwinChain, arms: TwinChain, up: np.ndarray
) -> np.ndarray | None:
    """The line between the sides: arms and legs have to agree on it."""
    lines = []
    for chain in (legs, arms):
        line = sum(heads[a] - heads[b] for a, b in chain.pairs)
        line = line - line @ up * up
        size = float(np.linalg.norm(line))
        if size <= 1e-6 * chain.length:
            return None
        lines.append(line / size)
    agreement = float(lines[0] @ lines[1])
    if abs(agreement) < 0.8:
        return None
    line = lines[0] + np.sign(agreement) * lines[1]
    found: np.ndarray = line / np.linalg.norm(line)
    return found


def facing(
    tree: Hierarchy,
    heads: np.ndarray,
    legs: TwinChain,
    arms: TwinChain,
    leg: Mapping[str, int],
    arm: Mapping[str, int],
    trunk: Trunk,
) -> Facing:
    """Which way the body faces: toes point forward, knees too, elbows back, the face is in front.

    Each gives a vote in shares of the body's height along the axis through the body.
    """
    axis = np.cross(trunk.left_line, trunk.up)

    def ahead(point: np.ndarray, of: np.ndarray) -> float:
        return float((point - of) @ axis) / trunk.height

    votes: list[tuple[float, float]] = []  # (how far ahead, how far is sure)
    ankle = legs.middle(heads, leg["ankle"])
    last = len(legs.pairs) - 1
    if last > leg["ankle"]:
        beyond = [legs.middle(heads, i) for i in range(leg["ankle"] + 1, last + 1)]
        toes = max((ahead(p, ankle) for p in beyond), key=abs)
        if abs(toes) > _SHORTEST_FOOT:
            votes.append((3.0 * toes, 0.12))
    hip, knee = (legs.middle(heads, leg[part]) for part in ("hip", "knee"))
    share = _share(hip, knee, ankle)
    votes.append((ahead(knee, hip + share * (ankle - hip)), 0.03))
    shoulder, elbow, wrist = (
        arms.middle(heads, arm[part]) for part in ("shoulder", "elbow", "wrist")
    )
    share = _share(shoulder, elbow, wrist)
    votes.append((-ahead(elbow, shoulder + share * (wrist - shoulder)), 0.03))
    if trunk.head is not None:
        for eyes in _mirrored(tree, heads, trunk):
            votes.append((ahead(eyes, heads[trunk.head]), 0.06))
    total = sum(vote / sure for vote, sure in votes)
    direction = axis if total >= 0.0 else -axis
    return Facing(direction, float(np.clip(abs(total), 0.0, 1.0)))


def _mirrored(tree: Hierarchy, heads: np.ndarray, trunk: Trunk) -> list[np.ndarray]:
    """Points between bones on the head that mirror each other, as eyes do; of ears, too."""
    assert trunk.head is not None
    leaves = [c for c in tree.children[trunk.head] if tree.below(c) <= 1]
    found = []
    for a, b in combinations(leaves[:_MOST_FACE_BONES], 2):
        line = heads[a] - heads[b]
        across = abs(float(line @ trunk.left_line))
        if across > 0.02 * trunk.height and np.linalg.norm(line) < 1.05 * across:
            found.append(0.5 * (heads[a] + heads[b]))
    return found


def _share(start: np.ndarray, middle: np.ndarray, end: np.ndarray) -> float:
    """How far along the line from start to end the middle lies."""
    line = end - start
    return float((middle - start) @ line / max(float(line @ line), 1e-12))

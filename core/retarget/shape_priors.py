"""How far pairs of twin chains are from the legs and arms of a body, all pairs at once."""

from collections.abc import Mapping, Sequence

import numpy as np

from .hierarchy import Hierarchy
from .limb_shape import TwinChain
from .slots import ARM, LEG

#: Cost of what cannot be a body at all.
IMPOSSIBLE = 1e6
#: Shoulders are at this share of a body's height.
SHOULDER_LEVEL = 0.82
#: Lines between the sides of legs and arms (cosine), and legs and trunk, must agree so far.
_SAME_LINE, _UPRIGHT = 0.8, 0.5
#: Chains whose bones' lengths vary less than this share are cloth or hair.
_EVEN = 0.15
#: How much a well-named bone counts beside the shape.
_NAME_WEIGHT = 0.6


class TwinFeatures:
    """What matters of N twin chains, as arrays."""

    def __init__(
        self,
        tree: Hierarchy,
        heads: np.ndarray,
        twins: Sequence[TwinChain],
        hints: Sequence[Mapping[str, float]] | None,
    ) -> None:
        sides = [heads[np.array(chain.pairs)] for chain in twins]  # [pairs, 2, 3] each
        middles = [points.mean(axis=1) for points in sides]
        self.start = np.array([m[0] for m in middles])
        self.second = np.array([m[min(1, len(m) - 1)] for m in middles])
        self.end = np.array([m[-1] for m in middles])
        lines = np.array([(p[:, 0] - p[:, 1]).sum(axis=0) for p in sides])
        size = np.linalg.norm(lines, axis=-1, keepdims=True)
        self.line = lines / np.maximum(size, 1e-12)
        self.length = np.array([chain.length for chain in twins])
        self.has_sides = size[:, 0] > 1e-6 * self.length
        self.apart = np.array(
            [
                np.abs((p[:, 0] - p[:, 1]) @ line).max()
                for p, line in zip(sides, self.line, strict=True)
            ]
        )
        self.depth = np.array([tree.depth[chain.parent] for chain in twins])
        self.own_cost = np.array([_own_cost(m) for m in middles])
        self.fingers = np.array([_has_fingers(tree, chain) for chain in twins])
        self.leg_words, self.arm_words = (_words(twins, hints, limb) for limb in (LEG, ARM))


def _own_cost(middles: np.ndarray) -> float:
    """Limbs of many or of even bones are hair or cloth."""
    steps = np.linalg.norm(np.diff(middles, axis=0), axis=-1)
    steps = steps[steps > 1e-3 * steps.max(initial=1e-12)]
    cost = 0.5 * max(0, len(steps) - 10)
    if len(steps) > 3 and steps.std() < _EVEN * steps.mean():
        cost += 3.0
    return cost


def _has_fingers(tree: Hierarchy, chain: TwinChain) -> bool:
    """Whether a bone of the chain, not at its top, carries three or more chains on both sides."""
    return any(
        min(sum(1 for c in tree.children[b] if tree.children[c]) for b in pair) >= 3
        for pair in chain.pairs[2:]
    )


def _words(
    twins: Sequence[TwinChain], hints: Sequence[Mapping[str, float]] | None, limb: Sequence[str]
) -> np.ndarray:
    """How strongly [N] the chains' names say that they are such a limb."""
    if hints is None:
        return np.zeros(len(twins))
    said = [max((hint.get(part, 0.0) for part in limb), default=0.0) for hint in hints]
    return np.array([sum(said[b] for pair in chain.pairs for b in pair) for chain in twins])


def misfits(of: TwinFeatures) -> np.ndarray:
    """Cost [N, N] of taking row for legs and column for arms; 0 at best.

    The numbers are shares of a body's height: children and comic figures have other ones, so
    their spread is wide, and only their sum decides.
    """
    # Shoulders are where the arms are farthest from the feet, with clavicles or without.
    first, second = (point[None] - of.end[:, None] for point in (of.start, of.second))
    farther = (second**2).sum(axis=-1) > (first**2).sum(axis=-1)
    whole = np.where(farther[..., None], second, first)  # [N, N, 3]
    leg = of.start - of.end
    trunk = whole - leg[:, None]
    tall = np.linalg.norm(whole, axis=-1)
    up = whole / np.maximum(tall, 1e-12)[..., None]
    height = np.maximum(tall, 1e-12) / SHOULDER_LEVEL
    to_hips = np.einsum("ik,ijk->ij", leg, up) / height
    cost = ((to_hips - 0.52) / 0.12) ** 2
    cost += (np.minimum(0.0, of.apart[:, None] / height - 0.06) / 0.03) ** 2
    # Arms begin at the shoulders and reach about as far as the hips.
    reach = of.length[None] / height
    cost += (np.maximum(0.0, 0.42 - reach) / 0.1) ** 2
    cost += (np.maximum(0.0, reach - 0.75) / 0.1) ** 2
    cost += (np.minimum(0.0, of.apart[None] / height - 0.15) / 0.05) ** 2
    cost -= 3.0 * of.fingers[None]
    cost += 3.0 * of.fingers[:, None]
    # The legs hang nearer to the root than the arms.
    cost += 1.5 * np.maximum(0, of.depth[:, None] - of.depth[None])
    cost += of.own_cost[:, None] + of.own_cost[None]
    words = of.leg_words - of.arm_words
    cost -= _NAME_WEIGHT * (words[:, None] - words[None])
    same_line = np.abs(of.line @ of.line.T) >= _SAME_LINE
    straight = np.einsum("ik,ijk->ij", leg, trunk) >= _UPRIGHT * (
        np.linalg.norm(leg, axis=-1)[:, None] * np.linalg.norm(trunk, axis=-1)
    )
    possible = same_line & straight & (tall > 0.0) & ~np.eye(len(tall), dtype=bool)
    possible &= of.has_sides[:, None] & of.has_sides[None]
    cost[~possible] = IMPOSSIBLE
    return cost

"""The body that a hierarchy's shape shows, whatever its bones are called: numpy only.

A body is two pairs of twin chains on a trunk: legs that reach lowest and arms that hang beside
the head.  Twins are siblings whose chains have the same lengths, so neither the pose nor the
orientation, scale or axes of the rig matter.  Toes, knees, elbows and face say which way is
forward, and that which side is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .hierarchy import Hierarchy
from .limb_shape import TwinChain, arm_joints, leg_joints, twin_chains
from .shape_priors import IMPOSSIBLE, TwinFeatures, misfits
from .slots import SIDES
from .trunk_shape import Trunk, facing, find_trunk

#: Twin chains considered, longest first, and pairs of them that are looked at closely.
_MOST_TWINS, _MOST_BODIES = 100, 40
#: What costs more is no body.
_MOST_COST = 16.0
#: A bone with arms that begins this much (share of the height) above the shoulders is a neck.
_NECK_RISE = 0.01


@dataclass(frozen=True)
class BodyShape:
    """Bones (indices) for the slots, from shape alone.

    quality: 0 to 1, how much it looks like a body.  side_quality: 0 to 1, how sure left and right
    are.  chains: all bones of each limb ("left_leg", …), distractors between the joints included.
    """

    bones: Mapping[str, tuple[int, ...]]
    quality: float
    side_quality: float
    limb_of: Mapping[int, str]


def body_shape(
    tree: Hierarchy, heads: np.ndarray, hints: Sequence[Mapping[str, float]] | None = None
) -> BodyShape | None:
    """The body in a hierarchy with rest positions ``heads`` [B, 3] (any frame); None if none.

    ``hints`` [B] are what the bones' names say (part → strength), where they say anything.
    """
    size = float(np.ptp(heads, axis=0).max(initial=0.0)) if tree.count else 0.0
    if tree.count < 7 or size <= 0.0 or not np.isfinite(size):
        return None
    twins = twin_chains(tree, heads)[:_MOST_TWINS]
    if len(twins) < 2:
        return None
    costs = misfits(TwinFeatures(tree, heads, twins, hints))
    likely = np.argsort(costs, axis=None, kind="stable")[:_MOST_BODIES]
    best: tuple[float, TwinChain, TwinChain, Trunk] | None = None
    for leg, arm in zip(*np.unravel_index(likely, costs.shape), strict=True):
        cost = float(costs[leg, arm])
        if cost >= IMPOSSIBLE or (best is not None and cost >= best[0]):
            break  # a trunk only costs more
        trunk = find_trunk(tree, heads, twins[leg], twins[arm])
        if trunk is not None and (best is None or cost + trunk.cost < best[0] - 1e-9):
            best = (cost + trunk.cost, twins[leg], twins[arm], trunk)
    if best is None or best[0] > _MOST_COST:
        return None
    return _assembled(tree, heads, *best)


def _assembled(
    tree: Hierarchy,
    heads: np.ndarray,
    cost: float,
    legs: TwinChain,
    arms: TwinChain,
    trunk: Trunk,
) -> BodyShape:
    leg, leg_fit = leg_joints(heads, legs, trunk)
    arm, arm_fit = arm_joints(tree, heads, arms, trunk)
    forward = facing(tree, heads, legs, arms, leg, arm, trunk)
    if "foot" in leg:  # behind the ankle it is a heel
        toes, ankles = (legs.middle(heads, leg[part]) for part in ("foot", "ankle"))
        if (toes - ankles) @ forward.direction <= 0.0:
            del leg["foot"]
    bones: dict[str, tuple[int, ...]] = {"pelvis": (trunk.pelvis,)}
    bones["spine"], bones["neck"] = _spine_and_neck(heads, arms, arm, trunk)
    if trunk.head is not None:
        bones["head"] = (trunk.head,)
    limb_of: dict[int, str] = {}
    for chain, joints, limb in ((legs, leg, "leg"), (arms, arm, "arm")):
        first = _first_is_left(heads, chain, trunk.up, forward.direction)
        for column, side in enumerate(SIDES if first else SIDES[::-1]):
            limb_of.update({pair[column]: f"{side}_{limb}" for pair in chain.pairs})
            for part, place in joints.items():
                bones[f"{side}_{part}"] = (chain.pairs[place][column],)
    fit = 0.5 * (leg_fit + arm_fit)
    quality = float(np.clip(1.0 - cost / _MOST_COST, 0.0, 1.0)) * fit
    return BodyShape(
        {slot: chain for slot, chain in bones.items() if chain}, quality, forward.quality, limb_of
    )


def _spine_and_neck(
    heads: np.ndarray, arms: TwinChain, arm: Mapping[str, int], trunk: Trunk
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The trunk's chains: what the arms hang on is a neck if it begins above the shoulders."""
    if len(trunk.spine) < 2:
        return trunk.spine, trunk.neck
    shoulders = arms.middle(heads, arm["shoulder"])
    rise = float((heads[trunk.spine[-1]] - shoulders) @ trunk.up)
    if rise <= _NECK_RISE * trunk.height:
        return trunk.spine, trunk.neck
    return trunk.spine[:-1], (trunk.spine[-1], *trunk.neck)


def _first_is_left(
    heads: np.ndarray, chain: TwinChain, up: np.ndarray, forward: np.ndarray
) -> bool:
    """Whether the first of the twins is on the body's left: left = up x forward."""
    line = sum(heads[a] - heads[b] for a, b in chain.pairs)
    return bool(line @ np.cross(up, forward) > 0.0)

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
from .slots import ARM, LEG, SIDES
from .trunk_shape import Trunk, facing, find_trunk

#: Twin chains considered, longest first.
_MOST_TWINS = 24
#: How much a well-named bone counts beside the shape when bodies are compared.
_NAME_WEIGHT = 0.6
#: A bone with arms that begins this much (share of the height) above the shoulders is a neck.
_NECK_RISE = 0.01
#: A body that suits less than this is none.
_LEAST = -14.0


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
    best: tuple[float, TwinChain, TwinChain, Trunk] | None = None
    for legs in twins:
        for arms in twins:
            if arms is legs:
                continue
            trunk = find_trunk(tree, heads, legs, arms)
            if trunk is None:
                continue
            total = trunk.score + _NAME_WEIGHT * _named(legs, arms, hints)
            if best is None or total > best[0] + 1e-9:
                best = (total, legs, arms, trunk)
    if best is None or best[0] < _LEAST:
        return None
    return _assembled(tree, heads, *best)


def _named(legs: TwinChain, arms: TwinChain, hints: Sequence[Mapping[str, float]] | None) -> float:
    """How well the chains' names fit legs and arms."""
    if hints is None:
        return 0.0
    total = 0.0
    for chain, limb, other in ((legs, LEG, ARM), (arms, ARM, LEG)):
        for pair in chain.pairs:
            for bone in pair:
                said = hints[bone]
                total += max((said.get(part, 0.0) for part in limb), default=0.0)
                total -= max((said.get(part, 0.0) for part in other), default=0.0)
    return total


def _assembled(
    tree: Hierarchy,
    heads: np.ndarray,
    total: float,
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
    quality = float(np.clip(1.0 + trunk.score / 16.0, 0.0, 1.0)) * fit
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

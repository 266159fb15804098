"""How far two pairs of chains are from the legs and arms of a body."""

import numpy as np

from .hierarchy import Hierarchy
from .limb_shape import TwinChain


def misfit(
    tree: Hierarchy,
    heads: np.ndarray,
    legs: TwinChain,
    arms: TwinChain,
    up: np.ndarray,
    left: np.ndarray,
    floor: np.ndarray,
    height: float,
    to_hips: float,
) -> float:
    """Cost (0 at best) of taking the chains for legs and arms of a body of that height.

    The numbers are shares of a body's height: children and comic figures have other ones, so
    their spread is wide, and only their sum decides.
    """
    low = (heads - floor) @ up / height
    cost = _square(to_hips / height - 0.52, 0.12)
    # Legs go down and carry the body; what reaches lower than the feet is a tail or a root.
    cost += _square(float(np.mean(low[list(legs.pairs[-1])])), 0.08)
    leg_places = np.array([(legs.middle(heads, i) - floor) @ up for i in range(len(legs.pairs))])
    cost += 3.0 * float(np.mean(np.diff(leg_places) > 0.02 * height))
    cost += _square(min(0.0, _apart(heads, legs, left) / height - 0.06), 0.03)
    # Arms begin at the shoulders and reach about as far as the hips.
    reach = arms.length / height
    cost += _square(max(0.0, 0.42 - reach), 0.1) + _square(max(0.0, reach - 0.75), 0.1)
    cost += _square(min(0.0, _apart(heads, arms, left) / height - 0.15), 0.05)
    # The legs hang nearer to the root than the arms.
    steps = tree.depth[arms.parent] - tree.depth[legs.parent]
    cost += 1.5 * max(0, -steps)
    # Limbs of many even bones are hair or cloth.
    for chain in (legs, arms):
        cost += 0.5 * max(0, len(chain.pairs) - 10)
    return cost


def _apart(heads: np.ndarray, chain: TwinChain, left: np.ndarray) -> float:
    """The farthest that the twins are apart sidewards."""
    return max(abs(float((heads[a] - heads[b]) @ left)) for a, b in chain.pairs)


def _square(difference: float, spread: float) -> float:
    return (difference / spread) ** 2

"""What speaks against a bone map in the places of its bones."""

from collections.abc import Mapping, Sequence

import numpy as np

from .slots import ARM, LEG, SIDES, limb_slots, side_and_part

Chains = Mapping[str, Sequence[int]]

#: A toe joint this far (share of the leg) behind the ankle points backwards.
_BACKWARDS = 0.04
#: Joints nearer to each other than this share of the leg are in one place.
_ONE_PLACE = 0.005

SWAPPED = "the toes say that left and right are swapped"


def objections(chains: Chains, heads: np.ndarray) -> dict[str, str]:
    """Slot → why its bone's place contradicts it; ``heads`` [B, 3] in any frame and unit."""
    points = {slot: heads[bones[0]] for slot, bones in chains.items() if bones}
    needed = [f"{side}_{part}" for side in SIDES for part in ("hip", "ankle")]
    if any(slot not in points for slot in needed):
        return {}
    hips, ankles = (
        0.5 * (points[f"left_{part}"] + points[f"right_{part}"]) for part in ("hip", "ankle")
    )
    leg = float(np.linalg.norm(hips - ankles))
    if leg <= 0.0:
        return {}
    found = {}
    if _is_swapped(points, (hips - ankles) / leg, leg):
        found = {slot: SWAPPED for slot in chains if side_and_part(slot)[0]}
    for side in SIDES:
        for limb in (LEG, ARM):
            slots = [slot for slot in limb_slots(side, limb) if slot in points]
            for upper, lower in zip(slots, slots[1:], strict=False):
                if np.linalg.norm(points[upper] - points[lower]) < _ONE_PLACE * leg:
                    found[lower] = "it is in one place with the bone above"
    return found


def _is_swapped(points: Mapping[str, np.ndarray], up: np.ndarray, leg: float) -> bool:
    """Whether both feet point backwards on a body whose left is where the names say."""
    left = points["left_hip"] - points["right_hip"]
    if "left_shoulder" in points and "right_shoulder" in points:
        shoulders = points["left_shoulder"] - points["right_shoulder"]
        if shoulders @ left <= 0.0:
            return False  # crossed or odd: nothing can be said
        trunk = 0.5 * (points["left_shoulder"] + points["right_shoulder"]) - 0.5 * (
            points["left_hip"] + points["right_hip"]
        )
        if trunk @ up <= 0.0:
            return False
    forward = np.cross(left, up)
    size = float(np.linalg.norm(forward))
    if size <= 0.0 or not all(f"{side}_foot" in points for side in SIDES):
        return False
    ahead = [(points[f"{s}_foot"] - points[f"{s}_ankle"]) @ forward / size for s in SIDES]
    return max(ahead) < -_BACKWARDS * leg

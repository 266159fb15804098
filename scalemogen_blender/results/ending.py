"""An edit of a motion's beginning or end: what is there then is held, as it was before."""

from __future__ import annotations

import bpy
import numpy as np

from .. import compat
from ..edit.key_table import KEY

#: Frames; keys nearer to an end of the range than this lie on it.
_CLOSE = 0.25


def keyed_range(rig: bpy.types.Object) -> tuple[float, float] | None:
    """Frames of the first and last key of the rig's present action; None without keys.

    Also None while a strip is tweaked: its action has a time of its own.
    """
    animation = rig.animation_data
    if animation is None or animation.use_tweak_mode:
        return None
    ranges = [c.range() for c in compat.active_curves(rig) if len(c.keyframe_points)]
    if not ranges:
        return None
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def hold_ends(
    rig: bpy.types.Object, before: tuple[float, float] | None, first: int, last: int
) -> None:
    """Take away keys beyond the range that bring back what was held there before the edit.

    before: the range of keys before it.  Where the motion went on beyond the edit, all stays.
    """
    if before is None:
        return
    low = first - _CLOSE if before[0] >= first - _CLOSE else -np.inf
    high = last + _CLOSE if before[1] <= last + _CLOSE else np.inf
    for curve in compat.active_curves(rig):
        keys = compat.read_key_table(curve, KEY)
        frames = keys["co"][:, 0]
        kept = (frames >= low) & (frames <= high)
        if np.any(kept) and not np.all(kept):
            compat.put_key_table(curve, keys[kept])
    rig.animation_data.action.update_tag()

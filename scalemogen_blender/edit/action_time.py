"""Scene frames in the time of the rig's action: the same, but for a strip that is tweaked."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from .. import compat

#: More whole frames than this on one side of a range are not looked at.
_MOST_FRAMES = 10000


@dataclass(frozen=True)
class ActionTime:
    """strip: that is tweaked, None for an action that is played as it is.

    visible: first and last scene frame that anybody looks at; played: those between which the
    action has a say at all, so that there is nothing to hold beyond them.
    """

    strip: bpy.types.NlaStrip | None
    visible: tuple[float, float]
    played: tuple[float, float] = (-np.inf, np.inf)

    @classmethod
    def of(cls, rig: bpy.types.Object, scene: bpy.types.Scene, first: int, last: int) -> ActionTime:
        """For a rig in a scene, and frames of it that are written."""
        low, high = scene.frame_start, scene.frame_end
        if scene.use_preview_range:
            low, high = min(low, scene.frame_preview_start), max(high, scene.frame_preview_end)
        animation = rig.animation_data
        if animation is not None and animation.action is not None:
            start, end = animation.action.frame_range
            low, high = min(low, int(start) - 1), max(high, int(end) + 1)
        tweaked = animation is not None and animation.use_tweak_mode
        strip = compat.tweaked_strip(rig) if tweaked else None
        return cls(strip, (float(low), float(high)), _played(rig, first, last))

    def of_scene(self, frames: np.ndarray) -> np.ndarray:
        """Scene frames [K] in the action's time, rounded just as Blender does when it plays it."""
        found, strip = np.asarray(frames).astype(np.float32), self.strip
        if strip is not None:
            start, scale = np.float32(strip.frame_start), np.float32(abs(strip.scale))
            inside = (found - start) / scale
            if strip.use_reverse:
                found = np.float32(strip.action_frame_end) - inside
            else:
                found = np.float32(strip.action_frame_start) + inside
        return np.asarray(found.astype(np.float64))

    def whole_frames(self, low: float, high: float) -> np.ndarray:
        """The scene's whole frames that lie strictly between two frames of the action, ascending.

        Infinite ones stand for the end of what is visible, and one frame beyond what is given.
        """
        ends = sorted((self._to_scene(low), self._to_scene(high)))
        known = [end for end in ends if np.isfinite(end)]
        start = ends[0] if np.isfinite(ends[0]) else min(self.visible[0], *(e - 2.0 for e in known))
        stop = ends[1] if np.isfinite(ends[1]) else max(self.visible[1], *(e + 2.0 for e in known))
        whole = np.arange(np.floor(start) - 1.0, np.ceil(stop) + 1.5)
        if not (np.isfinite(low) and np.isfinite(high)):
            whole = whole[(whole >= self.played[0]) & (whole <= self.played[1])]
        if len(whole) > _MOST_FRAMES:
            inner = np.isfinite(ends[1])  # the range is on that side
            whole = whole[-_MOST_FRAMES:] if inner else whole[:_MOST_FRAMES]
        found = np.sort(self.of_scene(whole))
        return found[(found > low) & (found < high)]

    def _to_scene(self, frame: float) -> float:
        strip = self.strip
        if strip is None:
            return frame
        if strip.use_reverse:
            return float(strip.frame_start + abs(strip.scale) * (strip.action_frame_end - frame))
        return float(strip.frame_start + abs(strip.scale) * (frame - strip.action_frame_start))


def _played(rig: bpy.types.Object, first: int, last: int) -> tuple[float, float]:
    """Scene frames between which the NLA plays the action, or the strip that is tweaked.

    Keys beyond them would change that.
    """
    animation = rig.animation_data
    if animation is None or not animation.use_nla or not len(animation.nla_tracks):
        return -np.inf, np.inf
    if animation.use_tweak_mode:
        strip = compat.tweaked_strip(rig)
        if strip is not None and strip.use_sync_length:
            return strip.frame_start, strip.frame_end
    elif animation.action is None:
        return first, last  # see restoring.Undo.prepare_action
    elif animation.action_extrapolation == "NOTHING":
        return compat.played_range(animation)
    return -np.inf, np.inf

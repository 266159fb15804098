"""New keys in a range of the rig's present action; everything else in it stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from .. import compat
from .._core import errors
from ..channels import Channel
from . import splice
from .keying import Keyed, Keying, Simplified

#: How far a curve may be off outside the range before it is sampled instead of divided.
_TOLERANCE = 2e-5
#: As many frames of a crossing segment are compared at most.
_MOST_FRAMES = 1000
#: Channels that a motion leaves at rest, and where that is.
_AT_REST = {"location": 0.0, "scale": 1.0}


@dataclass(frozen=True)
class _Change:
    """A curve to write: its channel, its new keys, and what it must still be outside of them."""

    channel: Channel
    index: int
    keys: splice.Keys
    sampled: splice.Keys
    outside: dict[float, float]


def overwrite(
    rig: bpy.types.Object, channels: Sequence[Channel], frames: np.ndarray, keying: Keying
) -> tuple[bool, Simplified | None]:
    """Replace the keys of the channels from the first to the last of ``frames`` [K].

    Whether the action was copied for that, because others play it, too, and what simplifying has
    done. ScaleMoGenError if a curve cannot be changed without changing it elsewhere; then nothing
    is.
    """
    existing = {(c.data_path, c.array_index): c for c in compat.active_curves(rig)}
    # A switch, too, has to be as it was after the range: it needs a key at either end.
    given = [replace(channel, held=False) for channel in channels]
    wanted = [*given, *_at_rest(channels, existing, len(frames))]
    for channel in wanted:
        for index in range(channel.values.shape[1]):
            _check(existing.get((channel.path, index)))
    played = {channel.path: _Played.of(channel, existing) for channel in wanted}
    edges = {path: one.at(frames[0] - 1.0, frames[-1] + 1.0) for path, one in played.items()}
    near = [_nearest(channel, *edges[channel.path]) for channel in wanted]
    holds = {channel.path: hold for channel, hold in near}
    keyed, simplified = keying.keyed([channel for channel, _ in near], frames)
    changes = [
        change
        for one in keyed
        for change in _changes(one, played[one.channel.path], holds[one.channel.path], frames)
    ]
    copied = compat.is_shared(rig) or not rig.animation_data.action.is_editable
    if copied:
        animation = rig.animation_data
        handle = compat.slot_handle(animation)
        compat.assign_action(animation, animation.action.copy(), handle)
    for change in changes:
        _write(rig, change)
    return copied, simplified


@dataclass(frozen=True)
class _Played:
    """The curves that a channel has now, and its value at any frame."""

    curves: list[bpy.types.FCurve | None]
    value_at: list[Callable[[float], float]]

    @classmethod
    def of(cls, channel: Channel, existing: dict[tuple[str, int], bpy.types.FCurve]) -> _Played:
        static = channel.now()
        curves = [existing.get((channel.path, i)) for i in range(channel.values.shape[1])]
        return cls(curves, [_evaluator(c, static[i]) for i, c in enumerate(curves)])

    def at(self, *frames: float) -> list[np.ndarray]:
        return [np.array([value(frame) for value in self.value_at]) for frame in frames]


def _at_rest(
    channels: Sequence[Channel], existing: dict[tuple[str, int], bpy.types.FCurve], count: int
) -> list[Channel]:
    """Locations and scales of the channels' bones that are not at rest, put to rest."""
    given = {channel.path for channel in channels}
    found = []
    for bone in {
        channel.owner.name: channel.owner for channel in channels if _is_bone(channel)
    }.values():
        for name, rest in _AT_REST.items():
            channel = Channel(bone, name, np.full((count, 3), rest), bone.name)
            keyed = any((channel.path, index) in existing for index in range(3))
            moved = any(value != rest for value in getattr(bone, name))
            if channel.path not in given and (keyed or moved):
                found.append(channel)
    return found


def _is_bone(channel: Channel) -> bool:
    return isinstance(channel.owner, bpy.types.PoseBone)


def _check(curve: bpy.types.FCurve | None) -> None:
    if curve is None:
        return
    where = f"The curve of {curve.data_path}[{curve.array_index}]"
    if any(not modifier.mute for modifier in curve.modifiers):
        raise errors.ScaleMoGenError(
            f"{where} has F-curve modifiers, which would change the new keys; bake to a new "
            "action, or remove the modifiers."
        )
    if len(curve.sampled_points):
        raise errors.ScaleMoGenError(
            f"{where} is made of samples, not of keys; bake to a new action, or convert it to "
            "keys (Key > Samples to Keys in the Graph Editor)."
        )
    if curve.lock:
        raise errors.ScaleMoGenError(
            f"{where} is locked; bake to a new action, or unlock it in the Graph Editor."
        )


def _changes(one: Keyed, played: _Played, hold: bool, frames: np.ndarray) -> list[_Change]:
    changes = []
    for index, (new, curve) in enumerate(zip(one.keys, played.curves, strict=True)):
        value_at = played.value_at[index]
        keys = _keys(curve)
        if hold:
            new = new.changed(len(new) - 1, interpolation=splice.CONSTANT)
        sloping = curve is not None and curve.extrapolation == "LINEAR"
        made = [splice.splice(keys, new, value_at, sloping, d) for d in (True, False)]
        outside = {f: value_at(f) for f in _compared(keys, frames)}
        changes.append(_Change(one.channel, index, *made, outside))
    return changes


def _evaluator(curve: bpy.types.FCurve | None, static: float) -> Callable[[float], float]:
    if curve is None or not len(curve.keyframe_points):
        return lambda _frame: static
    return curve.evaluate


def _nearest(channel: Channel, before: np.ndarray, after: np.ndarray) -> tuple[Channel, bool]:
    """Of all numbers that mean the same rotations, those next to what comes before.

    Also whether they are far from what comes after, so that a line to it would turn the bone
    round within the frame.
    """
    values, hold = channel.values, False
    if channel.property_name == "rotation_quaternion":
        values = values * (-1.0 if values[0] @ before < 0.0 else 1.0)
        hold = bool(values[-1] @ after < 0.0)
    elif channel.property_name == "rotation_euler":
        turn = 2.0 * np.pi
        values = values + turn * np.round((before - values[0]) / turn)
        hold = bool((np.abs(values[-1] - after) > np.pi).any())
    return replace(channel, values=values), hold


def _keys(curve: bpy.types.FCurve | None) -> splice.Keys:
    if curve is None:
        return splice.linear_keys(np.zeros(0), np.zeros(0))
    points, attributes = compat.read_keys(curve, splice.ATTRIBUTES)
    return splice.Keys(*points, attributes)


def _compared(keys: splice.Keys, frames: np.ndarray) -> list[float]:
    """Whole frames between the range and the keys next to it."""
    if not len(keys):
        return []
    before, after = keys.frames[keys.frames < frames[0]], keys.frames[keys.frames > frames[-1]]
    low = np.floor(before[-1]) if len(before) else frames[0] - 3.0
    high = np.ceil(after[0]) if len(after) else frames[-1] + 3.0
    found = [*np.arange(low, frames[0] - 0.5), *np.arange(frames[-1] + 1.0, high + 0.5)]
    step = 1 + len(found) // _MOST_FRAMES
    return [float(frame) for frame in found[::step]]


def _write(rig: bpy.types.Object, change: _Change) -> None:
    channel = change.channel
    curve = compat.ensure_curve(rig, channel.path, change.index, channel.group)
    for keys in (change.keys, change.sampled):
        points = [keys.co, keys.handle_left, keys.handle_right]
        compat.write_keys(curve, points, keys.attributes)
        if all(
            abs(curve.evaluate(frame) - value) <= _TOLERANCE * max(1.0, abs(value))
            for frame, value in change.outside.items()
        ):
            return

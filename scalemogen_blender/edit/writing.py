"""The keys of an edit into the rig's present action; everything outside the range stays.

What lies outside is the same to the last bit: the keys there with their handles, and the value of
every curve at every whole frame of the scene.  Where a curve has no key next to the range, keys of
ours hold it (:mod:`gaps`).  Blender is never asked to compute handles anew (``FCurve.update``): it
would move automatic ones of the keys next to ours.  They stay through undo, saving and loading; it
does move them when somebody edits that very curve later, as with any key that is put in.  Making
them free would prevent that, and change the artist's keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import bpy
import numpy as np

from .. import compat
from .._core import editing, errors, retarget
from ..channels import Channel, channels_of
from . import carrying, refusals
from .action_time import ActionTime
from .inside import Curve, Inside, Replacement, nearest, same
from .key_table import KEY, NO_KEYS, times
from .nearby import next_to
from .restoring import Undo, unchanged_on_error
from .thinning import Scratch


@dataclass(frozen=True)
class Written:
    """curves: how many were written; extra_keys: keys of ours outside the range, which hold it.

    copied: the action was copied first, because others play it, too, or it is not ours to change.
    """

    curves: int
    extra_keys: int
    copied: bool = False


@dataclass(frozen=True)
class _Change:
    channel: Channel
    index: int
    replacement: Replacement
    old: np.ndarray


def write(
    rig: bpy.types.Object,
    pose: retarget.PoseChannels,
    first: int,
    later: editing.Offset | None = None,
    retargeter: retarget.Retargeter | None = None,
) -> Written:
    """Replace the keys of a pose's channels [T] in scene frames first..first+T-1.

    In the rig's present action, which is made where there is none.  later: how the keys after the
    range of those bones are carried on that the pose moves; retargeter: the rig as it was measured
    for that.  ScaleMoGenError if a curve cannot be written without changing something else; then,
    and on any other error, everything is as it was.
    """
    scene_frames = np.arange(first, first + pose.frame_count, dtype=np.float64)
    last = first + pose.frame_count - 1
    refusals.check_stack(rig, first, last)
    time = ActionTime.of(rig, bpy.context.scene, first, last)
    frames = time.of_scene(scene_frames)
    order = np.argsort(frames, kind="stable")
    channels = [replace(c, values=c.values[order]) for c in channels_of(rig, pose)]
    carried = None
    if later is not None and carrying.is_needed(later) and pose.locations:
        if frames[-1] < frames[0]:
            raise errors.ScaleMoGenError(
                "The strip that is being tweaked plays backwards, so that nothing can be carried "
                "on after the edit; keep the later path, or switch Reverse off."
            )
        bones = tuple(pose.locations)
        end = int(time.visible[1])
        carried = carrying.Carrying.of(rig, later, bones, last, end, retargeter)
    changes = _changes(rig, channels, frames[order], time, carried)
    _thin(changes)
    with unchanged_on_error(rig) as undo:
        copied = undo.prepare_action()
        for change in changes:
            _write(undo.curve(change.channel, change.index, change.old), change)
        if carried is not None:
            _carry(undo, carried, changes, time)
        undo.show()
    return Written(len(changes), sum(c.replacement.extra for c in changes), copied)


def _thin(changes: list[_Change]) -> None:
    """Few keys where curves outside are smooth."""
    gaps = [gap for change in changes for gap in change.replacement.curved]
    if not gaps:
        return
    scratch = Scratch.new(len(gaps))
    try:
        for gap in gaps:
            gap.thin(scratch)
    finally:
        scratch.remove()


def _carry(
    undo: Undo, carried: carrying.Carrying, changes: list[_Change], time: ActionTime
) -> None:
    """Carry on what the channels do after the range."""
    by_channel: dict[str, list[_Change]] = {}
    for change in changes:
        if carried.covers(change.channel):
            by_channel.setdefault(change.channel.path, []).append(change)
    for group in by_channel.values():
        channel = group[0].channel
        curves = [undo.curve(channel, change.index) for change in group]
        evaluators = [_evaluator(curve) for curve in curves]

        def values_at(frames: np.ndarray, evaluators: list = evaluators) -> np.ndarray:
            return np.stack([one(frames) for one in evaluators], axis=-1).astype(np.float64)

        old = [change.replacement.keys() for change in group]
        border = group[0].replacement.border
        made = carried.keys(channel, old, values_at, border, time.of_scene)
        for curve, keys in zip(curves, made, strict=True):
            compat.put_key_table(curve, keys)


def _changes(
    rig: bpy.types.Object,
    channels: list[Channel],
    frames: np.ndarray,
    time: ActionTime,
    carried: carrying.Carrying | None,
) -> list[_Change]:
    existing = {(c.data_path, c.array_index): c for c in compat.active_curves(rig)}
    found = []
    for channel in channels:
        played = [_Played.of(channel, i, existing) for i in range(channel.values.shape[1])]
        moved = carried is not None and carried.covers(channel)
        if (
            not moved
            and all(p.curve is None for p in played)
            and all(
                same(channel.values[:, i], np.full(len(frames), p.static))
                for i, p in enumerate(played)
            )
        ):
            continue
        _check(rig, channel, played, frames)
        values, hold = _near(channel, played, frames, time)
        for index, one in enumerate(played):
            inside = Inside(
                frames, values[:, index], hold and not moved, channel.held, carried=moved
            )
            found.append(
                _Change(
                    channel,
                    index,
                    Replacement(one.given, inside, time.whole_frames),
                    one.given.keys,
                )
            )
    missing = [c for c in found if (c.channel.path, c.index) not in existing]
    refusals.check_covered(rig, [(change.channel.path, change.index) for change in missing])
    return found


@dataclass(frozen=True)
class _Played:
    """A curve, None where the channel has none, and what it plays."""

    curve: bpy.types.FCurve | None
    static: float
    given: Curve

    @classmethod
    def of(
        cls, channel: Channel, index: int, existing: dict[tuple[str, int], bpy.types.FCurve]
    ) -> _Played:
        curve, static = existing.get((channel.path, index)), channel.now()[index]
        if curve is None or not len(curve.keyframe_points):
            sloping = curve is not None and curve.extrapolation == "LINEAR"
            return cls(curve, static, Curve(NO_KEYS, sloping, _constant(static)))
        keys = compat.read_key_table(curve, KEY)
        sloping = curve.extrapolation == "LINEAR"
        given = Curve(keys, sloping, _evaluator(curve))
        return cls(curve, static, given)


def _constant(value: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda frames: np.full(len(frames), value, dtype=np.float32)


def _evaluator(curve: bpy.types.FCurve) -> Callable[[np.ndarray], np.ndarray]:
    return lambda frames: np.array([curve.evaluate(f) for f in frames.tolist()], dtype=np.float32)


def _check(
    rig: bpy.types.Object, channel: Channel, played: list[_Played], frames: np.ndarray
) -> None:
    refusals.check_drivers(rig, [(channel.path, index) for index in range(len(played))])
    for one in played:
        if one.curve is None:
            continue
        at = times(one.given.keys)
        before = at[at < frames[0] - nearest(frames[0])]
        after = at[at > frames[-1] + nearest(frames[-1])]
        low = float(before[-1]) if len(before) else -np.inf
        high = float(after[0]) if len(after) else np.inf
        refusals.check_curve(one.curve, low, high)


def _near(
    channel: Channel, played: list[_Played], frames: np.ndarray, time: ActionTime
) -> tuple[np.ndarray, bool]:
    """The values that go on from what is next to the range, and whether the last is held."""
    first, last = float(frames[0]), float(frames[-1])
    before = [*time.whole_frames(-np.inf, first)[-1:]] or [first]
    after = [*time.whole_frames(last, np.inf)[:1]] or [last]
    for one in played:
        at = times(one.given.keys)
        before += [t for t in at[at < first - nearest(first)][-1:] if t > before[0]]
        after += [t for t in at[at > last + nearest(last)][:1] if t < after[0]]
    edges = [
        np.array([one.given.values_at(np.array([at]))[0] for one in played], dtype=np.float64)
        for at in (max(before), min(after))
    ]
    mode = getattr(channel.owner, "rotation_mode", "")
    return next_to(channel.values, channel.property_name, mode, *edges)


def _write(curve: bpy.types.FCurve, change: _Change) -> None:
    replacement = change.replacement
    values_at, known = _evaluator(curve), change.old
    while True:
        keys = replacement.keys()
        compat.put_key_table(curve, keys, known)
        known = keys
        more = replacement.extra
        correct = replacement.correct(values_at(replacement.frames))
        if correct and not replacement.lost:
            return
        if replacement.extra == more or replacement.lost:
            channel = change.channel
            raise errors.ScaleMoGenError(
                f"The curve of {channel.path}[{change.index}] cannot be kept as it is outside the "
                "range; set its extrapolation to Constant, or choose another range."
            )

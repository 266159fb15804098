"""A result as an additive layer: a strip that combines with what the rig plays below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy
import numpy as np

from .. import compat
from .._core import errors, rotations
from ..channels import Channel
from ..results import nla
from . import base_values, splice
from .keying import Keyed, Keying, Simplified

#: What Blender takes for the value of a channel that no strip below animates.
_DEFAULTS = {
    "location": (0.0, 0.0, 0.0),
    "rotation_quaternion": (1.0, 0.0, 0.0, 0.0),
    "rotation_euler": (0.0, 0.0, 0.0),
    "rotation_axis_angle": (0.0, 0.0, 0.0, 0.0),
    "scale": (1.0, 1.0, 1.0),
}
_AT_REST = ("location", "scale")
_SMALL = 1e-6


def check(rig: bpy.types.Object) -> None:
    """ScaleMoGenError if a layer on top would change more than it says, or not show."""
    animation = rig.animation_data
    if animation is None:
        return
    for track in animation.nla_tracks:
        if track.is_solo:
            raise errors.ScaleMoGenError(
                f"The NLA track '{track.name}' of '{rig.name}' is solo, so that no layer above it "
                "shows; turn its star off in the NLA editor."
            )
    sounding = [track for track in animation.nla_tracks if not track.mute and track.strips]
    if sounding and not animation.use_nla:
        raise errors.ScaleMoGenError(
            f"The NLA of '{rig.name}' is switched off, and a layer needs it; mute its track "
            f"'{sounding[0].name}', or switch the NLA on (its check box in the NLA editor)."
        )


def layer(
    rig: bpy.types.Object,
    channels: Sequence[Channel],
    frames: np.ndarray,
    keying: Keying,
    reference: str,
    name: str,
) -> tuple[bpy.types.Action, Simplified | None]:
    """Add a strip to the rig that combines with what it plays; the new action.

    channels: the result's at frames [K].  reference: PLAYED or FIRST, as in the panel.
    ScaleMoGenError before anything has changed.
    """
    check(rig)
    wanted = list(channels)
    if reference == "PLAYED":
        wanted += _at_rest(channels, len(frames))
    base = base_values.played(rig, wanted, frames)
    if reference == "PLAYED":
        given = {channel.path for channel in channels}
        pairs = [
            (channel, values)
            for channel, values in zip(wanted, base, strict=True)
            if channel.path in given or np.abs(values - channel.values).max() > _SMALL
        ]
        wanted, base = [c for c, _ in pairs], [v for _, v in pairs]
    below = [
        values
        if reference == "PLAYED" or channel.held
        else np.repeat(channel.values[:1], len(frames), axis=0)
        for channel, values in zip(wanted, base, strict=True)
    ]
    made = [_difference(c, values) for c, values in zip(wanted, below, strict=True)]
    offsets = {c.path: offset for c, offset in made if offset is not None}
    keyed, simplified = keying.keyed([c for c, _ in made], frames, offsets)
    resting = _unanimated(rig, wanted)

    _push_down(rig, frames)
    if resting:
        _put_below(rig, resting, frames[0])
    writer = compat.ActionWriter.new(rig, name)
    write(writer, keyed)
    track = nla.add_result(rig, writer.action, alone=False)
    track.strips[0].blend_type, track.strips[0].extrapolation = "COMBINE", "NOTHING"
    nla.make_visible(rig)
    return writer.action, simplified


def write(writer: compat.ActionWriter, keyed: Sequence[Keyed]) -> None:
    """Curves with these keys."""
    for one in keyed:
        channel = one.channel
        for index, keys in enumerate(one.keys):
            curve = writer.new_curve(channel.path, index, channel.group)
            points = [keys.co, keys.handle_left, keys.handle_right]
            compat.write_keys(curve, points, keys.attributes)


def _at_rest(channels: Sequence[Channel], count: int) -> list[Channel]:
    """Locations and scales of the channels' bones that a result leaves at rest."""
    given = {channel.path for channel in channels}
    bones = {c.owner.name: c.owner for c in channels if isinstance(c.owner, bpy.types.PoseBone)}
    found = []
    for bone in bones.values():
        for name in _AT_REST:
            channel = Channel(bone, name, np.tile(_DEFAULTS[name], (count, 1)), bone.name)
            if channel.path not in given:
                found.append(channel)
    return found


def _difference(channel: Channel, base: np.ndarray) -> tuple[Channel, np.ndarray | None]:
    """What to combine with ``base`` [K, C] to get the channel, and what Blender adds to it.

    The latter is None where it does not add: turns and scales are multiplied.
    """
    values, kind = channel.values, channel.property_name
    if kind == "rotation_quaternion":
        upright = rotations.normalize(base)
        turned = rotations.quaternion_multiply(rotations.quaternion_conjugate(upright), values)
        turned = rotations.make_continuous(turned)
        return replace(channel, values=turned * (-1.0 if turned[0, 0] < 0.0 else 1.0)), None
    if kind == "scale":
        if np.abs(base).min() < _SMALL:
            raise errors.ScaleMoGenError(
                f"'{channel.owner.name}' has a scale of zero, on which no layer can build; key "
                "another scale, or bake to a new action."
            )
        return replace(channel, values=values / base), None
    if kind == "rotation_euler":
        values = _near_euler(values, base[0], channel.owner.rotation_mode)
    default = _default(channel)
    return replace(channel, values=values - base + default), base - default


def _near_euler(values: np.ndarray, base: np.ndarray, order: str) -> np.ndarray:
    """Of the angles [K, 3] that mean the same rotations, those next to ``base`` at the start."""
    turn = 2.0 * np.pi
    middle = "XYZ".index(order[1])
    other = values + np.pi
    other[:, middle] = np.pi - values[:, middle]
    found = [v + turn * np.round((base - v[0]) / turn) for v in (values, other)]
    return min(found, key=lambda v: float(np.abs(v[0] - base).sum()))


def _default(channel: Channel) -> np.ndarray:
    known = _DEFAULTS.get(channel.property_name)
    if known is not None:
        return np.array(known)
    name = channel.property_name
    if name.startswith("["):
        key = bpy.utils.unescape_identifier(name[2:-2])
        value = channel.owner.id_properties_ui(key).as_dict().get("default", 0.0)
    else:
        value = channel.owner.bl_rna.properties[name].default
    return np.atleast_1d(np.asarray(value, dtype=np.float64))


def _unanimated(rig: bpy.types.Object, channels: Sequence[Channel]) -> list[tuple[Channel, int]]:
    """Curves that nothing animates now and whose value is not Blender's default.

    They would jump to the default when a layer animates them.
    """
    animated = base_values.animated(rig)
    found = []
    for channel in channels:
        values, default = base_values.static(channel), _default(channel)
        indices = [i for i in range(len(values)) if (channel.path, i) not in animated]
        if channel.property_name == "rotation_quaternion" and len(indices) < len(values):
            continue
        if any(abs(values[i] - default[i]) > _SMALL for i in indices):
            found += [(replace(channel, values=values[None]), i) for i in indices]
    return found


def _push_down(rig: bpy.types.Object, frames: np.ndarray) -> None:
    """The rig's action becomes a strip that looks as it did, at least while the scene lasts."""
    animation = rig.animation_data_create()
    earlier = animation.action
    if earlier is None:
        return
    curves = compat.active_curves(rig)
    strip = nla.push_down(rig)
    if strip is None:
        animation.action = None
        if earlier.users == 0:
            earlier.use_fake_user = True
        return
    if any(_goes_on(curve) for curve in curves):
        scene = bpy.context.scene
        ends = [scene.frame_start, scene.frame_end, frames[0], frames[-1]]
        if scene.use_preview_range:
            ends += [scene.frame_preview_start, scene.frame_preview_end]
        first = min(strip.frame_start, *ends)
        last = max(strip.frame_end, *ends)
        strip.action_frame_start, strip.action_frame_end = first, last
        strip.frame_start_raw, strip.frame_end_raw = first, last


def _goes_on(curve: bpy.types.FCurve) -> bool:
    """Whether a curve moves beyond its keys."""
    moving = any(not modifier.mute for modifier in curve.modifiers)
    return moving or curve.extrapolation == "LINEAR" or len(curve.sampled_points) > 0


def _put_below(rig: bpy.types.Object, resting: Sequence[tuple[Channel, int]], frame: float) -> None:
    """A strip that keeps values which were only set, not animated."""
    writer = compat.ActionWriter.new(rig, f"{rig.name} Pose")
    for channel, index in resting:
        keys = splice.linear_keys(np.array([frame]), channel.values[:, index])
        curve = writer.new_curve(channel.path, index, channel.group)
        compat.write_keys(curve, [keys.co, keys.handle_left, keys.handle_right], keys.attributes)
    nla.add_result(rig, writer.action, alone=True)

"""What an artist's actions animate on a rig besides the channels of its bones, and putting it back.

Paths and values may come from a file that somebody else made: they reach nothing but the rig.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import bpy

from .. import compat

#: All of these are noted if one of them is keyed. The mode comes first: it converts the others.
TRANSFORM = (
    "rotation_mode",
    "location",
    "rotation_quaternion",
    "rotation_euler",
    "rotation_axis_angle",
    "scale",
)
_CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
_BONE_CHANNEL = re.compile(r'pose\.bones\["(?:[^"\\]|\\.)*"\]\.(?:' + "|".join(_CHANNELS) + r")$")
_CUSTOM_PROPERTY = re.compile(r'^(?P<owner>.*?)\.?\["(?P<key>(?:[^"\\]|\\.)*)"\]$')


def is_bone(path: str) -> bool:
    """Whether a path is a channel of a bone."""
    return _BONE_CHANNEL.match(path) is not None


def capture(rig: bpy.types.Object) -> dict[str, Any]:
    """Values, by their paths, of what the artist's actions animate."""
    paths = dict.fromkeys(_animated_paths(rig))
    return capture_paths(rig, [path for path in paths if not is_bone(path)])


def capture_paths(rig: bpy.types.Object, paths: Iterable[str]) -> dict[str, Any]:
    """Values by their paths, of those that are there."""
    values: dict[str, Any] = {}
    for path in paths:
        try:
            value = _value(rig, path)
        except (ValueError, KeyError, TypeError):  # a curve of something that is not there any more
            continue
        if isinstance(value, bool | int | float | str):
            values[path] = value
        elif hasattr(value, "__len__") and all(isinstance(v, bool | int | float) for v in value):
            values[path] = list(value)
    return values


def restore(rig: bpy.types.Object, values: dict[str, Any]) -> None:
    """Put them back, as far as they are still there."""
    for path, value in values.items():
        _set_value(rig, path, value)


def _animated_paths(rig: bpy.types.Object) -> Iterator[str]:
    animation = rig.animation_data
    if animation is None:
        return
    action, slot = compat.own_action(animation)
    if action is not None:
        yield from (curve.data_path for curve in compat.action_curves(action, slot))
    for track in animation.nla_tracks:
        for strip in track.strips:
            if strip.action is not None:
                curves = compat.action_curves(strip.action, compat.slot_handle(strip))
                yield from (curve.data_path for curve in curves)


def _value(rig: bpy.types.Object, path: str) -> Any:
    if custom := _custom_property(rig, path):
        owner, key = custom
        return owner[key]  # all its digits: through its path it has single precision
    return rig.path_resolve(path)


def _custom_property(rig: bpy.types.Object, path: str) -> tuple[Any, str] | None:
    match = _CUSTOM_PROPERTY.match(path)
    if match is None:
        return None
    return _owner(rig, match["owner"]), bpy.utils.unescape_identifier(match["key"])


def _owner(rig: bpy.types.Object, path: str) -> Any:
    """What a path leads to; ValueError if that is not part of the rig, but of something else."""
    owner = rig.path_resolve(path) if path else rig
    if getattr(owner, "id_data", None) not in (rig, rig.data):
        raise ValueError(f"{path} leads away from the rig")
    return owner


def _set_value(rig: bpy.types.Object, path: str, value: Any) -> None:
    try:
        if _plain(_value(rig, path)) == value:
            return
        if custom := _custom_property(rig, path):
            owner, key = custom
            owner[key] = value
        else:
            owner_path, _, name = path.rpartition(".")
            owner = _owner(rig, owner_path)
            if owner.bl_rna.properties[name].is_animatable:
                setattr(owner, name, value)
    except (ValueError, AttributeError, TypeError, KeyError, OverflowError):
        return  # it is gone, or has become read-only: nothing of it is left to put back


def _plain(value: Any) -> Any:
    return list(value) if not isinstance(value, str) and hasattr(value, "__len__") else value

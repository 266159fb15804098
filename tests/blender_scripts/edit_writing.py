"""Random actions, edits written into them, and what may not have changed outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np
from hypothesis import strategies as st

from scalemogen_blender import compat
from scalemogen_blender._core import retarget
from scalemogen_blender.edit.key_table import KEY

KINDS = {
    "QUATERNION": ("rotation_quaternion", 4),
    "AXIS_ANGLE": ("rotation_axis_angle", 4),
}
#: Closer to a border than this is on it.
NEAR = 3e-4


def rig_of(bones: int, mode: str = "QUATERNION") -> bpy.types.Object:
    """A new file with an armature of bones side by side, and an empty action."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    data = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", data)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for number in range(bones):
        bone = data.edit_bones.new(f"b{number}")
        bone.head, bone.tail = (number, 0.0, 0.0), (number, 0.0, 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 60
    return rig


def rotation_paths(rig: bpy.types.Object, bone: str) -> list[tuple[str, int]]:
    """The curves that a bone's rotation has."""
    name, count = KINDS.get(rig.pose.bones[bone].rotation_mode, ("rotation_euler", 3))
    return [(f'pose.bones["{bone}"].{name}', index) for index in range(count)]


def location_paths(bone: str) -> list[tuple[str, int]]:
    """The curves of a bone's location."""
    return [(f'pose.bones["{bone}"].location', index) for index in range(3)]


def pose_of(
    rng: np.random.Generator, count: int, bones: Iterable[str], moved: Iterable[str] = ()
) -> retarget.PoseChannels:
    """Random rotations of bones in some frames, and locations of those that are moved."""
    bones = tuple(bones)
    turned = rng.normal(size=(count, len(bones), 4)) * 0.4 + [1.0, 0.0, 0.0, 0.0]
    turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
    places = {name: rng.normal(size=(count, 3)) for name in moved}
    return retarget.PoseChannels(bones, turned, places)


@st.composite
def curve_keys(draw: st.DrawFn, easing: bool = True) -> tuple[np.ndarray, bool, bool]:
    """Keys of a curve; whether it goes on with its slope, and whether Blender sets its handles."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(0, 8))
    decimals = draw(st.sampled_from([0, 0, 1, 3]))
    at = np.unique(np.round(rng.uniform(0.0, 60.0, count), decimals).astype(np.float32))
    keys = np.zeros(len(at), KEY)
    keys["co"] = np.stack([at, rng.normal(size=len(at))], axis=-1)
    for side, sign in (("left", -1.0), ("right", 1.0)):
        away = np.stack([sign * rng.uniform(0.0, 15.0, len(at)), rng.normal(size=len(at))], axis=-1)
        keys[f"handle_{side}"] = keys["co"] + away
        keys[f"handle_{side}_type"] = rng.integers(0, 5, len(at))
    most = 12 if easing and draw(st.booleans()) else 2
    keys["interpolation"] = rng.integers(0, most + 1, len(at))
    keys["easing"] = rng.integers(0, 4, len(at))
    keys["type"] = rng.integers(0, 5, len(at))
    for name in ("select_control_point", "select_left_handle", "select_right_handle"):
        keys[name] = rng.integers(0, 2, len(at))
    for name in ("amplitude", "back", "period"):
        keys[name] = rng.uniform(0.1, 5.0, len(at))
    return keys, draw(st.integers(0, 3)) == 0, draw(st.booleans())


def add_curve(
    rig: bpy.types.Object, path: str, index: int, given: tuple[np.ndarray, bool, bool]
) -> None:
    """A curve with these keys in the rig's action."""
    keys, sloping, automatic = given
    curve = compat.ensure_curve(rig, path, index, path.split('"')[1])
    compat.put_key_table(curve, keys)
    curve.extrapolation = "LINEAR" if sloping else "CONSTANT"
    if automatic:
        curve.update()


@dataclass(frozen=True)
class Before:
    """Everything of an action's curves, and their values at frames."""

    keys: dict[tuple[str, int], np.ndarray]
    values: dict[tuple[str, int], np.ndarray]
    settings: dict[tuple[str, int], tuple]
    frames: np.ndarray

    @classmethod
    def of(cls, rig: bpy.types.Object, frames: np.ndarray) -> Before:
        """Of the rig's present action."""
        curves = {(c.data_path, c.array_index): c for c in compat.active_curves(rig)}
        return cls(
            {key: compat.read_key_table(c, KEY) for key, c in curves.items()},
            {key: values_of(c, frames) for key, c in curves.items()},
            {key: settings_of(c) for key, c in curves.items()},
            frames,
        )


def values_of(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """Values of a curve at frames, as bit patterns."""
    found = np.array([curve.evaluate(float(f)) for f in frames], dtype=np.float32)
    return found.view(np.int32)


def settings_of(curve: bpy.types.FCurve) -> tuple:
    """What a curve has besides its keys."""
    group = None if curve.group is None else curve.group.name
    modifiers = tuple((m.type, m.mute) for m in curve.modifiers)
    return (curve.extrapolation, curve.mute, curve.lock, curve.hide, group, modifiers)


def extra_keys(before: Before, now: Before, first: float, last: float) -> int:
    """How many keys outside the range are new; an error if anything there has changed."""
    extra = 0
    for name, keys in now.keys.items():
        outside = keys[_is_outside(keys, first, last)]
        if name not in before.keys or not len(before.keys[name]):
            assert len(set(now.values[name].tolist())) == 1, f"{name} is not at rest outside"
            extra += len(outside)
            continue
        was = before.keys[name][_is_outside(before.keys[name], first, last)]
        kept = outside[np.isin(outside["co"][:, 0], was["co"][:, 0])]
        assert kept.tobytes() == was.tobytes(), f"keys of {name} have changed"
        different = before.frames[before.values[name] != now.values[name]]
        assert not len(different), f"{name} has other values at {different}"
        assert before.settings[name] == now.settings[name]
        extra += len(outside) - len(was)
    return extra


def _is_outside(keys: np.ndarray, first: float, last: float) -> np.ndarray:
    at = keys["co"][:, 0]
    return (at < first - NEAR) | (at > last + NEAR)

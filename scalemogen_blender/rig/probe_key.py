"""Everything that decides how the controls of a rig carry each other, as one value.

Two equal keys of a rig mean that probing it would show the same.  Where something outside the rig
has a say (other objects, actions, the scene's time, Python functions) there is no key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

import bpy
import numpy as np

#: Channels that are set anew for probing, and what only concerns looks and selection.
_WITHOUT_EFFECT = re.compile(
    r"(location|rotation_(quaternion|euler|axis_angle)|scale|head|tail|length|vector|center"
    r"|x_axis|y_axis|z_axis|matrix.*|custom_shape.*|use_custom_shape.*|hide.*|select.*|show_.*"
    r"|.*color.*|error_.*|is_.*|name|basename|bl_rna|rna_type)$"
)
_NAMES = re.compile(r"[A-Za-z_]\w*")
#: What drivers may read: custom properties, and numbers of bones and of their constraints.
_TEXT = r'\["(?:[^"\\]|\\.)*"\]'
_READ = re.compile(
    rf"(pose\.bones{_TEXT}(\.constraints{_TEXT})?({_TEXT}|\.\w+)(\[\d+\]|\.[wxyz])?|{_TEXT})$"
)
#: Names in drivers' expressions that mean the same at any time.
_FUNCTIONS = frozenset(
    "abs acos and asin atan atan2 bool ceil clamp cos degrees e else exp float floor fmod if int"
    " lerp log max min not or pi pow radians round sin smoothstep sqrt tan trunc True False".split()
)


class _DependsOnOthersError(Exception):
    """Something that is not the rig decides how it moves."""


def key(rig: bpy.types.Object) -> tuple[Any, ...] | None:
    """The rig's key; None where the rig does not depend on itself alone.

    The object has to be evaluated: its place in the world counts, for constraints in world space.
    """
    try:
        return tuple(_parts(rig))
    except _DependsOnOthersError:
        return None


def _parts(rig: bpy.types.Object) -> Iterator[Any]:
    bones, pose = rig.data.bones, rig.pose.bones
    if rig.pose.ik_solver != "LEGACY" or _is_animated(rig.data):
        raise _DependsOnOthersError
    yield rig.session_uid
    yield np.array(rig.matrix_world).tobytes()
    yield tuple(bones.keys())
    yield _column(bones, "matrix_local", 16)
    yield _column(bones, "length", 1)
    yield tuple(bone.parent.name if bone.parent else "" for bone in bones)
    for owners in (bones, pose):
        for name, size in _scalars(type(owners[0])):
            yield _column(owners, name, size)
    yield [_handles(bone) for bone in bones if bone.bbone_segments > 1]
    yield [_custom(owner) for owner in (rig, rig.data, *bones, *pose)]
    driven = _driven(rig)
    for bone in pose:
        for constraint in bone.constraints:
            yield bone.name, _plain(constraint, rig, driven.get(constraint.path_from_id(), ()))
    for owner in (rig, rig.data):
        animation = owner.animation_data
        for curve in animation.drivers if animation is not None else ():
            yield _driver(curve, rig)


def _driven(rig: bpy.types.Object) -> dict[str, set[str]]:
    """Names of properties by the paths of their owners: what they are now is left from before."""
    found: dict[str, set[str]] = {}
    for curve in rig.animation_data.drivers if rig.animation_data is not None else ():
        if curve.driver.is_valid and not curve.mute:
            owner, _, name = curve.data_path.rpartition(".")
            found.setdefault(owner, set()).add(name)
    return found


def _is_animated(data: bpy.types.Armature) -> bool:
    animation = data.animation_data
    return animation is not None and (animation.action is not None or bool(animation.nla_tracks))


def _column(owners: bpy.types.bpy_prop_collection, name: str, size: int) -> bytes:
    values = np.empty(len(owners) * size, dtype=np.float32)
    owners.foreach_get(name, values)
    return values.tobytes()


@cache
def _scalars(kind: type) -> tuple[tuple[str, int], ...]:
    """Numbers and choices that a kind of bone has, and how many numbers each is."""
    return tuple(
        (p.identifier, p.array_length if p.type != "ENUM" and p.is_array else 1)
        for p in kind.bl_rna.properties
        if p.type in ("BOOLEAN", "INT", "FLOAT", "ENUM")
        and not (p.type == "ENUM" and p.is_enum_flag)
        and not _WITHOUT_EFFECT.match(p.identifier)
    )


def _handles(bone: bpy.types.Bone) -> tuple[str, str]:
    ends = (bone.bbone_custom_handle_start, bone.bbone_custom_handle_end)
    first, last = (handle.name if handle is not None else "" for handle in ends)
    return first, last


def _custom(owner: Any) -> str:
    """Custom properties; our own are no part of the rig."""
    return repr([(k, _value(v)) for k, v in owner.items() if not k.startswith("scalemogen")])


def _value(value: Any) -> Any:
    for turn in ("to_dict", "to_list"):
        if hasattr(value, turn):
            return getattr(value, turn)()
    return value


@cache
def _properties(kind: type) -> tuple[tuple[str, str], ...]:
    return tuple(
        (p.identifier, p.type)
        for p in kind.bl_rna.properties
        if p.identifier != "rna_type" and not p.identifier.startswith(("show_", "error_", "is_"))
    )


def _plain(owner: Any, rig: bpy.types.Object, but: Collection[str] = ()) -> list[Any]:
    """All properties but some of a constraint, a driver's variable and the like."""
    found: list[Any] = []
    for name, kind in _properties(type(owner)):
        if name in but:
            continue
        value = getattr(owner, name)
        if kind == "POINTER":
            found.append(None if value is None else _pointed(value, rig))
        elif kind == "COLLECTION":
            found.append([_plain(one, rig) for one in value])
        elif isinstance(value, bool | int | float | str):
            found.append(value)
        else:
            found.append(repr(value))
    return found


def _pointed(value: Any, rig: bpy.types.Object) -> Any:
    if isinstance(value, bpy.types.ID):
        if value not in (rig, rig.data):
            raise _DependsOnOthersError
        return value == rig
    return _plain(value, rig)


def _driver(curve: bpy.types.FCurve, rig: bpy.types.Object) -> list[Any]:
    driver = curve.driver
    known = {variable.name for variable in driver.variables} | _FUNCTIONS
    if driver.type == "SCRIPTED" and not known.issuperset(_NAMES.findall(driver.expression)):
        raise _DependsOnOthersError
    for variable in driver.variables:
        for target in variable.targets:
            single = variable.type == "SINGLE_PROP"
            if not (_READ.match(target.data_path) if single else target.bone_target):
                raise _DependsOnOthersError
    keys = [_plain(point, rig) for point in curve.keyframe_points]
    about = (curve.data_path, curve.array_index, curve.mute, curve.extrapolation, keys)
    return [*about, [_plain(m, rig) for m in curve.modifiers], _plain(driver, rig)]

"""What a motion keys on a rig: channels of bones and of the object, with their values over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from . import character
from ._core import coordinates, retarget, rotations


@dataclass(frozen=True)
class Channel:
    """A property over time; values [K, C], one column an F-curve.

    owner is what has the property: a bone of the rig or the rig itself. A custom property is named
    as in a path: ``["IK_FK"]``. group is the name of the curves' group.
    """

    owner: bpy.types.PoseBone | bpy.types.Object
    property_name: str
    values: np.ndarray
    group: str
    held: bool = False

    @property
    def path(self) -> str:
        """The curves' data path from the object."""
        if isinstance(self.owner, bpy.types.Object):
            return self.property_name
        if self.property_name.startswith("["):
            return self.owner.path_from_id() + self.property_name
        return str(self.owner.path_from_id(self.property_name))

    def now(self, owner: bpy.types.PoseBone | bpy.types.Object | None = None) -> list[float]:
        """The property's values [C], of the same bone or object elsewhere if one is given."""
        owner = self.owner if owner is None else owner
        if self.property_name.startswith("["):
            # Resolving its path gives the item's name where the number stands for one of a menu.
            value = owner[bpy.utils.unescape_identifier(self.property_name[2:-2])]
        else:
            value = getattr(owner, self.property_name)
        single = isinstance(value, bool | int | float)
        return [float(value)] if single else [float(part) for part in value]


def channels_of(rig: bpy.types.Object, pose: retarget.PoseChannels) -> Iterator[Channel]:
    """Everything that a motion keys: each bone in its own rotation mode, parents first.

    Switches of control rigs are ``held``: one key is enough for them.
    """
    count = pose.frame_count
    for setting in pose.settings:
        owner = rig.pose.bones[setting.bone] if setting.bone else rig
        name = setting.property_name
        if setting.custom:
            name = f'["{bpy.utils.escape_identifier(name)}"]'
        values = np.full((count, 1), setting.value)
        yield Channel(owner, name, values, setting.bone or rig.name, held=True)
    if pose.object_to_world is not None:
        yield from _object_channels(rig, pose.object_to_world)
    for name in pose.locations.keys() - set(pose.bones):
        yield Channel(rig.pose.bones[name], "location", pose.locations[name], name)
    for column, name in enumerate(pose.bones):
        bone = rig.pose.bones[name]
        if name in pose.locations:
            yield Channel(bone, "location", pose.locations[name], name)
        kind, values = retarget.rotation_channels(pose.rotations[:, column], bone.rotation_mode)
        yield Channel(bone, kind, values, name)


def _object_channels(rig: bpy.types.Object, object_to_world: np.ndarray) -> Iterator[Channel]:
    """Location and rotation of the object [T] for world matrices, below its parent and deltas."""
    to_blender = np.eye(4)
    to_blender[:3, :3] = coordinates.BLENDER_TO_CANONICAL.T
    basis = np.linalg.inv(_above(rig)) @ to_blender @ object_to_world
    turned = rotations.matrix_to_quaternion(_rotations(rig, basis[:, :3, :3]))
    yield Channel(rig, "location", basis[:, :3, 3] - np.array(rig.delta_location), rig.name)
    kind, values = retarget.rotation_channels(_without_delta(rig, turned), rig.rotation_mode)
    yield Channel(rig, kind, values, rig.name)


def _above(rig: bpy.types.Object) -> np.ndarray:
    """[4, 4]: matrix_world = above * matrix_basis; parents, also constraints that act like them."""
    with character.evaluated(rig):
        world, basis = np.array(rig.matrix_world), np.array(rig.matrix_basis)
    return np.asarray(world @ np.linalg.inv(basis))


def _rotations(rig: bpy.types.Object, axes: np.ndarray) -> np.ndarray:
    """The rotations [T, 3, 3] nearest to rotations times the object's own scale.

    They are just that unless a parent with uneven scale shears them.
    """
    scale = np.array(rig.scale) * np.array(rig.delta_scale)
    u, _, vt = np.linalg.svd(axes / scale)
    return np.asarray(u @ vt)


def _without_delta(rig: bpy.types.Object, turned: np.ndarray) -> np.ndarray:
    """Rotations [T, 4] before Blender puts the delta rotation in front of them."""
    if rig.rotation_mode == "QUATERNION":
        delta = rig.delta_rotation_quaternion
    elif rig.rotation_mode == "AXIS_ANGLE":
        return turned  # Blender has no delta for this mode
    else:
        delta = rig.delta_rotation_euler.to_quaternion()
    return rotations.quaternion_multiply(rotations.quaternion_conjugate(np.array(delta)), turned)

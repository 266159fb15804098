"""A stand-in for a character: the same bones and meshes, moving by plain keys alone.

What exporters need and artists' rigs do not give: the first frame at 0 whatever moves the rig
(NLA, constraints, drivers, parents, linked actions), one unit, a scale of one everywhere, and bones
that deform without the controls above them.  The character itself is only looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from .. import character, compat
from . import carried, skeletons, transforms
from .clip import Clip, scene_fps, time_kept

_SMALL = 1e-6
_NAME = "ScaleMoGen stand-in"


@dataclass(frozen=True)
class _Seen:
    """What the character does: world matrices of the rig [T, 4, 4] and of each mesh, armature-space
    matrices of the bones [T, B, 4, 4], values of each mesh's shape keys [T, S].
    """

    world: np.ndarray
    bones: np.ndarray
    meshes: dict[bpy.types.Object, np.ndarray]
    shapes: dict[bpy.types.Object, np.ndarray]


@contextlib.contextmanager
def standing_in(
    rig: bpy.types.Object, clip: Clip, unit: float, name: str | None = None
) -> Iterator[bpy.types.Object]:
    """A stand-in that is alone selected, in a scene whose range is the clip from frame 0 on.

    unit: what a unit of the scene becomes.  name: of the armature object, by default the rig's.
    The rig and what belongs to it have to be shown and in Object Mode.
    """
    scene = bpy.context.scene
    with contextlib.ExitStack() as stack:
        stack.enter_context(time_kept(scene))
        seen = _watched(rig, clip)
        made = _Made()
        stack.callback(made.remove)
        copy, posed = _armature(made, rig, seen, unit)
        meshes = _meshes(made, rig, copy, seen, unit, posed)
        stack.enter_context(_named([(copy, name or rig.name), *((m, o.name) for o, m in meshes)]))
        stack.enter_context(_hidden([rig, *(o for o, _ in meshes)]))
        fps = clip.fps or scene_fps(scene)
        scene.render.fps = max(1, round(fps))
        scene.render.fps_base = scene.render.fps / fps
        scene.render.frame_map_old = scene.render.frame_map_new = 100
        scene.use_preview_range = False
        scene.frame_start, scene.frame_end = 0, len(seen.world) - 1
        scene.name = clip.name
        scene.frame_set(0)
        for o in bpy.context.view_layer.objects:
            o.select_set(o == copy or any(o == mesh for _, mesh in meshes))
        bpy.context.view_layer.objects.active = copy
        yield copy


class _Made:
    """Everything temporary, to be removed in the end."""

    def __init__(self) -> None:
        self.objects: list[bpy.types.Object] = []
        self.data: list[tuple[bpy.types.bpy_prop_collection, bpy.types.ID]] = []

    def object(self, name: str, data: bpy.types.ID) -> bpy.types.Object:
        made = bpy.data.objects.new(name, data)
        bpy.context.scene.collection.objects.link(made)
        self.objects.append(made)
        return made

    def keep(self, owner: bpy.types.bpy_prop_collection, data: bpy.types.ID) -> None:
        self.data.append((owner, data))

    def remove(self) -> None:
        for made in self.objects:
            bpy.data.objects.remove(made)
        for owner, data in reversed(self.data):
            owner.remove(data)


def _watched(rig: bpy.types.Object, clip: Clip) -> _Seen:
    """Play the clip once and note what everything does."""
    scene = bpy.context.scene
    ratio = scene_fps(scene) / (clip.fps or scene_fps(scene))
    count = int(np.floor((clip.last - clip.first) / ratio + 1e-6)) + 1
    meshes = [o for o in character.members(rig) if o.type == "MESH"]
    world, bones = np.empty((count, 4, 4)), np.empty((count, len(rig.pose.bones), 4, 4))
    places = {mesh: np.empty((count, 4, 4)) for mesh in meshes}
    keys = {m: m.data.shape_keys.key_blocks for m in meshes if m.data.shape_keys is not None}
    shapes = {mesh: np.empty((count, len(blocks))) for mesh, blocks in keys.items()}
    flat = np.empty(16 * len(rig.pose.bones), dtype=np.float32)
    for row in range(count):
        frame = clip.first + row * ratio
        whole = int(np.floor(frame + 1e-6))
        scene.frame_set(whole, subframe=max(0.0, frame - whole))
        graph = bpy.context.evaluated_depsgraph_get()
        shown = rig.evaluated_get(graph)
        world[row] = shown.matrix_world
        shown.pose.bones.foreach_get("matrix", flat)
        bones[row] = flat.reshape(-1, 4, 4).transpose(0, 2, 1)
        for mesh, matrices in places.items():
            matrices[row] = mesh.evaluated_get(graph).matrix_world
        for mesh, values in shapes.items():
            values[row] = [block.value for block in keys[mesh]]
    return _Seen(world, bones, places, shapes)


def _armature(
    made: _Made, rig: bpy.types.Object, seen: _Seen, unit: float
) -> tuple[bpy.types.Object, dict[str, np.ndarray]]:
    """The stand-in's armature object with its keys; it carries way and turn, its bones the size.

    Also the matrices [T, 4, 4] of its bones in its own space.
    """
    data = rig.data.copy()
    made.keep(bpy.data.armatures, data)
    data.animation_data_clear()
    data.pose_position = "POSE"
    copy = made.object(_NAME, data)
    parents = skeletons.exported(rig)
    skeletons.reduce_to(copy, parents)
    skeletons.set_free(copy)
    at, size = transforms.rigid(seen.world, unit)
    index = {bone.name: i for i, bone in enumerate(rig.pose.bones)}
    order = [bone.name for bone in skeletons.parents_first(data)]
    rest = np.array([rig.data.bones[name].matrix_local for name in order])
    data.transform(Matrix(size[0]))
    rest_now = np.array([data.bones[name].matrix_local for name in order])
    # What moves a point of the rest pose, in the world; the same for the stand-in's bones.
    posed = seen.bones[:, [index[name] for name in order]]
    moving = posed @ np.linalg.inv(rest)
    posed_now = size[:, None] @ moving @ np.linalg.inv(size[0]) @ rest_now
    if skeletons.is_controlled(rig):
        posed_now = _unstretched(posed_now, [data.bones[name].parent is None for name in order])
    writer = compat.ActionWriter.new(copy, _NAME)
    made.keep(bpy.data.actions, writer.action)
    frames = np.arange(len(seen.world), dtype=np.float64)
    rows = {name: row for row, name in enumerate(order)}
    for row, name in enumerate(order):
        above = data.bones[name].parent
        resting = np.broadcast_to(rest_now[row], (len(frames), 4, 4))
        if above is not None:
            parent = rows[above.name]
            resting = posed_now[:, parent] @ np.linalg.inv(rest_now[parent]) @ rest_now[row]
        local = np.linalg.inv(resting) @ posed_now[:, row]
        path = copy.pose.bones[name].path_from_id() + "."
        # Keys have no shear: what hangs on a bone has to reckon with where that really is.
        posed_now[:, row] = resting @ transforms.key_transform(writer, path, name, frames, local)
    copy.rotation_mode = "QUATERNION"
    transforms.key_transform(writer, "", copy.name, frames, at, always=True)
    writer.assign(copy)
    return copy, {name: posed_now[:, row] for row, name in enumerate(order)}


def _unstretched(posed: np.ndarray, roots: Sequence[bool]) -> np.ndarray:
    """Bones [T, B, 4, 4] that turn and move as before, but are all as large as the first root.

    Control rigs stretch their bones, each in its own direction; engines pass that on to what hangs
    on them. Every bone's head is keyed, so that the body has its shape all the same.
    """
    first = list(roots).index(True)
    size = np.cbrt(np.abs(np.linalg.det(posed[:, first, :3, :3])))
    found = posed.copy()
    axes = posed[..., :3, :3] / np.linalg.norm(posed[..., :3, :3], axis=-2, keepdims=True)
    # The direction along the bone is what counts; the other axes follow.
    along = axes[..., 1]
    across = axes[..., 0] - np.sum(axes[..., 0] * along, axis=-1, keepdims=True) * along
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    turned = np.stack([across, along, np.cross(across, along)], axis=-1)
    found[..., :3, :3] = turned * size[:, None, None, None]
    return found


def _meshes(
    made: _Made,
    rig: bpy.types.Object,
    copy: bpy.types.Object,
    seen: _Seen,
    unit: float,
    posed: dict[str, np.ndarray],
) -> list[tuple[bpy.types.Object, bpy.types.Object]]:
    """Each mesh of the character and its stand-in, on the stand-in's armature."""
    at, _ = transforms.rigid(seen.world, unit)
    scaled = np.diag([unit, unit, unit, 1.0])
    frames = np.arange(len(at), dtype=np.float64)
    found = []
    for mesh, world in seen.meshes.items():
        bone = carried.carrier(mesh, rig)
        data = carried.mesh_data(mesh)
        made.keep(bpy.data.meshes, data)
        stand_in = made.object(mesh.name, data)
        carried.copy_materials(mesh, stand_in)
        place = np.linalg.inv(at) @ scaled @ world
        stand_in.parent = copy
        skinned = carried.armature_modifier(mesh, rig)
        if skinned is not None:
            modifier = stand_in.modifiers.new(skinned.name, "ARMATURE")
            modifier.object = copy
            modifier.use_deform_preserve_volume = skinned.use_deform_preserve_volume
        elif bone is not None:
            place = np.linalg.inv(posed[bone]) @ place
            stand_in.parent_type, stand_in.parent_bone = "BONE", bone
            length = copy.data.bones[bone].length  # Blender hangs children on the tail
            stand_in.matrix_parent_inverse = Matrix.Translation((0.0, -length, 0.0))
        way, own_size = (None, place) if skinned is not None else transforms.rigid(place, 1.0)
        data.transform(Matrix(own_size[0]), shape_keys=True)
        if np.linalg.det(own_size[0][:3, :3]) < 0.0:
            data.flip_normals()
        if way is not None:
            moved = way @ own_size @ np.linalg.inv(own_size[0])
            action = transforms.place(stand_in, frames, moved, _NAME)
            if action is not None:
                made.keep(bpy.data.actions, action)
        if mesh in seen.shapes and data.shape_keys is not None:
            _key_shapes(made, data.shape_keys, seen.shapes[mesh], frames)
        found.append((mesh, stand_in))
    return found


def _key_shapes(made: _Made, shapes: bpy.types.Key, values: np.ndarray, frames: np.ndarray) -> None:
    shapes.animation_data_clear()
    writer = compat.ActionWriter.new(shapes, _NAME)
    made.keep(bpy.data.actions, writer.action)
    for column, block in enumerate(shapes.key_blocks):
        block.value = values[0, column]
        if np.ptp(values[:, column]) > _SMALL:
            writer.add_curve(block.path_from_id("value"), 0, "", frames, values[:, column])
    writer.assign(shapes)


@contextlib.contextmanager
def _named(wanted: Sequence[tuple[bpy.types.Object, str]]) -> Iterator[None]:
    """Objects with names that others have, who give them up for a while."""
    lent: list[tuple[bpy.types.Object, str]] = []
    try:
        for o, name in wanted:
            holder = next((x for x in bpy.data.objects if x.name == name and not x.library), None)
            if holder is not None and holder != o:
                lent.append((holder, name))
                holder.name = f"{name} (original)"
            o.name = name
        yield
    finally:
        for o, _ in wanted:
            o.name = _NAME
        for holder, name in lent:
            holder.name = name


@contextlib.contextmanager
def _hidden(objects: Sequence[bpy.types.Object]) -> Iterator[None]:
    """Objects that Blender need not evaluate for a while."""
    flags = [(o, o.hide_viewport) for o in objects]
    try:
        for o in objects:
            o.hide_viewport = True
        yield
    finally:
        for o, hidden in flags:
            o.hide_viewport = hidden

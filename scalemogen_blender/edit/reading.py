"""The motion that a rig shows, whatever made it: keys, strips, constraints, drivers."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import bpy
import numpy as np

from .. import armature, bake
from .._core import errors, retarget, rotations, skeleton
from .._core import motion as motions
from ..rig import reference_pose, state
from . import present


@dataclass(frozen=True, eq=False)
class Sampled:
    """All bones of a rig over scene frames [T], as Blender evaluates them.

    names: B bones, parents first.  matrices: [T, B, 4, 4] in armature space.  basis: [T, B, 4, 4]
    the bones' own channels.  world: [T, 4, 4] from armature space to the canonical world.
    switches: [T] values of custom properties that decide which controls count.
    """

    names: tuple[str, ...]
    matrices: np.ndarray
    basis: np.ndarray
    world: np.ndarray
    switches: Mapping[present.Property, np.ndarray] = field(default_factory=dict)

    def at(self, index: slice | np.ndarray) -> Sampled:
        """Some of the frames."""
        return replace(
            self,
            matrices=self.matrices[index],
            basis=self.basis[index],
            world=self.world[index],
            switches={key: values[index] for key, values in self.switches.items()},
        )

    def followed_by(self, other: Sampled) -> Sampled:
        """These frames, then those of another sample of the same rig."""
        return replace(
            self,
            matrices=np.concatenate([self.matrices, other.matrices]),
            basis=np.concatenate([self.basis, other.basis]),
            world=np.concatenate([self.world, other.world]),
            switches={
                key: np.concatenate([values, other.switches[key]])
                for key, values in self.switches.items()
            },
        )


@dataclass(frozen=True, eq=False)
class Reading:
    """What a rig shows in some frames of the scene, and as the model sees it.

    rig, uid: name and ``session_uid`` of the armature object.  frames: [T] scene frames, one after
    the other; frame ``k`` of the motion is scene frame ``frames[k]``.  motion: canonical, at the
    scene's frame rate, without contacts.  retargeter: the rig measured on the bones that are seen
    (on control rigs: the deform bones).  bone_map: how its bones were taken.  rest: all bones at
    rest, with the object as it is at the first frame.  reference: [B, 4, 4] the pose that stands
    for the rest pose, None for that itself.  seen: deform bones that are looked at in place of
    bones inside a control rig.
    """

    rig: str
    uid: int
    frames: np.ndarray
    motion: motions.Motion
    retargeter: retarget.Retargeter
    pose: Sampled
    bone_map: retarget.BoneMap
    rest: retarget.RestRig
    reference: np.ndarray | None = None
    seen: Mapping[str, str] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The first scene frame."""
        return int(self.frames[0])

    @property
    def last(self) -> int:
        """The last scene frame."""
        return int(self.frames[-1])


def read(
    rig: bpy.types.Object,
    first: int,
    last: int,
    bone_map: retarget.BoneMap | None = None,
    reference: np.ndarray | None = None,
) -> Reading:
    """Sample a rig at the scene frames ``first`` to ``last``, both included.

    ``bone_map`` goes before the one that the artist sees; ``reference`` [B, 4, 4] (parents first)
    is the pose that stands for the rest pose, by default the artist's. Neither the playhead nor
    anything else in the file changes. ScaleMoGenError if the rig has no hips or legs.
    """
    return finished(steps(rig, first, last, bone_map, reference))


def steps(
    rig: bpy.types.Object,
    first: int,
    last: int,
    bone_map: retarget.BoneMap | None = None,
    reference: np.ndarray | None = None,
) -> Generator[float, None, Reading]:
    """:func:`read` a frame at a time: how far it is, from 0 to 1, and in the end the reading.

    Between two steps there is a scene more in the file: close it before anything is saved.
    """
    if last < first:
        raise errors.ScaleMoGenError(f"Frames {first} to {last} are no range.")
    if rig.data.pose_position == "REST":
        raise errors.ScaleMoGenError(
            f"'{rig.name}' shows its rest pose; switch its armature to Pose Position."
        )
    bones = state.bone_map(rig) if bone_map is None else bone_map
    if reference is None and hasattr(rig, "scalemogen"):  # else the add-on is not registered
        reference = reference_pose.reference(rig)
    frames = np.arange(first, last + 1)
    pose = yield from sampling(rig, frames)
    rest = replace(armature.read_rest_rig(rig), to_world=pose.world[0])
    values = {key: float(value[0]) for key, value in pose.switches.items()}
    plan = present.plan_of(rig, bones, values)
    measured = reader(rest, bones, plan, reference)
    seen = present.seen(rest, plan)
    return Reading(
        rig=rig.name,
        uid=rig.session_uid,
        frames=frames,
        motion=_motion(measured, pose, seen),
        retargeter=measured,
        pose=pose,
        bone_map=bones,
        rest=rest,
        reference=reference,
        seen=seen,
    )


def extended(rig: bpy.types.Object, reading: Reading, count: int) -> Reading:
    """The reading with ``count`` more scene frames after it, as the rig shows them."""
    if count <= 0:
        return reading
    frames = reading.last + 1 + np.arange(count)
    pose = reading.pose.followed_by(sample(rig, frames))
    motion = _motion(reading.retargeter, pose, reading.seen)
    old, known = reading.motion, len(reading.frames)
    # To the bit what was read before.
    kept = [
        np.concatenate([before, after[known:]])
        for before, after in (
            (old.rotations, motion.rotations),
            (old.root_positions, motion.root_positions),
        )
    ]
    return replace(
        reading,
        frames=np.concatenate([reading.frames, frames]),
        motion=replace(old, rotations=kept[0], root_positions=kept[1]),
        pose=pose,
    )


def reader(
    rest: retarget.RestRig,
    bone_map: retarget.BoneMap,
    plan: retarget.controls.ControlPlan | None,
    reference: np.ndarray | None = None,
) -> retarget.Retargeter:
    """A rig measured on the bones that are seen, for reading the motion that they show."""
    posed = None if reference is None else posed_rest(rest, reference)
    if plan is not None:
        return retarget.controls.reader(rest, plan, skeleton.canonical(), posed)
    more = {} if posed is None else {"reference": posed}
    return retarget.Retargeter.build(rest, bone_map, skeleton.canonical(), **more)


def posed_rest(rest: retarget.RestRig, reference: np.ndarray) -> retarget.RestRig:
    """A rig with a pose [B, 4, 4] in place of its rest matrices."""
    return replace(rest, rest=reference)


def _motion(
    measured: retarget.Retargeter, pose: Sampled, seen: Mapping[str, str]
) -> motions.Motion:
    rows = [pose.names.index(seen.get(name, name)) for name in measured.rig.bone_names]
    world = pose.world[:, None] @ pose.matrices[:, rows]
    axes = world[..., :3, :3]
    hips = [measured.rig.index(measured.bone_map.bone(f"{side}_hip")) for side in ("left", "right")]
    return retarget.recover_motion(
        measured,
        rotations.matrix_to_quaternion(_unit(axes)),
        world[..., :3, 3][:, hips].mean(axis=1),
        bake.scene_fps(bpy.context.scene),
    )


def _unit(axes: np.ndarray) -> np.ndarray:
    return axes / np.maximum(np.linalg.norm(axes, axis=-2, keepdims=True), 1e-12)


def finished(work: Generator[float, None, Any]) -> Any:
    """What comes of work that is done in steps, all of them at once."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def sample(rig: bpy.types.Object, frames: np.ndarray) -> Sampled:
    """All bones at whole scene frames [T]; nothing in the file changes."""
    return finished(sampling(rig, frames))


def sampling(rig: bpy.types.Object, frames: np.ndarray) -> Generator[float, None, Sampled]:
    """:func:`sample` a frame at a time."""
    names, _ = armature.names_and_parents(rig)
    order = [rig.pose.bones.find(name) for name in names]
    count, keys = len(rig.pose.bones), present.switches(rig)
    matrices = np.empty((len(frames), len(names), 4, 4))
    basis = np.empty_like(matrices)
    world = np.empty((len(frames), 4, 4))
    switches = {
        key: np.zeros(len(frames)) for key in keys if present.value_of(rig, key) is not None
    }
    buffer = np.empty(16 * count, dtype=np.float32)
    with _stage(rig) as (scene, layer):
        for row, frame in enumerate(frames.tolist()):
            scene.frame_set(frame)
            shown = rig.evaluated_get(layer.depsgraph)
            for name, into in (("matrix", matrices), ("matrix_basis", basis)):
                shown.pose.bones.foreach_get(name, buffer)
                into[row] = buffer.reshape(-1, 4, 4).transpose(0, 2, 1)[order]
            world[row] = armature.canonical_world(shown)
            for key, values in switches.items():
                values[row] = present.value_of(shown, key)
            yield (row + 1) / len(frames)
    return Sampled(tuple(names), matrices, basis, world, switches)


@contextmanager
def _stage(rig: bpy.types.Object) -> Iterator[tuple[bpy.types.Scene, bpy.types.ViewLayer]]:
    """The rig itself in a scene of its own, for a while.

    There nothing is evaluated but the rig and what it depends on, no mesh is deformed, and the
    artist's playhead stays where it is. It is no scene that Blender shows, and its view layer must
    not be updated by hand: only so nothing of what is evaluated is written back onto the rig and
    what moves it, where it would overwrite what is posed and not keyed.
    """
    original = bpy.context.scene
    hidden = rig.hide_viewport
    scene = bpy.data.scenes.new("ScaleMoGen reading")
    try:
        for name in ("fps", "fps_base", "frame_map_old", "frame_map_new"):
            setattr(scene.render, name, getattr(original.render, name))
        if hidden:
            rig.hide_viewport = False
        scene.collection.objects.link(rig)
        yield scene, scene.view_layers[0]
    finally:
        bpy.data.scenes.remove(scene)
        if hidden:
            rig.hide_viewport = True

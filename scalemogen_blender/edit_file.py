"""A scene file whose animation is edited without a window: what the command line does."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from . import bake, export, registration, rig_import
from ._core import editing, errors, retarget, skeleton
from .armature import names_and_parents, rest_heads
from .edit import applying, reading
from .edit import region as regions
from .edit.span import extent
from .output.clip import Clip
from .recognising import recognised
from .rig import state


@dataclass
class EditFile:
    """A file that is open in Blender, and its armature; frames are those of the timeline.

    changed: an edit has been put on the armature, and the next one needs the file again.
    """

    path: Path
    name: str
    rig_name: str
    bone_map: retarget.BoneMap | None
    first: int
    last: int
    fps: float
    changed: bool = False

    @classmethod
    def open(
        cls, path: Path, armature: str | None = None, bone_map: retarget.BoneMap | None = None
    ) -> EditFile:
        """Open or import a file; ScaleMoGenError if there is nothing, or too much, to edit."""
        rig = _load(path, armature)
        if found := state.rig_problem(rig) if bone_map is None else "":
            raise errors.ScaleMoGenError(f"{found}.")
        merged = None if bone_map is None else recognised(rig, bone_map)
        filled = extent(rig)
        if filled is None:
            raise errors.ScaleMoGenError(
                f"The armature '{rig.name}' in '{path}' has no keys; bake what moves it into an "
                "action first (Object > Animation > Bake Action)."
            )
        fps = bake.scene_fps(bpy.context.scene)
        return cls(path, path.name, rig.name, merged, filled.first, filled.last, fps)

    @property
    def rig(self) -> bpy.types.Object:
        return bpy.data.objects[self.rig_name]

    def region(self, words: Sequence[str], first: int, last: int) -> regions.Region:
        """What words mean on the armature; ScaleMoGenError with the nearest names."""
        rig = self.rig
        meant = editing.asked.asked(words, rig.data.bones.keys(), rig.name)

        def region(names: tuple[str, ...], parts: bool) -> regions.Region:
            return regions.region(rig, names, first, last, parts=parts, bone_map=self.bone_map)

        if not meant.bones or not meant.parts:
            return region(meant.parts or meant.bones, bool(meant.parts))
        whole = region(meant.parts, True)
        try:
            return _both(whole, region(meant.bones, False))
        except errors.ScaleMoGenError:  # none of the bones can be edited, but the parts can
            return replace(whole, untouched=(*whole.untouched, *meant.bones))

    def read(self, first: int, last: int) -> reading.Reading:
        """What the armature shows in frames ``first`` to ``last``."""
        return reading.read(self.rig, first, last, self.bone_map)

    def write(
        self,
        seen: reading.Reading,
        edited: editing.Edited,
        region: regions.Region,
        path: Path,
        about: dict[str, Any],
    ) -> None:
        """The file with an edit; a .blend keeps everything else that is in it."""
        if self.changed:
            rig = _load(self.path, self.rig_name)
            seen = self.read(seen.first, seen.last)
            region = replace(region, uid=rig.session_uid)
        self.changed, rig = True, self.rig
        applying.apply(rig, seen, edited, region)
        action = rig.animation_data.action
        if action is not None:
            bake.store_properties(action, {f"edit_{key}": value for key, value in about.items()})
        scene, last = bpy.context.scene, max(self.last, region.last)
        if scene.frame_end <= self.last < last:
            scene.frame_end = last
        export.export(rig, path, Clip(action.name if action else "Edit", self.first, last))


def _both(one: regions.Region, other: regions.Region) -> regions.Region:
    """Two regions of a rig and a range as one."""

    def union(name: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys((*getattr(one, name), *getattr(other, name))))

    joints = set(union("joints"))
    ordered = tuple(j for j in skeleton.canonical().joint_names if j in joints)
    return replace(
        one,
        joints=ordered,
        parts=editing.parts_of(ordered),
        bones=union("bones"),
        untouched=union("untouched"),
        places=union("places"),
    )


def _load(path: Path, armature: str | None) -> bpy.types.Object:
    """Open a file in place of what is open; the armature to edit."""
    registration.register_data()  # corrections of the bone map are saved in the file
    if path.suffix.lower() != ".blend":
        bpy.ops.wm.read_factory_settings(use_empty=True)
    rig_import.load(path, animated=True, with_windows=True)
    rig = _armature(path, armature)
    if rig.name not in bpy.context.scene.objects:
        scene = next((s for s in bpy.data.scenes if rig.name in s.objects), None)
        if scene is None:
            raise errors.ScaleMoGenError(
                f"The armature '{rig.name}' is in no scene of '{path}'; link it into one."
            )
        raise errors.ScaleMoGenError(
            f"The armature '{rig.name}' is in the scene '{scene.name}', and '{path}' opens with "
            f"'{bpy.context.scene.name}'; save it with the other one open."
        )
    bpy.context.view_layer.update()
    return rig


def _armature(path: Path, name: str | None) -> bpy.types.Object:
    """The armature that was named, or the only animated humanoid."""
    found = {o.name: o for o in bpy.data.objects if o.type == "ARMATURE" and o.data.bones}
    if not found:
        raise errors.ScaleMoGenError(
            f"There is no armature in '{path}'; name a file with an animated humanoid armature."
        )
    if name is not None:
        if name not in found:
            near = difflib.get_close_matches(name, found, 3, 0.3) or list(found)[:6]
            raise errors.ScaleMoGenError(
                f"There is no armature '{name}' in '{path}'; it has {', '.join(near)}."
            )
        return found[name]
    moving = [rig for rig in found.values() if rig_import.is_animated(rig)]
    if not moving:
        raise errors.ScaleMoGenError(
            f"The armature '{next(iter(found))}' in '{path}' is not animated; there is no motion "
            "to edit."
        )
    usable = [rig for rig in moving if _is_humanoid(rig)] or moving
    if len(usable) > 1:
        listed = ", ".join(f"'{rig.name}'" for rig in usable[:8])
        raise errors.ScaleMoGenError(
            f"'{path}' has {len(usable)} animated armatures: {listed}; choose one with --armature."
        )
    return usable[0]


def _is_humanoid(rig: bpy.types.Object) -> bool:
    bones = retarget.best_effort_map(*names_and_parents(rig), rest_heads(rig)).bones
    return all(bones.get(slot) for slot in retarget.REQUIRED)

"""FBX for whom: Blender's exporter with settings that suit a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Preset = Literal["UNREAL", "UNITY", "PLAIN"]

#: The same for everyone.
_COMMON: dict[str, Any] = {
    "use_selection": True,
    "object_types": {"ARMATURE", "MESH", "EMPTY"},
    # FBX's own axes, which every program turns into its own: what faces -Y in Blender faces +Z in
    # Unity, its front, and +Y in Unreal, as Unreal's own mannequins do.
    "axis_forward": "-Z",
    "axis_up": "Y",
    # Turning the axes of the data instead is experimental and wrong with armatures.
    "bake_space_transform": False,
    # Bones as they are in Blender (Y along the bone), so that a file fits skeletons that were
    # exported before, with Blender's defaults.
    "primary_bone_axis": "Y",
    "secondary_bone_axis": "X",
    # An armature is an empty ("Null") above its bones; as a bone it would be one more root.
    "armature_nodetype": "NULL",
    # Extra bones at the ends of chains would be joints that no other file has.
    "add_leaf_bones": False,
    # Without smoothing groups Unreal warns at each import; the normals are in the file anyway.
    "mesh_smooth_type": "FACE",
    # One take, named like the clip, with a key on every frame: what is seen, whatever makes it.
    "bake_anim": True,
    "bake_anim_use_nla_strips": False,
    "bake_anim_use_all_actions": False,
    "bake_anim_use_all_bones": True,
    "bake_anim_force_startend_keying": True,
    "bake_anim_step": 1.0,
    "bake_anim_simplify_factor": 0.0,
    "path_mode": "AUTO",
    # The unit goes into the file's header (UnitScaleFactor), no object is scaled.
    "apply_scale_options": "FBX_SCALE_ALL",
}


@dataclass(frozen=True)
class Settings:
    """What one program wants.

    centimetres: what is written is in centimetres, else in metres.  armature: name of the armature
    object, None for its own.  stands_in: write a plain copy of the character
    (:mod:`.stand_in`), so that nothing is scaled, parented or begins later than frame 0.
    """

    centimetres: bool = False
    armature: str | None = None
    stands_in: bool = True

    def options(self, scale_length: float, stands_in: bool) -> dict[str, Any]:
        """For ``bpy.ops.export_scene.fbx``; a stand-in is in the file's unit already."""
        if not stands_in:
            return _COMMON | {"apply_unit_scale": True}
        # Blender counts on metres: without the scene's unit, 1 is a hundred centimetres.
        return _COMMON | {
            "apply_unit_scale": False,
            "global_scale": 0.01 if self.centimetres else 1.0,
        }

    def unit(self, scale_length: float) -> float:
        """What a unit of the scene is in the file's unit."""
        return scale_length * (100.0 if self.centimetres else 1.0)


SETTINGS: dict[Preset, Settings] = {
    # Unreal counts in centimetres. A file in metres, or with a scale of 100 on the armature, ends
    # up with a root bone scaled by 100, which breaks retargeting, physics and sockets. It leaves
    # out the empty above the bones if that is called "Armature" as Blender calls it; with any other
    # name it becomes one more root bone.
    "UNREAL": Settings(centimetres=True, armature="Armature"),
    # Unity counts in metres and reads the file's unit: no scale on any object, file scale 1.
    "UNITY": Settings(),
    # All objects as they are in the scene, in metres.
    "PLAIN": Settings(stands_in=False),
}

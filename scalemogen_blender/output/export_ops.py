"""Export what the rig shows: FBX, glTF, BVH."""

from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper

from .. import export, interface
from .. import rig as rigs
from .._core import errors, files
from ..operator_errors import reported
from . import exporting
from .properties import ENGINES


class _Exporter(ExportHelper):
    """What the three have in common; the suffix decides the format."""

    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        found = export.missing_exporter(cls.filename_ext) or exporting.problem(context)
        if found:
            cls.poll_message_set(found)
        return not found

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            name = exporting.clip_name(context.scene, rigs.target(context))
            folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
            self.filepath = str(folder / (bpy.path.clean_name(name) + self.filename_ext))
        return ExportHelper.invoke(self, context, event)

    def preset(self, context: bpy.types.Context) -> str:
        """For whom the file is."""
        return "PLAIN"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = _target(self.filepath, self.filename_ext)
        rig = exporting.checked(context)
        files.check_writable(path)
        clip = exporting.clip_of(context.scene, rig)
        export.export(rig, path, clip, self.preset(context))
        self.report(
            {"INFO"},
            interface.report(
                "Exported {name} ({size})", name=path.name, size=_size(path.stat().st_size)
            ),
        )
        return {"FINISHED"}


class SCALEMOGEN_OT_export_fbx(_Exporter, bpy.types.Operator):
    """Write an FBX file."""

    bl_idname = "scalemogen.export_fbx"
    bl_label = "Export FBX"
    bl_description = (
        "Write the rig, its meshes and the motion that it shows to an FBX file, with settings "
        "for the chosen program, in the range and at the frame rate set under Bake & Export"
    )
    filename_ext = ".fbx"
    filter_glob: bpy.props.StringProperty(default="*.fbx", options={"HIDDEN"})
    fbx_for: bpy.props.EnumProperty(
        name="FBX For",
        description="The program that the file is for; if not given, the one chosen in the panel",
        items=ENGINES,
        default="PLAIN",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.properties.is_property_set("fbx_for"):
            self.fbx_for = self.preset(context)
        return super().invoke(context, event)

    def preset(self, context: bpy.types.Context) -> str:
        """The operator's own choice, else the panel's."""
        if self.properties.is_property_set("fbx_for"):
            return str(self.fbx_for)
        return str(context.scene.scalemogen.output.fbx_for)


class SCALEMOGEN_OT_export_gltf(_Exporter, bpy.types.Operator):
    """Write a glTF file."""

    bl_idname = "scalemogen.export_gltf"
    bl_label = "Export glTF"
    bl_description = (
        "Write the rig, its meshes and the motion that it shows to a binary glTF file (.glb), "
        "in the range and at the frame rate set under Bake & Export"
    )
    filename_ext = ".glb"
    filter_glob: bpy.props.StringProperty(default="*.glb", options={"HIDDEN"})


class SCALEMOGEN_OT_export_bvh(_Exporter, bpy.types.Operator):
    """Write a BVH file."""

    bl_idname = "scalemogen.export_bvh"
    bl_label = "Export BVH"
    bl_description = (
        "Write the rig's bones and the motion that they show to a BVH file, in the range and at "
        "the frame rate set under Bake & Export"
    )
    filename_ext = ".bvh"
    filter_glob: bpy.props.StringProperty(default="*.bvh", options={"HIDDEN"})


def _target(filepath: str, suffix: str) -> Path:
    """The file to write; its suffix is added where there is none."""
    if not filepath.strip():
        raise errors.ScaleMoGenError(f"Name a {suffix} file to write.")
    path = Path(bpy.path.abspath(filepath))
    if path.suffix.lower() == suffix:
        return path
    if path.suffix.lower() in {".fbx", ".glb", ".gltf", ".bvh", ".blend"}:
        raise errors.ScaleMoGenError(
            f"'{path.name}' is no {suffix} file; name one, or use the button of its format."
        )
    return path.with_name(path.name + suffix)


def _size(count: int) -> str:
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} KB"
    return f"{count / 1_000_000:.1f} MB"


classes = (SCALEMOGEN_OT_export_fbx, SCALEMOGEN_OT_export_gltf, SCALEMOGEN_OT_export_bvh)

register, unregister = bpy.utils.register_classes_factory(classes)

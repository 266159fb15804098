"""Operators of the artist's own bone maps: taken in from others, and removed."""

from pathlib import Path

import bpy
from bpy_extras.io_utils import ImportHelper

from .. import interface
from .._core import errors
from ..operator_errors import reported
from . import folder, rows, state


class SCALEMOGEN_OT_rig_map_import(bpy.types.Operator, ImportHelper):
    """Take bone maps that somebody has given into the user's folder."""

    bl_idname = "scalemogen.rig_map_import"
    bl_label = "Import Bone Maps"
    bl_description = (
        "Copy bone maps into your own, so that they are listed here and used by themselves for "
        "rigs that have all of their bones"
    )
    bl_options = {"REGISTER"}

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"}
    )
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        chosen = self._chosen()
        try:
            added = [folder.add(path) for path in chosen]
        finally:
            state.forget()
            interface.redraw()
        rows.fill_soon()
        names = ", ".join(path.stem for path in added)
        self.report({"INFO"}, interface.report("Imported {names}", names=names))
        return {"FINISHED"}

    def _chosen(self) -> list[Path]:
        """The files that were picked; ScaleMoGenError if there are none."""
        base = Path(bpy.path.abspath(self.directory)) if self.directory else None
        listed = [base / file.name for file in self.files if file.name] if base else []
        if listed:
            return listed
        if not self.filepath.strip():
            raise errors.ScaleMoGenError("Name the file of a bone map.")
        return [Path(bpy.path.abspath(self.filepath))]


class SCALEMOGEN_OT_rig_map_remove(bpy.types.Operator):
    """Delete one of the user's bone maps."""

    bl_idname = "scalemogen.rig_map_remove"
    bl_label = "Remove Bone Map"
    bl_description = "Delete this bone map from your own. Rigs that use it are detected again"
    bl_options = {"REGISTER"}

    name: bpy.props.StringProperty(
        name="Name", description="The bone map to delete", options={"SKIP_SAVE", "HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        folder.remove(self.name)
        state.forget()
        interface.redraw()
        self.report({"INFO"}, interface.report("Removed {name}", name=self.name))
        return {"FINISHED"}


classes = (SCALEMOGEN_OT_rig_map_import, SCALEMOGEN_OT_rig_map_remove)

register, unregister = bpy.utils.register_classes_factory(classes)

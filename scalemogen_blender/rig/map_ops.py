"""Operators of the bone map: look, save, load, forget."""

from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from .. import interface
from .._core import errors, retarget
from ..operator_errors import reported
from . import folder, rows, slots, state, stored
from .selection import target
from .summary import summary_of


def _has_bones(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    rig = target(context)
    if rig is None:
        operator.poll_message_set("Select an armature, or pick it under Rig")
    elif not rig.data.bones:
        operator.poll_message_set("The armature has no bones")
    elif not context.scene.is_editable:
        operator.poll_message_set("The scene is linked from another file")
    else:
        return True
    return False


def _report_map(operator: bpy.types.Operator, rig: bpy.types.Object) -> None:
    """Say what the map is now, as a warning if it cannot be used."""
    found = summary_of(rig)
    if found.problem or found.hint:
        operator.report({"WARNING"}, f"{found.problem or found.hint}.")
    else:
        operator.report({"INFO"}, status_line(found.title, found.mapped, found.of))


def status_line(title: str, mapped: int, of: int) -> str:
    """How much was found, as in "Mixamo, 22 of 22 joints"."""
    if title:
        return interface.label(
            "{title}, {mapped} of {of} joints", title=title, mapped=mapped, of=of
        )
    return interface.label("{mapped} of {of} joints", mapped=mapped, of=of)


class SCALEMOGEN_OT_rig_map_detect(bpy.types.Operator):
    """Look at the bones again."""

    bl_idname = "scalemogen.rig_map_detect"
    bl_label = "Detect Bone Map"
    bl_description = (
        "Find the bones of the joints again. Your corrections stay, except those that name bones "
        "which the rig no longer has"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_bones(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = target(context)
        present = set(rig.data.bones.keys())
        table = stored.corrections(rig)
        kept = {slot: chain for slot, chain in table.items() if present.issuperset(chain)}
        state.forget()
        if len(kept) < len(table):
            stored.store(rig, kept)
        rows.fill(context.scene)
        _report_map(self, rig)
        interface.redraw()
        return {"FINISHED"}


class SCALEMOGEN_OT_rig_map_save(bpy.types.Operator, ExportHelper):
    """Write the map to a JSON file."""

    bl_idname = "scalemogen.rig_map_save"
    bl_label = "Save Bone Map"
    bl_description = (
        "Write which bone plays which joint to a file. Maps in the suggested folder are listed in "
        "the menu, and used by themselves for rigs that have all of their bones"
    )
    bl_options = {"REGISTER"}

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_bones(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            name = bpy.path.clean_name(target(context).name)
            self.filepath = str(folder.user_folder(create=True) / f"{name}.json")
        return ExportHelper.invoke(self, context, event)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = _absolute(self.filepath, "Name a file to save the bone map in")
        retarget.map_file.save(path, state.state(target(context)).bone_map)
        state.forget()  # it may be for other rigs in the file
        self.report({"INFO"}, interface.report("Saved the bone map as {name}", name=path.name))
        return {"FINISHED"}


class SCALEMOGEN_OT_rig_map_load(bpy.types.Operator, ImportHelper):
    """Read a map from a JSON file."""

    bl_idname = "scalemogen.rig_map_load"
    bl_label = "Load Bone Map"
    bl_description = "Read which bone plays which joint from a file, in place of what was found"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_bones(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            self.filepath = str(folder.user_folder(create=True) / "_").removesuffix("_")
        return ImportHelper.invoke(self, context, event)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = target(context)
        path = _absolute(self.filepath, "Name the file of a bone map")
        lost = use_map(rig, retarget.map_file.load(path), path.stem)
        rows.fill(context.scene)
        _report_map(self, rig)
        if lost:
            self.report(
                {"WARNING"},
                interface.report(
                    "The rig lacks the file's bones for {joints}; found automatically instead",
                    joints=", ".join(lost),
                ),
            )
        interface.redraw()
        return {"FINISHED"}


def use_map(rig: bpy.types.Object, loaded: "retarget.BoneMap", preset: str = "") -> list[str]:
    """Make a loaded map the rig's own; what is left to automatic detection, in plain words.

    ScaleMoGenError, and nothing changed, if the rig has none of its bones.
    """
    now = state.state(rig)
    fit = retarget.corrections.fitted(loaded, now.names)
    if not fit.bones:
        raise errors.ScaleMoGenError(
            f"The armature '{rig.name}' has none of the file's bones; choose a bone map that was "
            "saved for this kind of rig."
        )
    lost = [slot for slot, chain in loaded.bones.items() if not fit.bones.get(slot)]
    automatic = {slot: now.automatic.bones.get(slot, ()) for slot in lost}
    slots.correct(rig, {**fit.bones, **automatic}, preset)
    return [retarget.plain_name(slot) for slot in lost]


class SCALEMOGEN_OT_rig_map_reset(bpy.types.Operator):
    """Forget the artist's corrections."""

    bl_idname = "scalemogen.rig_map_reset"
    bl_label = "Reset Bone Map"
    bl_description = "Forget your corrections, and use the bones that were found automatically"
    bl_options = {"REGISTER", "UNDO"}

    slot: bpy.props.StringProperty(
        name="Joint",
        description="The joint to reset; all of them if empty",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _has_bones(cls, context):
            return False
        if not stored.corrections(target(context)):
            cls.poll_message_set("Nothing was corrected")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = target(context)
        table = stored.corrections(rig)
        if self.slot and self.slot not in table:
            self.report({"ERROR"}, interface.report("'{slot}' is not corrected", slot=self.slot))
            return {"CANCELLED"}
        kept = {slot: chain for slot, chain in table.items() if self.slot not in ("", slot)}
        stored.store(rig, kept)
        _report_map(self, rig)
        interface.redraw()
        return {"FINISHED"}


class SCALEMOGEN_OT_rig_map_confirm(bpy.types.Operator):
    """Say that doubtful bones are right."""

    bl_idname = "scalemogen.rig_map_confirm"
    bl_label = "Confirm Bones"
    bl_description = "Say that the bone is the right one, so that it need not be checked any more"
    bl_options = {"REGISTER", "UNDO"}

    slot: bpy.props.StringProperty(
        name="Joint",
        description="The joint whose bone is right; all doubtful ones if empty",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _has_bones(cls, context):
            return False
        if not state.recent_state(target(context)).bone_map.doubtful:
            cls.poll_message_set("No bone is doubtful")
            return False
        return True

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        if properties.slot:
            return cls.bl_description
        return "Say that all bones are right, so that they need not be checked any more"

    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = target(context)
        doubtful = state.state(rig).bone_map.doubtful
        if self.slot and self.slot not in doubtful:
            self.report({"ERROR"}, interface.report("'{slot}' is not doubtful", slot=self.slot))
            return {"CANCELLED"}
        slots.confirm(rig, [self.slot] if self.slot else doubtful)
        interface.redraw()
        return {"FINISHED"}


def _absolute(filepath: str, remedy: str) -> Path:
    """The path with .json at its end, also of // paths; ScaleMoGenError if there is none."""
    if not filepath.strip():
        raise errors.ScaleMoGenError(remedy)
    path = Path(bpy.path.abspath(filepath))
    return path if path.suffix.lower() == ".json" else path.with_name(f"{path.name}.json")


classes = (
    SCALEMOGEN_OT_rig_map_detect,
    SCALEMOGEN_OT_rig_map_save,
    SCALEMOGEN_OT_rig_map_load,
    SCALEMOGEN_OT_rig_map_reset,
    SCALEMOGEN_OT_rig_map_confirm,
)

register, unregister = bpy.utils.register_classes_factory(classes)

"""Small buttons of the Edit panel: where the range begins and ends, and another seed."""

import secrets

import bpy

from .. import bake, interface, rig
from . import span

_ENDS = (
    ("FIRST", "Start", "Let the range begin at the current frame"),
    ("LAST", "End", "Let the range end at the current frame"),
)
_SOURCES = (
    (
        "AROUND",
        "Around Current Frame",
        "A second around the current frame, within the motion",
    ),
    ("KEYS", "Selected Keys", "From the first to the last selected key of the selected bones"),
    ("PREVIEW", "Preview Range", "The preview range of the timeline"),
)


class SCALEMOGEN_OT_edit_range_end(bpy.types.Operator):
    """One end of the range."""

    bl_idname = "scalemogen.edit_range_end"
    bl_label = "Set Range to Current Frame"
    bl_description = "Let the range of the edit begin or end at the current frame"
    bl_options = {"REGISTER", "UNDO"}

    end: bpy.props.EnumProperty(name="End", items=_ENDS, options={"SKIP_SAVE"})

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: "bpy.types.OperatorProperties"
    ) -> str:
        """The tooltip of each of the two."""
        return next(text for name, _, text in _ENDS if name == properties.end)

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings, frame = context.scene.scalemogen.edit, context.scene.frame_current
        settings.range = "CUSTOM"
        if self.end == "FIRST":
            settings.first = frame
        else:
            settings.last = frame
        return {"FINISHED"}


class SCALEMOGEN_OT_edit_range(bpy.types.Operator):
    """Both ends of the range."""

    bl_idname = "scalemogen.edit_range"
    bl_label = "Set Range"
    bl_description = "Take the range of the edit from the current frame, the keys or the timeline"
    bl_options = {"REGISTER", "UNDO"}

    source: bpy.props.EnumProperty(name="From", items=_SOURCES, options={"SKIP_SAVE"})

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: "bpy.types.OperatorProperties"
    ) -> str:
        """The tooltip of each of the sources."""
        return next(text for name, _, text in _SOURCES if name == properties.source)

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        settings = scene.scalemogen.edit
        if self.source == "AROUND":
            found = _around(scene, rig.target(context))
        elif self.source == "KEYS":
            found = span.selected_keys(rig.target(context))
        else:
            found = span.preview_range(scene)
        if found.problem:
            self.report({"ERROR"}, interface.report(found.problem))
            return {"CANCELLED"}
        settings.range = "CUSTOM"
        settings.first, settings.last = found.first, found.last
        settings.first = found.first  # an end that came before it has moved it
        return {"FINISHED"}


def _around(scene: bpy.types.Scene, target: bpy.types.Object | None) -> span.Span:
    """A second around the current frame; near an end of the motion the first or last one."""
    half, now = max(1, round(0.5 * bake.scene_fps(scene))), scene.frame_current
    first, last = now - half, now + half
    filled = span.extent(target) if target is not None else None
    if filled is not None and filled.first <= now <= filled.last:
        first = max(filled.first, min(first, filled.last - 2 * half))
        last = min(filled.last, first + 2 * half)
    return span.Span(first, last)


class SCALEMOGEN_OT_edit_random_seed(bpy.types.Operator):
    """Another seed."""

    bl_idname = "scalemogen.edit_random_seed"
    bl_label = "Random Edit Seed"
    bl_description = "Take another seed: another edit for the same prompt"
    bl_options = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.scalemogen.edit.seed = secrets.randbelow(10**6)
        return {"FINISHED"}


classes = (
    SCALEMOGEN_OT_edit_range_end,
    SCALEMOGEN_OT_edit_range,
    SCALEMOGEN_OT_edit_random_seed,
)

register, unregister = bpy.utils.register_classes_factory(classes)

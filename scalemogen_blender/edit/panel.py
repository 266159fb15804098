"""The Edit panel."""

from __future__ import annotations

from typing import Any

import bpy

from .. import bake, compat, interface, rig, session
from .._core import skeleton as skeletons
from ..results import preview
from ..session import progress
from . import affected, looking, order, span
from .ops import BUTTON

_EXAMPLE = "Waves with the left hand"
_BIG = 1.6
_MOST_NAMES = 3
#: Said of the body part that should be selected, too.
_LACKING = {
    "root": "Select the hips, too, if the legs are to walk on: they keep their way",
    "spine": "Select the spine, too, so that the trunk can keep its balance",
}
#: Where the range may be taken from, beside either of its ends.
_SOURCES = {"FIRST": ("KEYS", "KEYFRAME_HLT"), "LAST": ("PREVIEW", "PREVIEW_RANGE")}


class SCALEMOGEN_PT_edit(interface.SidebarPanel, bpy.types.Panel):
    """A prompt for some bones in some frames."""

    bl_label = "Edit"
    bl_order = 1

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a rig at all."""
        return rig.target(context) is not None

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """The switch of the overlays."""
        if context.mode == "POSE":
            settings = context.scene.scalemogen.edit
            eye = "HIDE_OFF" if settings.show_region else "HIDE_ON"
            self.layout.prop(settings, "show_region", text="", icon=eye, emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        layout, target = self.layout, rig.target(context)
        if found := rig.problem(context):
            interface.paragraph(layout, found, icon="ERROR")
            return
        if context.mode != "POSE" or context.object != target:
            _draw_way_to_pose_mode(layout, context, target)
            progress.draw_news(layout, edits=True)
            return
        settings = context.scene.scalemogen.edit
        now = affected.affected(context.scene, target, settings)
        compat.text_field(layout.column(), settings, "prompt", interface.label(_EXAMPLE), text="")
        _draw_range(layout, context.scene, settings, now)
        _draw_affected(layout, now)
        _draw_settings(layout, settings)
        _draw_button(layout, settings)
        _draw_shown(layout, context.scene, target)
        progress.draw_news(layout, edits=True)


class SCALEMOGEN_PT_edit_more(interface.SidebarPanel, bpy.types.Panel):
    """What can be made of the motion besides."""

    bl_label = "Fill, Extend, Loop"
    bl_parent_id = "SCALEMOGEN_PT_edit"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _is_ready(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.scalemogen.edit
        column = layout.column()
        column.context_pointer_set(BUTTON, settings)
        for operator, name, text, icon in (
            ("scalemogen.inbetween", "fill_bones", "", "KEYTYPE_BREAKDOWN_VEC"),
            ("scalemogen.extend", "extend_seconds", "Seconds", "TRACKING_FORWARDS_SINGLE"),
            ("scalemogen.make_loop", "loop_frames", "Frames", "FILE_REFRESH"),
        ):
            split = column.split(factor=0.5, align=True)
            split.operator(operator, icon=icon)
            split.prop(settings, name, text=text)
        column.operator("scalemogen.in_place", icon="CON_LOCLIMIT")


class SCALEMOGEN_PT_edit_advanced(interface.SidebarPanel, bpy.types.Panel):
    """What rarely needs to be changed."""

    bl_label = "Advanced"
    bl_parent_id = "SCALEMOGEN_PT_edit"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _is_ready(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        settings, target = context.scene.scalemogen.edit, rig.target(context)
        moves = affected.affected(context.scene, target, settings).moves
        column = layout.column()
        column.active = moves  # only what edits the hips moves the character
        column.prop(settings, "later")
        column.prop(settings, "keep_feet")
        layout.prop(settings, "words_only")
        if settings.words_only:
            known = order.remembered_prompt(target)
            hint = known or interface.label("What the motion is now")
            compat.text_field(layout, settings, "source_prompt", hint)
        layout.prop(settings, "cleanup")
        layout.prop(settings, "use_custom_sampling")
        column = layout.column()
        column.active = settings.use_custom_sampling
        column.prop(settings, "guidance")
        column.prop(settings, "temperature")


def _is_ready(context: bpy.types.Context) -> bool:
    """Whether the artist poses the rig that is meant, and it can be edited."""
    target = rig.target(context)
    posing = context.mode == "POSE" and target is not None and context.object == target
    return posing and not rig.problem(context)


def _draw_way_to_pose_mode(
    layout: bpy.types.UILayout, context: bpy.types.Context, target: bpy.types.Object
) -> None:
    column = layout.column()
    column.label(text="Select bones in Pose Mode", icon="POSE_HLT")
    if context.object == target and context.mode == "OBJECT":
        column.operator("object.posemode_toggle", text="Pose Mode")


def _draw_range(
    layout: bpy.types.UILayout, scene: bpy.types.Scene, settings: Any, now: affected.Affected
) -> None:
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(settings, "range")
    if settings.range == "CUSTOM":
        ends = column.column(align=True)
        for name, end in (("first", "FIRST"), ("last", "LAST")):
            row = ends.row(align=True)
            row.prop(settings, name)
            row.operator("scalemogen.edit_range_end", text="", icon="TIME").end = end
            source, icon = _SOURCES[end]
            row.operator("scalemogen.edit_range", text="", icon=icon).source = source
    if now.span.problem:
        problem, _, _ = now.span.problem.partition(". ")  # the rest is beside it
        interface.paragraph(column, problem, icon="INFO")
        around = column.operator("scalemogen.edit_range", text="Around Current Frame", icon="TIME")
        around.source = "AROUND"
        return
    _beside(column, _span_text(now.span, bake.scene_fps(scene)))


def _span_text(frames: span.Span, fps: float) -> str:
    return interface.label(
        "{first} to {last}, {seconds:.2f} s",
        first=frames.first,
        last=frames.last,
        seconds=frames.frame_count / fps,
    )


def _beside(layout: bpy.types.UILayout, text: str) -> None:
    """A line below a property, where its value is."""
    split = layout.split(factor=0.4)
    split.label()
    split.label(text=text, translate=False)


def _draw_affected(layout: bpy.types.UILayout, now: affected.Affected) -> None:
    """What will change, before it does."""
    box = layout.box().column(align=True)
    if now.problem:
        interface.paragraph(box, now.problem, icon="INFO")
        return
    for number, (part, count) in enumerate(_shortened(now.parts)):
        bones = part
        if count is not None:
            one = "{part}: {count} bone" if count == 1 else "{part}: {count} bones"
            bones = interface.label(one, part=interface.label(part), count=count)
        box.label(text=bones, icon="BLANK1" if number else "BONE_DATA", translate=False)
    if now.regenerated is not None:
        first, last = now.regenerated
        text = interface.label("Regenerates {first} to {last}", first=first, last=last)
        row = box.row()
        row.active = False
        row.label(text=text, icon="TIME", translate=False)
    elif not now.span.problem:
        box.label(text="Long: regenerated piece by piece", icon="TIME")
    if now.follows:
        box.label(text="Legs follow, so that feet stay", icon="CON_FOLLOWPATH")
    if now.lacking:
        interface.paragraph(box, interface.label(_LACKING[now.lacking]), icon="INFO")
    if now.untouched:
        _draw_untouched(box, now.untouched)


def _shortened(parts: affected.Parts) -> affected.Parts:
    """The whole body in one line: a list of all its parts pushes the button out of sight."""
    counts = [count for _, count in parts if count is not None]
    if len(parts) < len(skeletons.BODY_PARTS):
        return parts
    return (("Whole Body", sum(counts) if len(counts) == len(parts) else None),)


def _draw_untouched(layout: bpy.types.UILayout, bones: tuple[str, ...]) -> None:
    named = ", ".join(bones[:_MOST_NAMES])
    if len(bones) > _MOST_NAMES:
        named = interface.label(
            "{named} and {count} more", named=named, count=len(bones) - _MOST_NAMES
        )
    row = layout.column(align=True)
    row.active = False
    interface.paragraph(row, interface.label("Stays: {bones}", bones=named), icon="LOCKED")


def _draw_settings(layout: bpy.types.UILayout, settings: Any) -> None:
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(settings, "keep", slider=True)
    column.prop(settings, "blend")
    row = column.row(align=True)
    row.prop(settings, "seed")
    row.operator("scalemogen.edit_random_seed", text="", icon="FILE_3D")
    column.prop(settings, "variations")


def _draw_shown(
    layout: bpy.types.UILayout, scene: bpy.types.Scene, target: bpy.types.Object
) -> None:
    """What is shown on the rig can be accepted here, too: the list of results may be far below."""
    if preview.shown_rig(scene) != target or session.busy():
        return
    if found := order.shown_problem(scene, target):
        interface.paragraph(layout, found, icon="INFO")
    row = layout.row(align=True)
    row.operator("scalemogen.result_accept", icon="CHECKMARK")
    row.operator("scalemogen.result_reject", icon="X")


def _draw_button(layout: bpy.types.UILayout, settings: Any) -> None:
    row = layout.row(align=True)
    row.scale_y = _BIG
    if (looked := looking.progress()) is not None:
        row.progress(text="Reading the motion", factor=looked)
    elif not progress.draw_bar(row):
        row.context_pointer_set(BUTTON, settings)
        row.operator("scalemogen.edit", text="Edit")


classes = (SCALEMOGEN_PT_edit, SCALEMOGEN_PT_edit_more, SCALEMOGEN_PT_edit_advanced)

register, unregister = bpy.utils.register_classes_factory(classes)

"""The Generate panel."""

import bpy

from .. import compat, interface, rig, session
from ..session import progress
from . import length, order, prompt
from .ops import BUTTON

_EXAMPLE = "A person walks forward and waves"
_BIG = 1.6


class SCALEMOGEN_PT_generate(interface.SidebarPanel, bpy.types.Panel):
    """From a prompt to motions."""

    bl_label = "Generate"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        settings = context.scene.scalemogen.generate
        column = layout.column()
        compat.text_field(column, settings, "prompt", interface.label(_EXAMPLE), text="")
        if prompt.is_foreign(settings.prompt):
            column.label(text="The model understands English", icon="INFO")
        _draw_settings(layout, settings, context.scene)
        _draw_rig(layout, context)
        _draw_button(layout, settings)
        progress.draw_news(layout)


class SCALEMOGEN_PT_generate_advanced(interface.SidebarPanel, bpy.types.Panel):
    """What rarely needs to be changed."""

    bl_label = "Advanced"
    bl_parent_id = "SCALEMOGEN_PT_generate"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        settings = context.scene.scalemogen.generate
        layout.prop(settings, "cleanup")
        layout.prop(settings, "use_custom_sampling")
        column = layout.column()
        column.active = settings.use_custom_sampling
        column.prop(settings, "guidance")
        column.prop(settings, "temperature")


def _draw_settings(
    layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, scene: bpy.types.Scene
) -> None:
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(settings, "length_mode")
    if settings.length_mode == "SECONDS":
        column.prop(settings, "seconds")
    if settings.length_mode == "RANGE":
        _draw_range(column, order.timeline(scene))
    else:
        column.prop(settings, "start")
    row = column.row(align=True)
    row.prop(settings, "seed")
    row.operator("scalemogen.random_seed", text="", icon="FILE_3D")
    column.prop(settings, "variations")
    column.prop(settings, "play")


def _draw_range(layout: bpy.types.UILayout, scene_time: length.Timeline) -> None:
    if found := length.problem(scene_time, session.longest_seconds()):
        interface.paragraph(layout, found, icon="ERROR")
        return
    split = layout.split(factor=0.4)
    split.label()
    span = interface.label(
        "{first} to {last}, {seconds:.1f} s",
        first=scene_time.first,
        last=scene_time.last,
        seconds=scene_time.frame_count / scene_time.fps,
    )
    split.label(text=span, translate=False)


def _draw_rig(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    found = rig.summary(context)
    if found is None:
        if any(o.type == "ARMATURE" for o in context.scene.objects):
            layout.label(text="No rig selected", icon="INFO")
        else:
            row = layout.row(align=True)
            row.label(text="No rig", icon="INFO")
            row.operator("scalemogen.add_mannequin", icon="ADD")
    elif found.problem:
        interface.paragraph(layout, found.problem, icon="ERROR")
    else:
        mapped = interface.label("{name}: {count} bones mapped", name=found.rig, count=found.mapped)
        layout.label(text=mapped, icon="ARMATURE_DATA", translate=False)


def _draw_button(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    row = layout.row(align=True)
    row.scale_y = _BIG
    if not progress.draw_bar(row):
        row.context_pointer_set(BUTTON, settings)
        row.operator("scalemogen.generate", text="Generate")


classes = (SCALEMOGEN_PT_generate, SCALEMOGEN_PT_generate_advanced)

register, unregister = bpy.utils.register_classes_factory(classes)

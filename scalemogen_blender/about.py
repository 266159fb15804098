"""What is installed, and how to generate a motion: the same lines in preferences and sidebar."""

from functools import cache

import bpy

from ._core import VERSION, paths


@cache  # panels draw often, and these files do not change while Blender runs
def about_lines() -> tuple[str, ...]:
    """Return the lines to show: version, packed model and encoder, the way to a motion."""
    models = sorted(folder.parent.name for folder in paths.MODELS.glob("*/model_card.md"))
    encoder = (paths.ASSETS / "text_encoder" / "config.json").is_file()
    return (
        f"ScaleMoGen {VERSION}",
        f"Model: {', '.join(models) or 'none packed'}",
        f"Text encoder: {'all-MiniLM-L6-v2' if encoder else 'none packed'}",
        "Generating inside Blender comes in a later version.",
        "For now, in a terminal in the project's folder:",
        'python3 run.py generate "a person waves" --fbx wave.fbx',
    )


def _draw_lines(layout: bpy.types.UILayout) -> None:
    column = layout.column(align=True)
    for line in about_lines():
        column.label(text=line)


class ScaleMoGenPreferences(bpy.types.AddonPreferences):
    """The add-on's page in the preferences."""

    bl_idname = __package__

    def draw(self, _context: bpy.types.Context) -> None:
        """Show what is installed."""
        _draw_lines(self.layout)


class SCALEMOGEN_PT_about(bpy.types.Panel):
    """ScaleMoGen in the sidebar of the 3D viewport."""

    bl_label = "ScaleMoGen"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "ScaleMoGen"

    def draw(self, _context: bpy.types.Context) -> None:
        """Show what is installed."""
        _draw_lines(self.layout)


classes = (ScaleMoGenPreferences, SCALEMOGEN_PT_about)

register, unregister = bpy.utils.register_classes_factory(classes)

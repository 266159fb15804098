"""``Scene.scalemogen.output``."""

import bpy


class OutputProperties(bpy.types.PropertyGroup):
    """Settings of the Output panel."""


classes = (OutputProperties,)

register, unregister = bpy.utils.register_classes_factory(classes)

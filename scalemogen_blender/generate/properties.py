"""``Scene.scalemogen.generate``."""

import bpy


class GenerateProperties(bpy.types.PropertyGroup):
    """Settings of the Generate panel."""


classes = (GenerateProperties,)

register, unregister = bpy.utils.register_classes_factory(classes)

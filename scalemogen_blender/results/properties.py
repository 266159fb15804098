"""``Scene.scalemogen.results``."""

import bpy


class ResultsProperties(bpy.types.PropertyGroup):
    """Settings of the Results panel."""


classes = (ResultsProperties,)

register, unregister = bpy.utils.register_classes_factory(classes)

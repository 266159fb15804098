"""``Scene.scalemogen.rig``."""

import bpy


class RigProperties(bpy.types.PropertyGroup):
    """Settings of the Rig panel."""


classes = (RigProperties,)

register, unregister = bpy.utils.register_classes_factory(classes)

"""The classes that Blender knows; they leave in reverse order."""

import bpy

from .about import SCALEMOGEN_PT_about, ScaleMoGenPreferences

classes = (ScaleMoGenPreferences, SCALEMOGEN_PT_about)

register, unregister = bpy.utils.register_classes_factory(classes)

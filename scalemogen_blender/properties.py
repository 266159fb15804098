"""``Scene.scalemogen``: everything of the add-on that is saved with the artist's file.

Only data that undo, saving and loading should carry along belongs here. What the engine is doing
at the moment lives in :mod:`.session`.
"""

import bpy

from .blocks.properties import BlocksProperties
from .edit.properties import EditProperties
from .generate.properties import GenerateProperties
from .output.properties import OutputProperties
from .results.properties import ResultsProperties
from .rig.properties import RigProperties


class ScaleMoGenSceneProperties(bpy.types.PropertyGroup):
    """The rooms' groups, one each."""

    generate: bpy.props.PointerProperty(type=GenerateProperties)
    results: bpy.props.PointerProperty(type=ResultsProperties)
    rig: bpy.props.PointerProperty(type=RigProperties)
    output: bpy.props.PointerProperty(type=OutputProperties)
    edit: bpy.props.PointerProperty(type=EditProperties)
    blocks: bpy.props.PointerProperty(type=BlocksProperties)


def register() -> None:
    """Add the group to scenes."""
    bpy.utils.register_class(ScaleMoGenSceneProperties)
    bpy.types.Scene.scalemogen = bpy.props.PointerProperty(type=ScaleMoGenSceneProperties)


def unregister() -> None:
    """Take it away again."""
    del bpy.types.Scene.scalemogen
    bpy.utils.unregister_class(ScaleMoGenSceneProperties)

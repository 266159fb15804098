"""``Scene.scalemogen.output``."""

import bpy

RANGES = (
    ("RESULT", "Result", "The frames of the result, or of the rig's action"),
    ("SCENE", "Scene", "The scene's frame range"),
    ("PREVIEW", "Preview Range", "The timeline's preview range, or the scene's if there is none"),
    ("CUSTOM", "Custom", "The frames below"),
)
RATES = (
    ("SCENE", "Scene", "One key or sample on every frame of the scene"),
    ("RESULT", "Result's Own", "The model's own frame rate, usually 30"),
    ("CUSTOM", "Custom", "Keys or samples per second; 12 in a scene of 24 animates on twos"),
)
TARGETS = (
    ("NEW", "New Action", "Make a new action. The rig's present one stays in the file"),
    (
        "OVERWRITE",
        "Overwrite",
        "Replace the keys of the mapped bones between the first and last frame of the rig's "
        "present action. All other keys, and the pose outside these frames, stay as they are. "
        "An action that other objects use, too, is copied for this rig first",
    ),
)


class OutputProperties(bpy.types.PropertyGroup):
    """Settings of the Bake & Export panel."""

    range: bpy.props.EnumProperty(
        name="Range", description="Which frames are baked and exported", items=RANGES
    )
    frame_start: bpy.props.IntProperty(
        name="Start", description="First frame", default=1, min=-1_048_574, max=1_048_574
    )
    frame_end: bpy.props.IntProperty(
        name="End", description="Last frame", default=250, min=-1_048_574, max=1_048_574
    )
    rate: bpy.props.EnumProperty(
        name="Frame Rate", description="How many frames a second has", items=RATES
    )
    fps: bpy.props.FloatProperty(
        name="Frames per Second",
        description="Keys or samples per second",
        default=12.0,
        min=1.0,
        max=240.0,
        soft_max=120.0,
    )
    target: bpy.props.EnumProperty(name="Bake To", description="Where the keys go", items=TARGETS)


classes = (OutputProperties,)

register, unregister = bpy.utils.register_classes_factory(classes)

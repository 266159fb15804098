"""``Scene.scalemogen.output``."""

import math

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
STARTS = (
    ("RESULT", "Result's Own", "Where the result lies in the timeline"),
    ("CURRENT", "Current Frame", "The scene's current frame"),
    ("CUSTOM", "Custom", "The frame below"),
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
    (
        "ADDITIVE",
        "Additive Layer",
        "Add a strip on top of what the rig plays, which holds the difference. Its influence "
        "blends from the original to the result. The present action becomes a strip below",
    ),
)
REFERENCES = (
    (
        "PLAYED",
        "Present Pose",
        "The layer holds the difference to what the rig plays now: at full influence it shows "
        "the result",
    ),
    (
        "FIRST",
        "First Frame",
        "The layer holds the movement away from the result's first frame and adds it to what "
        "the rig plays, like breathing or a wave on top of a walk",
    ),
)
ENGINES = (
    (
        "UNREAL",
        "Unreal Engine",
        "Centimetres, the armature named as Unreal expects it, so that the root bone is the "
        "character's own, and the bones that deform",
    ),
    ("UNITY", "Unity", "Metres without a scale on any object, and the bones that deform"),
    ("PLAIN", "Any Program", "Metres, all objects as they are in the scene"),
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
    start: bpy.props.EnumProperty(
        name="Start At", description="The frame at which the baked result begins", items=STARTS
    )
    start_frame: bpy.props.IntProperty(
        name="Frame",
        description="The frame at which the baked result begins",
        default=1,
        min=-1_048_574,
        max=1_048_574,
    )
    target: bpy.props.EnumProperty(name="Bake To", description="Where the keys go", items=TARGETS)
    reference: bpy.props.EnumProperty(
        name="Difference To",
        description="What the additive layer is measured from",
        items=REFERENCES,
    )
    simplify: bpy.props.BoolProperty(
        name="Simplify",
        description="Bake few keys with smooth curves between them instead of one on every frame",
    )
    simplify_angle: bpy.props.FloatProperty(
        name="Angle",
        description="How far a bone may turn away from the result at most",
        default=math.radians(0.5),
        min=math.radians(0.01),
        max=math.radians(45.0),
        soft_max=math.radians(5.0),
        subtype="ANGLE",
        step=10,
        precision=2,
    )
    simplify_distance: bpy.props.FloatProperty(
        name="Distance (mm)",
        description=(
            "How far hips and standing feet may be off at most, in millimetres on a character as "
            "tall as a person"
        ),
        default=2.0,
        min=0.05,
        max=1000.0,
        soft_max=20.0,
        step=10,
        precision=1,
    )
    fbx_for: bpy.props.EnumProperty(
        name="FBX For",
        description="The program that FBX files are made for",
        items=ENGINES,
        default="PLAIN",
    )


classes = (OutputProperties,)

register, unregister = bpy.utils.register_classes_factory(classes)

"""``Scene.scalemogen.generate``."""

import bpy

from . import prompt
from .length import MIN_SECONDS
from .sampling import SamplingSettings

SEED_MAX = 2**31 - 1
VARIATIONS_MAX = 8
#: Length of the longest clip of the bundled models.
LONGEST_SECONDS = 320 / 30

LENGTH_MODES = (
    ("AUTOMATIC", "Automatic", "As long as the action takes, judged from the prompt"),
    ("SECONDS", "Seconds", "As many seconds as given"),
    ("RANGE", "Scene Range", "Fill the scene's frame range, or the preview range if in use"),
)
STARTS = (
    ("RANGE", "Scene Start", "At the first frame of the scene, or of the preview range if in use"),
    ("CURRENT", "Current Frame", "At the current frame"),
)


def _prompt_edited(_group: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """Typing takes longer than starting the engine: it is ready when Generate is pressed."""
    from .. import session

    if not bpy.app.background:
        session.warm_up()


class GenerateProperties(SamplingSettings, bpy.types.PropertyGroup):
    """Settings of the Generate panel."""

    prompt: bpy.props.StringProperty(
        name="Prompt",
        description="What the character does, in English",
        maxlen=prompt.MAX_LENGTH,
        options={"TEXTEDIT_UPDATE"},
        update=_prompt_edited,
    )
    length_mode: bpy.props.EnumProperty(
        name="Length", description="How long the motion becomes", items=LENGTH_MODES
    )
    seconds: bpy.props.FloatProperty(
        name="Duration",
        description="Length of the motion in seconds",
        min=MIN_SECONDS,
        max=LONGEST_SECONDS,
        soft_min=1.0,
        soft_max=10.0,
        default=4.0,
        step=50,
        precision=2,
    )
    start: bpy.props.EnumProperty(
        name="Start", description="Frame at which the motion begins", items=STARTS
    )
    seed: bpy.props.IntProperty(
        name="Seed",
        description="The same prompt and seed give the same motion",
        min=0,
        max=SEED_MAX,
    )
    variations: bpy.props.IntProperty(
        name="Variations",
        description="How many motions to make at once, with one seed after the other",
        min=1,
        max=VARIATIONS_MAX,
        default=1,
    )
    play: bpy.props.BoolProperty(
        name="Play When Done",
        description="Play the motion in the viewport as soon as it is made",
        default=True,
    )


classes = (GenerateProperties,)

register, unregister = bpy.utils.register_classes_factory(classes)

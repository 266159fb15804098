"""``Scene.scalemogen.edit``."""

import bpy

from .. import interface
from ..generate import prompt
from ..generate.properties import SEED_MAX, VARIATIONS_MAX
from ..generate.sampling import SamplingSettings

RANGES = (
    (
        "PREVIEW",
        "Preview Range",
        "The preview range of the timeline (P in the timeline sets it)",
    ),
    ("KEYS", "Selected Keys", "From the first to the last selected key of the selected bones"),
    ("CUSTOM", "Custom", "The frames given here"),
)
BONES = (
    ("SELECTED", "Selected Bones", "Only the selected bones"),
    ("ALL", "Whole Body", "All bones that the model knows"),
)
LATER = (
    ("PATH", "Keep Path", "After the range the character is where it was before the edit"),
    (
        "OFFSET",
        "Carry On",
        "After the range the character goes on from where the edit has brought it",
    ),
)
#: Lengths that the model makes at once, with something to go on from.
LONGEST_EXTENSION = 60.0
_FRAMES = 2**20


def _redraw(_group: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """The overlays show what these settings mean."""
    interface.redraw()


def _prompt_edited(_group: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    from .. import session

    if not bpy.app.background:
        session.warm_up()


def _first_moved(group: "EditProperties", _context: bpy.types.Context) -> None:
    if group.last < group.first:
        group.last = group.first
    interface.redraw()


def _last_moved(group: "EditProperties", _context: bpy.types.Context) -> None:
    if group.first > group.last:
        group.first = group.last
    interface.redraw()


class EditProperties(SamplingSettings, bpy.types.PropertyGroup):
    """Settings of the Edit panel."""

    prompt: bpy.props.StringProperty(
        name="Prompt",
        description="What happens in the range, in English",
        maxlen=prompt.MAX_LENGTH,
        options={"TEXTEDIT_UPDATE"},
        update=_prompt_edited,
    )
    range: bpy.props.EnumProperty(
        name="Range", description="Which frames may change", items=RANGES, update=_redraw
    )
    first: bpy.props.IntProperty(
        name="Start",
        description="First frame that may change",
        min=-_FRAMES,
        max=_FRAMES,
        default=1,
        update=_first_moved,
    )
    last: bpy.props.IntProperty(
        name="End",
        description="Last frame that may change",
        min=-_FRAMES,
        max=_FRAMES,
        default=30,
        update=_last_moved,
    )
    keep: bpy.props.FloatProperty(
        name="Keep",
        description=(
            "How much of the motion that is there stays: 0 makes it anew, 1 keeps its course and "
            "changes detail only"
        ),
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    blend: bpy.props.IntProperty(
        name="Blend",
        description="Frames at either end of the range over which the old motion goes into the new",
        min=0,
        max=1000,
        soft_max=30,
        default=4,
        update=_redraw,
    )
    seed: bpy.props.IntProperty(
        name="Seed",
        description="The same motion, prompt and seed give the same edit",
        min=0,
        max=SEED_MAX,
    )
    variations: bpy.props.IntProperty(
        name="Variations",
        description="How many edits to make at once, with one seed after the other",
        min=1,
        max=VARIATIONS_MAX,
        default=1,
    )
    later: bpy.props.EnumProperty(
        name="After the Edit",
        description="Where the character goes on after the range, if the edit moves it",
        items=LATER,
        update=_redraw,
    )
    keep_feet: bpy.props.BoolProperty(
        name="Keep Feet",
        description=(
            "Feet that stand and are not edited stay where they are: their legs follow the hips"
        ),
        default=True,
        update=_redraw,
    )
    words_only: bpy.props.BoolProperty(
        name="Only What the Words Change",
        description=(
            "Compare the prompt with what the motion was, and keep all that both prompts say alike"
        ),
    )
    source_prompt: bpy.props.StringProperty(
        name="Motion Was",
        description="What the motion is now; empty takes the prompt that its action remembers",
        maxlen=prompt.MAX_LENGTH,
    )
    fill_bones: bpy.props.EnumProperty(
        name="Bones",
        description="What an in-between fills",
        items=BONES,
        default="ALL",
        update=_redraw,
    )
    extend_seconds: bpy.props.FloatProperty(
        name="Duration",
        description="How much longer the motion becomes, in seconds",
        min=0.1,
        max=LONGEST_EXTENSION,
        soft_min=0.5,
        soft_max=8.0,
        default=2.0,
        step=50,
        precision=2,
    )
    loop_frames: bpy.props.IntProperty(
        name="Frames",
        description="How many frames at the end change so that the motion goes into its beginning",
        min=2,
        max=_FRAMES,
        soft_max=120,
        default=24,
    )
    show_region: bpy.props.BoolProperty(
        name="Show What Changes",
        description=(
            "Draw the bones and the frames that an edit would change, in the 3D viewport, the "
            "Dope Sheet and the Timeline"
        ),
        default=True,
        update=_redraw,
    )


classes = (EditProperties,)

register, unregister = bpy.utils.register_classes_factory(classes)

"""``Scene.scalemogen.results``, and what a preview's action remembers."""

import bpy

MODES = (
    ("ACTION", "Action", "Make the result the rig's active action"),
    (
        "NLA",
        "NLA Strip",
        "Put the result on a track of its own in the Nonlinear Animation editor",
    ),
)


def _armatures_only(_self: object, candidate: bpy.types.Object) -> bool:
    return candidate.type == "ARMATURE"


def _start_moved(self: "ResultItem", _context: bpy.types.Context) -> None:
    from . import landing

    landing.moved(self.id_data, self.uid)


def _item_clicked(self: "ResultsProperties", _context: bpy.types.Context) -> None:
    from . import landing

    landing.clicked(self.id_data)


class RigSnapshot(bpy.types.PropertyGroup):
    """What a rig was like before a preview.

    It is kept twice: on the preview's action, which goes wherever the rig goes, and in the scene,
    in case somebody deletes that action.  Both pointers keep the artist's action alive.
    """

    rig: bpy.props.PointerProperty(type=bpy.types.Object, poll=_armatures_only)
    action: bpy.props.PointerProperty(type=bpy.types.Action)
    state: bpy.props.StringProperty(description="JSON, see rig_snapshot.py")


class ResultItem(bpy.types.PropertyGroup):
    """One motion that the engine has made."""

    uid: bpy.props.StringProperty(name="Identifier", description="Unique name of the result")
    prompt: bpy.props.StringProperty(name="Prompt", description="What was asked for")
    seed: bpy.props.StringProperty(  # text: seeds may have more bits than Blender's integers
        name="Seed", description="The same prompt, seed and settings give the same motion"
    )
    seconds: bpy.props.FloatProperty(
        name="Duration", description="Length of the motion", unit="TIME_ABSOLUTE"
    )
    settings: bpy.props.StringProperty(
        name="Settings", description="What the motion was made with, as JSON"
    )
    motion: bpy.props.StringProperty(name="Motion", description="The motion itself, packed")
    frame_count: bpy.props.IntProperty(
        name="Frames", description="Number of frames as the model made them", min=0
    )
    fps: bpy.props.FloatProperty(name="Frame Rate", description="Frame rate of the model")
    start_frame: bpy.props.IntProperty(
        name="Start Frame",
        description="Frame of the scene at which the motion begins",
        update=_start_moved,
    )
    rig: bpy.props.PointerProperty(
        name="Rig",
        description="Armature that the motion was made for",
        type=bpy.types.Object,
        poll=_armatures_only,
    )
    accepted: bpy.props.PointerProperty(
        name="Action", description="Action that the result has become", type=bpy.types.Action
    )
    accepted_with: bpy.props.StringProperty(
        description="Options of the rig with which the result became an action"
    )
    bones: bpy.props.StringProperty(description="Names of the bones that it keys, as JSON")

    edit: bpy.props.StringProperty(
        description="What was edited, as JSON, see edits.py; empty for a motion of its own"
    )
    source: bpy.props.StringProperty(description="The motion before the edit, packed")
    first: bpy.props.IntProperty(description="First frame of the scene that an edit changes")
    last: bpy.props.IntProperty(description="Last frame of the scene that an edit changes")

    @property
    def is_edit(self) -> bool:
        """Whether it changes a range of the rig's own action."""
        return bool(self.edit)

    @property
    def is_accepted(self) -> bool:
        """Whether the result has become an action that still exists."""
        return self.accepted is not None


class ResultsProperties(bpy.types.PropertyGroup):
    """The list of results, what is shown on a rig, and the panel's settings."""

    entries: bpy.props.CollectionProperty(type=ResultItem)
    active_index: bpy.props.IntProperty(
        name="Active Result",
        description="Result that the buttons below work on; choosing one plays it on the rig",
        update=_item_clicked,
    )
    playing_uid: bpy.props.StringProperty(
        name="Playing", description="Identifier of the result that is shown on the rig"
    )
    preview: bpy.props.PointerProperty(
        name="Preview", description="Action that shows a result", type=bpy.types.Action
    )
    shown_with: bpy.props.StringProperty(
        description="Options of the rig with which the result is shown"
    )
    rig_snapshot: bpy.props.PointerProperty(type=RigSnapshot)
    scene_snapshot: bpy.props.StringProperty(description="JSON, see scene_snapshot.py")
    message: bpy.props.StringProperty(
        name="Message", description="Why the last result could not be played"
    )
    accept_as: bpy.props.EnumProperty(
        name="Accept As", description="What an accepted result becomes", items=MODES
    )
    fit_scene_range: bpy.props.BoolProperty(
        name="Fit Scene Range",
        description="Set the scene's frame range to the result when it is accepted",
    )
    use_playback: bpy.props.BoolProperty(
        name="Start Playback",
        description="Start the timeline when a result is shown on the rig",
        default=True,
    )


classes = (RigSnapshot, ResultItem, ResultsProperties)


def register() -> None:
    """Register the groups; actions learn to remember what they are a preview of."""
    for cls in classes:
        bpy.utils.register_class(cls)
    bpy.types.Action.scalemogen_snapshot = bpy.props.PointerProperty(type=RigSnapshot)


def unregister() -> None:
    """Take them away again."""
    del bpy.types.Action.scalemogen_snapshot
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)

"""The Edit button, and what else can be made of the motion that is there."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import fields, replace
from typing import Any

import bpy

from .. import interface, rig, runtime, session
from .._core import editing
from ..generate.properties import SEED_MAX, VARIATIONS_MAX
from ..generate.sampling import SamplingValues
from ..operator_errors import reported
from ..session.waiting import Waiting
from . import order
from .looking import LooksFirst
from .properties import LATER, LONGEST_EXTENSION

#: Name under which the panel hands its settings to its own buttons: with them, a button is greyed
#: out for reasons that a call with values of its own does not have.
BUTTON = "scalemogen_edit"
_UNSET = {"SKIP_SAVE"}  # what is not given comes from the panel, not from the last call
_GIVEN = tuple(field.name for field in fields(order.Order))


def problem(context: bpy.types.Context, needs_engine: bool = True) -> str:
    """Why nothing can be edited now, with the remedy; empty if it can."""
    if session.busy():
        return "A motion is being generated; wait until it is done, or cancel it"
    if context.scene is None:
        return "There is no scene"
    if needs_engine and (found := runtime.problem()):
        return found
    if found := rig.problem(context):
        return found
    target = rig.target(context)
    if not rig.is_in_scene(context.scene, target):
        return f"'{target.name}' is not in this scene. Switch to its scene, or link it here"
    return order.shown_problem(context.scene, target)


class _Editing(LooksFirst):
    """What the operators share; ``operation`` says which of them it is."""

    operation = "EDIT"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A runtime, no running job, a rig that can be used; from the panel all of its settings."""
        found = problem(context, cls.operation != "IN_PLACE")
        settings = getattr(context, BUTTON, None)
        if not found and settings is not None:
            target = rig.target(context)
            wanted = order.from_panel(cls.operation, context.scene, target, settings)
            found = order.problem(wanted, context.scene, target)
        if found:
            cls.poll_message_set(interface.report(found))
            return False
        return True

    def looking(self, context: bpy.types.Context) -> Generator[float, None, object]:
        """The rig, as far as the edit needs it."""
        scene, target = context.scene, rig.target(context)
        return order.looking(self._order(scene, target), scene, target)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, target = context.scene, rig.target(context)
        wanted = self._order(scene, target)
        return self.end(order.submit(wanted, scene, target, interactive=not self.waits))

    def _given(self) -> dict[str, Any]:
        """The operator's own values, as far as they were given."""
        properties = self.properties
        known = properties.bl_rna.properties.keys()
        return {
            name: getattr(self, name)
            for name in _GIVEN
            if name in known and properties.is_property_set(name)
        }

    def _order(self, scene: bpy.types.Scene, target: bpy.types.Object) -> order.Order:
        """The operator's own values, and the panel's for those that were not given."""
        settings = scene.scalemogen.edit
        wanted = order.from_panel(self.operation, scene, target, settings)
        given = self._given()
        known = self.properties.bl_rna.properties
        if "bones" in known and self.properties.is_property_set("bones"):
            given["names"] = _names(self.bones, target)
        if {"first", "last"} <= given.keys():
            given["problem"] = ""
        elif ({"first", "last"} & given.keys()) and wanted.problem:
            given["problem"] = "Give both the first and the last frame"
        return replace(wanted, **given)


def _names(text: str, target: bpy.types.Object) -> tuple[str, ...]:
    """Bones and body parts of a list with commas."""
    words = [word for part in text.split(",") if (word := part.strip())]
    if text.strip() in target.data.bones:  # a name with a comma in it
        return (text.strip(),)
    meant = editing.asked.asked(words, target.data.bones.keys(), target.name)
    return (*(editing.asked.PART + part for part in meant.parts), *meant.bones)


def _prompt() -> Any:
    return bpy.props.StringProperty(
        name="Prompt", description="What happens in the range", options=_UNSET
    )


def _first() -> Any:
    return bpy.props.IntProperty(
        name="Start", description="First frame of the scene that may change", options=_UNSET
    )


def _last() -> Any:
    return bpy.props.IntProperty(
        name="End", description="Last frame of the scene that may change", options=_UNSET
    )


def _bones() -> Any:
    return bpy.props.StringProperty(
        name="Bones",
        description=(
            "Names of bones or body parts (left_arm, right_arm, left_leg, right_leg, spine, head, "
            "root, all) with commas between them; the selected bones when left out"
        ),
        options=_UNSET,
    )


class _Sampled(SamplingValues, Waiting):
    """Properties of all operators that ask the engine."""

    blend: bpy.props.IntProperty(name="Blend", min=0, max=1000, default=4, options=_UNSET)
    seed: bpy.props.IntProperty(name="Seed", min=0, max=SEED_MAX, options=_UNSET)
    variations: bpy.props.IntProperty(
        name="Variations", min=1, max=VARIATIONS_MAX, default=1, options=_UNSET
    )


class _Ranged:
    """Properties of the operators that change a range of frames."""

    prompt: _prompt()
    first: _first()
    last: _last()
    bones: _bones()
    later: bpy.props.EnumProperty(name="After the Edit", items=LATER, options=_UNSET)
    keep_feet: bpy.props.BoolProperty(name="Keep Feet", default=True, options=_UNSET)


class SCALEMOGEN_OT_edit(_Editing, _Ranged, _Sampled, bpy.types.Operator):
    """Make a range anew after the prompt."""

    bl_idname = "scalemogen.edit"
    bl_label = "Edit Motion"
    bl_description = (
        "Let the selected bones do in the range what the prompt says. It is shown on a copy of "
        "the rig's action first; everything else stays as it is"
    )
    operation = "EDIT"

    keep: bpy.props.FloatProperty(name="Keep", min=0.0, max=1.0, options=_UNSET)
    words_only: bpy.props.BoolProperty(name="Only What the Words Change", options=_UNSET)
    source_prompt: bpy.props.StringProperty(
        name="Motion Was", description="What the motion is now", options=_UNSET
    )


class SCALEMOGEN_OT_inbetween(_Editing, _Ranged, _Sampled, bpy.types.Operator):
    """Fill a range."""

    bl_idname = "scalemogen.inbetween"
    bl_label = "In-Between"
    bl_description = (
        "Fill the range with a motion that leads from what is before it to what is after it; a "
        "prompt may say how"
    )
    operation = "FILL"


class SCALEMOGEN_OT_extend(_Editing, _Sampled, bpy.types.Operator):
    """Go on after the end."""

    bl_idname = "scalemogen.extend"
    bl_label = "Extend"
    bl_description = (
        "Let the motion go on after its last key for as long as is set here; a prompt may say how"
    )
    operation = "EXTEND"

    prompt: _prompt()
    seconds: bpy.props.FloatProperty(
        name="Duration",
        description="How much longer the motion becomes, in seconds",
        min=0.1,
        max=LONGEST_EXTENSION,
        default=2.0,
        options=_UNSET,
    )

    def _order(self, scene: bpy.types.Scene, target: bpy.types.Object) -> order.Order:
        wanted = super()._order(scene, target)
        if self.properties.is_property_set("seconds"):
            count = order.frames_in(scene, self.seconds)
            wanted = replace(wanted, last=wanted.first + count - 1)
        return wanted


class SCALEMOGEN_OT_make_loop(_Editing, _Sampled, bpy.types.Operator):
    """Let the end go into the beginning."""

    bl_idname = "scalemogen.make_loop"
    bl_label = "Make Loop"
    bl_description = (
        "Make the last frames of the motion anew so that they go into its first ones, and the "
        "motion can be repeated; a prompt may say how"
    )
    operation = "LOOP"

    prompt: _prompt()
    frames: bpy.props.IntProperty(
        name="Frames",
        description="How many frames at the end may change",
        min=2,
        default=24,
        options=_UNSET,
    )

    def _order(self, scene: bpy.types.Scene, target: bpy.types.Object) -> order.Order:
        wanted = super()._order(scene, target)
        if self.properties.is_property_set("frames"):
            wanted = replace(wanted, first=wanted.last - self.frames + 1)
        return wanted


class SCALEMOGEN_OT_in_place(_Editing, bpy.types.Operator):
    """Take the way out of a motion."""

    bl_idname = "scalemogen.in_place"
    bl_label = "In Place"
    bl_description = (
        "Let the character do on the spot what it does on its way; sway, height and turns stay"
    )
    bl_options = {"REGISTER", "UNDO"}
    operation = "IN_PLACE"

    first: _first()
    last: _last()
    later: bpy.props.EnumProperty(
        name="After the Edit", items=LATER, default="OFFSET", options=_UNSET
    )

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, target = context.scene, rig.target(context)
        order.in_place(self._order(scene, target), scene, target)
        interface.redraw()
        return {"FINISHED"}


classes = (
    SCALEMOGEN_OT_edit,
    SCALEMOGEN_OT_inbetween,
    SCALEMOGEN_OT_extend,
    SCALEMOGEN_OT_make_loop,
    SCALEMOGEN_OT_in_place,
)

register, unregister = bpy.utils.register_classes_factory(classes)

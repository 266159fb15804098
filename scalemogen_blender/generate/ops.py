"""The Generate button and the dice."""

import secrets
from dataclasses import fields, replace
from typing import Any

import bpy

from .. import interface, rig, runtime, session
from ..operator_errors import reported
from ..session.waiting import Waiting
from . import order, sampling
from .properties import LENGTH_MODES, LONGEST_SECONDS, SEED_MAX, STARTS, VARIATIONS_MAX
from .sampling import SamplingValues

#: Name under which the panel hands its settings to its own button: with them, the button is
#: greyed out for reasons that a call with values of its own does not have.
BUTTON = "scalemogen_generate"
_UNSET = {"SKIP_SAVE"}  # what is not given comes from the panel, not from the last call


#: Operator properties that take the place of the panel's.
_GIVEN = tuple(field.name for field in fields(order.Order))


class SCALEMOGEN_OT_generate(SamplingValues, Waiting, bpy.types.Operator):
    """Generate motions from the prompt."""

    bl_idname = "scalemogen.generate"
    bl_label = "Generate Motion"
    bl_description = "Make the motion that the prompt describes and play it on the rig"

    prompt: bpy.props.StringProperty(
        name="Prompt", description="What the character does", options=_UNSET
    )
    length_mode: bpy.props.EnumProperty(name="Length", items=LENGTH_MODES, options=_UNSET)
    seconds: bpy.props.FloatProperty(
        name="Duration",
        description="Length in seconds; given, it also sets the length mode",
        min=0.5,
        max=LONGEST_SECONDS,
        default=4.0,
        options=_UNSET,
    )
    start: bpy.props.EnumProperty(name="Start", items=STARTS, options=_UNSET)
    seed: bpy.props.IntProperty(name="Seed", min=0, max=SEED_MAX, options=_UNSET)
    variations: bpy.props.IntProperty(
        name="Variations", min=1, max=VARIATIONS_MAX, default=1, options=_UNSET
    )
    play: bpy.props.BoolProperty(name="Play When Done", default=True, options=_UNSET)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A runtime, no running job, a rig that can be used; from the panel also a prompt."""
        found = problem(context)
        settings = getattr(context, BUTTON, None)
        if not found and settings is not None:
            found = order.problem(_panel_order(settings), context.scene)
        if found:
            cls.poll_message_set(interface.report(found))
            return False
        return True

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        wanted = self._order(scene.scalemogen.generate)
        job = order.submit(
            order.request(wanted, scene),
            scene,
            rig.target(context),
            order.start_frame(wanted, scene),
            wanted.play,
            interactive=not self.waits,
        )
        return self.end(job)

    def _order(self, settings: Any) -> order.Order:
        """The operator's own values, and the panel's for those that were not given."""
        given = {
            name: getattr(self, name) for name in _GIVEN if self.properties.is_property_set(name)
        }
        if "seconds" in given and "length_mode" not in given:
            given["length_mode"] = "SECONDS"
        return replace(_panel_order(settings), **given)


def _panel_order(settings: Any) -> order.Order:
    """What the panel asks for."""
    return order.Order(
        prompt=settings.prompt,
        length_mode=settings.length_mode,
        seconds=settings.seconds,
        start=settings.start,
        seed=settings.seed,
        variations=settings.variations,
        play=settings.play,
        **sampling.chosen(settings),
    )


class SCALEMOGEN_OT_random_seed(bpy.types.Operator):
    """Another seed."""

    bl_idname = "scalemogen.random_seed"
    bl_label = "Random Seed"
    bl_description = "Take another seed: another motion for the same prompt"
    bl_options = {"UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.scalemogen.generate.seed = secrets.randbelow(10**6)
        return {"FINISHED"}


def problem(context: bpy.types.Context) -> str:
    """Why nothing can be generated now, with the remedy; empty if it can."""
    if session.busy():
        return "A motion is being generated; wait until it is done, or cancel it"
    if context.scene is None:
        return "There is no scene"
    if found := runtime.problem():
        return found
    if rig.target(context) is not None and (found := rig.problem(context)):
        return found
    return ""


classes = (SCALEMOGEN_OT_generate, SCALEMOGEN_OT_random_seed)

register, unregister = bpy.utils.register_classes_factory(classes)

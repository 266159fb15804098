"""``Scene.scalemogen.rig``, and ``Object.scalemogen``: how motions are put on a rig.

In the scene: the picked armature, the corrections of its map, the list's rows. On the armature's
object, so that they go with it into copies, other scenes and other files: the options.
"""

import math
from collections.abc import Callable

import bpy

from .._core import retarget
from . import slots

ROOTS = (
    ("HIPS", "Hips", "The hips travel through the world; the object stays where it is"),
    (
        "ROOT_BONE",
        "Root Bone",
        "The rig's root bone moves on the floor below the hips and turns with the body, as game "
        "engines expect it",
    ),
    (
        "OBJECT",
        "Object",
        "The armature object moves on the floor below the hips and turns with the body",
    ),
    ("IN_PLACE", "In Place", "The character stays where it is, as on a treadmill"),
)
FEET = (
    ("AUTOMATIC", "Automatic", "Standing feet stay put where the motion says that they stand"),
    ("ALWAYS", "Always", "Feet stay put wherever they are near the floor"),
    ("NEVER", "Never", "Feet are not corrected, and may slide on a body of other proportions"),
)
CONTROLS = (
    ("FK", "FK", "Key the forward kinematics controls, and switch the limbs to them"),
    ("IK", "IK", "Key the hands, feet and poles of the limbs, and switch the limbs to them"),
)
_MOST_SPREAD = math.radians(retarget.options.MOST_SPREAD)


def _get_first(self: "BoneMapRow") -> str:
    bones = slots.chain(self.name)
    return bones[0] if bones else ""


def _set_first(self: "BoneMapRow", value: str) -> None:
    slots.set_first(self.name, value)


def _get_last(self: "BoneMapRow") -> str:
    bones = slots.chain(self.name)
    return bones[-1] if bones else ""


def _set_last(self: "BoneMapRow", value: str) -> None:
    slots.set_last(self.name, value)


def _is_armature(_self: "RigProperties", candidate: bpy.types.Object) -> bool:
    return candidate.type == "ARMATURE"


class BoneMapRow(bpy.types.PropertyGroup):
    """A joint in the list; its name is the slot. See :mod:`.slots`."""

    bone: bpy.props.StringProperty(
        name="Bone",
        description="Bone of the rig that plays this joint; empty if it has none",
        get=_get_first,
        set=_set_first,
        options={"SKIP_SAVE"},
    )
    last_bone: bpy.props.StringProperty(
        name="Last Bone",
        description="Where the chain that begins with the first bone ends",
        get=_get_last,
        set=_set_last,
        options={"SKIP_SAVE"},
    )


class BoneName(bpy.types.PropertyGroup):
    """A bone of a corrected chain, by its name."""


class CorrectedSlot(bpy.types.PropertyGroup):
    """A corrected joint; its name is the slot. Without bones the joint has none."""

    bones: bpy.props.CollectionProperty(type=BoneName)


class RigRecord(bpy.types.PropertyGroup):
    """The corrections of one armature."""

    object: bpy.props.PointerProperty(type=bpy.types.Object, poll=_is_armature)
    preset: bpy.props.StringProperty(description="Name of the bone map that was loaded")
    slots: bpy.props.CollectionProperty(type=CorrectedSlot)


def _options_changed(self: "RetargetSettings", _context: bpy.types.Context) -> None:
    from ..results import refreshing

    refreshing.rig_changed(self.id_data)


def _option(kind: Callable[..., object], **about: object) -> object:
    """A setting of a rig: kept in overrides, never animated, followed by what is shown."""
    override = {"LIBRARY_OVERRIDABLE"}
    return kind(options=set(), override=override, update=_options_changed, **about)


class RetargetSettings(bpy.types.PropertyGroup):
    """How motions are put on one armature; see :mod:`.options`."""

    root: _option(
        bpy.props.EnumProperty,
        name="Root Motion",
        description="What travels through the world as the character walks",
        items=ROOTS,
    )
    feet: _option(
        bpy.props.EnumProperty,
        name="Feet",
        description="Whether standing feet are kept in place",
        items=FEET,
    )
    controls: _option(
        bpy.props.EnumProperty,
        name="Controls",
        description="Which controls of the rig are keyed",
        items=CONTROLS,
    )
    arm_spread: _option(
        bpy.props.FloatProperty,
        name="Arm Spread",
        description="Hold the arms further away from the body, for broad bodies and clothes",
        subtype="ANGLE",
        min=-_MOST_SPREAD,
        max=_MOST_SPREAD,
        precision=1,
    )
    leg_spread: _option(
        bpy.props.FloatProperty,
        name="Leg Spread",
        description="Hold the legs further apart",
        subtype="ANGLE",
        min=-_MOST_SPREAD,
        max=_MOST_SPREAD,
        precision=1,
    )
    keep_hands: _option(
        bpy.props.BoolProperty,
        name="Keep Hand Contacts",
        description="Hands that meet in the motion meet on the rig, whatever its proportions",
        default=True,
    )
    reference_pose: _option(
        bpy.props.StringProperty,
        name="Reference Pose",
        description="The pose that stands for the rest pose, packed; see reference_pose.py",
    )


class RigProperties(bpy.types.PropertyGroup):
    """Settings of the Rig panel."""

    target: bpy.props.PointerProperty(
        type=bpy.types.Object,
        name="Armature",
        description=(
            "Armature that gets the motion. When empty, it is the active one, or the only one "
            "in the scene"
        ),
        poll=_is_armature,
    )
    records: bpy.props.CollectionProperty(type=RigRecord)
    rows: bpy.props.CollectionProperty(type=BoneMapRow)
    active_row: bpy.props.IntProperty(name="Joint", options={"SKIP_SAVE"})
    only_missing: bpy.props.BoolProperty(
        name="Only Missing or Doubtful",
        description="Show only the joints that have no bone, or one that should be checked",
    )


classes = (BoneMapRow, BoneName, CorrectedSlot, RigRecord, RigProperties, RetargetSettings)

_register, _unregister = bpy.utils.register_classes_factory(classes)


def register() -> None:
    """Register the groups; armature objects get their settings."""
    _register()
    bpy.types.Object.scalemogen = bpy.props.PointerProperty(
        type=RetargetSettings,
        name="ScaleMoGen",
        description="How motions are put on this armature",
        override={"LIBRARY_OVERRIDABLE"},
    )


def unregister() -> None:
    """Take them away again."""
    del bpy.types.Object.scalemogen
    _unregister()

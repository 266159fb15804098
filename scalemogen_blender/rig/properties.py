"""``Scene.scalemogen.rig``: the picked armature, the corrections of its map, the list's rows."""

import bpy

from . import slots


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
        name="Only Missing",
        description="Show only the joints that have no bone",
    )


classes = (BoneMapRow, BoneName, CorrectedSlot, RigRecord, RigProperties)

register, unregister = bpy.utils.register_classes_factory(classes)

"""The buttons that generate motion blocks: all of them, or one."""

from __future__ import annotations

from collections.abc import Generator

import bpy

from .. import interface, rig
from ..edit.looking import LooksFirst
from ..generate import ops as generate_ops
from ..operator_errors import reported
from ..session.waiting import Waiting
from . import order
from .list_ops import WithBlock


class SCALEMOGEN_OT_blocks_generate(Waiting, bpy.types.Operator):
    """All blocks as one motion."""

    bl_idname = "scalemogen.blocks_generate"
    bl_label = "Generate All"
    bl_description = (
        "Generate all blocks as one continuous motion; it appears among the results and plays on "
        "the rig"
    )
    bl_options = {"REGISTER"}  # the undo step comes when the motion lands

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A runtime, no running job, a rig that can be used, and blocks with words in them."""
        if found := generate_ops.problem(context) or order.problem(context.scene):
            cls.poll_message_set(interface.report(found))
            return False
        return True

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.end(order.submit(context.scene, rig.target(context), not self.waits))


class SCALEMOGEN_OT_block_generate(WithBlock, Waiting, LooksFirst, bpy.types.Operator):
    """One block anew."""

    bl_idname = "scalemogen.block_generate"
    bl_label = "Generate Block"
    bl_description = (
        "Generate only this block anew, in the animation that the rig has now; what comes before "
        "and after it stays, and it goes into them without a seam"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """As for all blocks; the rig has an animation that can be edited."""
        found = generate_ops.problem(context)
        if not found:
            scene = context.scene
            index, count = (
                scene.scalemogen.blocks.active_index,
                len(scene.scalemogen.blocks.entries),
            )
            found = order.NO_BLOCKS
            if 0 <= index < count:
                found = order.block_problem(scene, rig.target(context), index)
        if found:
            cls.poll_message_set(interface.report(found))
            return False
        return True

    def looking(self, context: bpy.types.Context) -> Generator[float, None, object]:
        """The rig around the block."""
        scene, target = context.scene, rig.target(context)
        return order.looking_at_block(scene, target, self.number(context))

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, target = context.scene, rig.target(context)
        return self.end(order.submit_block(scene, target, self.number(context), not self.waits))


classes = (SCALEMOGEN_OT_blocks_generate, SCALEMOGEN_OT_block_generate)

register, unregister = bpy.utils.register_classes_factory(classes)

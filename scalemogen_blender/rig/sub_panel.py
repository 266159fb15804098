"""What the panels below "Rig" have in common."""

import bpy

from .. import interface
from . import selection


class RigSubPanel(interface.SidebarPanel):
    """A closed panel below "Rig", there only while the target has bones."""

    bl_parent_id = "SCALEMOGEN_PT_rig"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a target with bones."""
        rig = selection.target(context)
        return rig is not None and bool(rig.data.bones)

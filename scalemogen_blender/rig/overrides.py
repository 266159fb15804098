"""Options of rigs that are library overrides, so that they are saved with the file.

Blender 5.0 compares an override's options one by one only where the linked object has some itself.
Otherwise it notes that all of them are new, and cannot read that note when it opens the file.
"""

from __future__ import annotations

import bpy


def keep_options() -> None:
    """Let the linked objects behind all overrides with options have options, too: the defaults."""
    for rig in bpy.data.objects:
        override = rig.override_library
        linked = override.reference if override is not None else None
        if linked is not None and rig.is_property_set("scalemogen"):
            _ = linked.scalemogen.root  # being read is enough

"""Every difference between Blender 4.2, 4.3, 4.5 and 5.x that the add-on meets.

Nothing else in the add-on asks for a version or for the presence of a function.
"""

from .animation import (
    ActionWriter,
    action_curves,
    active_curves,
    assign_action,
    bone_of,
    keyed_bones,
    last_slot,
    own_action,
    select_bones,
    selected_bones,
    set_last_slot,
    shift_curves,
    slot_handle,
)
from .drawing import preview_colour, text_field
from .key_writing import (
    find_curve,
    group_names,
    played_range,
    put_key_table,
    read_key_table,
    remove_groups,
    scratch_curve,
    tweaked_strip,
)
from .keyframes import (
    ensure_curve,
    is_shared,
    move_keys,
    read_keys,
    remove_curve,
    selected_frames,
    strips_within,
    write_keys,
)
from .materials import set_base_colour
from .operators import call_operator, enable_bundled_addon, has_operator, import_fbx

__all__ = [
    "ActionWriter",
    "action_curves",
    "active_curves",
    "assign_action",
    "bone_of",
    "call_operator",
    "enable_bundled_addon",
    "ensure_curve",
    "find_curve",
    "group_names",
    "has_operator",
    "import_fbx",
    "is_shared",
    "keyed_bones",
    "last_slot",
    "move_keys",
    "own_action",
    "played_range",
    "preview_colour",
    "put_key_table",
    "read_key_table",
    "read_keys",
    "remove_curve",
    "remove_groups",
    "scratch_curve",
    "select_bones",
    "selected_bones",
    "selected_frames",
    "set_base_colour",
    "set_last_slot",
    "shift_curves",
    "slot_handle",
    "strips_within",
    "text_field",
    "tweaked_strip",
    "write_keys",
]

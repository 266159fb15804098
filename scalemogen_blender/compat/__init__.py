"""Every difference between Blender 4.2, 4.3, 4.5 and 5.x that the add-on meets.

Nothing else in the add-on asks for a version or for the presence of a function.
"""

from .animation import ActionWriter, active_curves, shift_curves
from .materials import set_base_colour
from .operators import call_operator, enable_bundled_addon, import_fbx

__all__ = [
    "ActionWriter",
    "active_curves",
    "call_operator",
    "enable_bundled_addon",
    "import_fbx",
    "set_base_colour",
    "shift_curves",
]

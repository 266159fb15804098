"""Colours of the artist's theme, and text fields."""

from typing import Any

import bpy
import numpy as np

_BLUE = (0.31, 0.78, 1.0)


def preview_colour() -> np.ndarray:
    """The theme's colour [3] of bones that are posed; a blue where a version has none."""
    theme = bpy.context.preferences.themes[0].view_3d
    return np.array(tuple(getattr(theme, "bone_pose", _BLUE))[:3], dtype=np.float32)


def text_field(layout: Any, data: Any, name: str, placeholder: str, **options: Any) -> None:
    """A text field that says what belongs into it while it is empty."""
    known = bpy.types.UILayout.bl_rna.functions["prop"].parameters.keys()
    if "placeholder" in known:
        options["placeholder"] = placeholder
    layout.prop(data, name, **options)

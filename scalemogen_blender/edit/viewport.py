"""The bones that an edit would change, drawn over the rig."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np

from .._core import skeleton as skeletons
from ..rig import state
from . import colours

if TYPE_CHECKING:
    from .affected import Affected

_WIDTH, _THIN = 5.0, 2.5


def draw(context: bpy.types.Context, rig: bpy.types.Object, now: Affected) -> None:
    """Called by Blender in every 3D viewport."""
    if not context.space_data.overlay.show_overlays or now.region is None:
        return
    changing, beside, following = groups(rig, now)
    scale = context.preferences.system.ui_scale
    for names, colour, width in (
        (beside, colours.beside(), _THIN),
        (following, colours.following(), _THIN),
        (changing, colours.changing(), _WIDTH),
    ):
        if names:
            _lines(ends(rig, names), colour, width * scale, context.region)


def groups(rig: bpy.types.Object, now: Affected) -> tuple[list[str], list[str], list[str]]:
    """Names of the bones that change, of those beside them in the same body parts, which are made
    anew but stay as they are, and of the legs that follow.
    """
    region, bones = now.region, rig.pose.bones
    changing = [name for name in region.bones if name in bones]
    known, beside, following = set(changing), [], []
    chains = state.recent_state(rig).bone_map.bones
    for part, joints in skeletons.BODY_PART_JOINTS.items():
        here = [name for joint in joints for name in chains.get(joint, ())]
        if part == "spine":
            here += chains.get("spine", ())
        here = [name for name in here if name in bones and name not in known]
        if part in region.parts:
            beside += here
        elif now.follows and part.endswith("leg"):
            following += here
    return changing, beside, following


def ends(rig: bpy.types.Object, names: list[str]) -> np.ndarray:
    """Heads and tails of bones in the world, one after the other [2 N, 3]."""
    world = np.array(rig.matrix_world)
    points = [
        point for name in names for point in (rig.pose.bones[name].head, rig.pose.bones[name].tail)
    ]
    return np.array(points, dtype=np.float64) @ world[:3, :3].T + world[:3, 3]


def _lines(points: np.ndarray, colour: np.ndarray, width: float, region: bpy.types.Region) -> None:
    import gpu
    from gpu_extras.batch import batch_for_shader

    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    batch = batch_for_shader(shader, "LINES", {"pos": points.astype(np.float32)})
    blend, depth_test = gpu.state.blend_get(), gpu.state.depth_test_get()
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("NONE")
    try:
        shader.bind()
        shader.uniform_float("viewportSize", (region.width, region.height))
        shader.uniform_float("lineWidth", width)
        shader.uniform_float("color", tuple(colour))
        batch.draw(shader)
    finally:
        gpu.state.depth_test_set(depth_test)
        gpu.state.blend_set(blend)

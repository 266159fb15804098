"""The frames that an edit would change, drawn in the Dope Sheet and the Timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np

from . import colours

if TYPE_CHECKING:
    from .affected import Affected

#: Pixels: of the bar of what is made anew, of the range's borders.
_BAR, _EDGE = 4.0, 1.0
#: Height of the strip above the keys, in which the current frame is dragged.
_SCRUBBING = 23.0


def draw(context: bpy.types.Context, _rig: bpy.types.Object, now: Affected) -> None:
    """Called by Blender in every Dope Sheet and Timeline."""
    if now.span.problem or now.problem:
        return
    view, region = context.region.view2d, context.region
    left, low = view.region_to_view(0, 0)
    right, high = view.region_to_view(region.width, region.height)
    pixel = ((right - left) / max(region.width, 1), (high - low) / max(region.height, 1))
    scale = context.preferences.system.ui_scale
    blend = context.scene.scalemogen.edit.blend
    top = high - _SCRUBBING * scale * pixel[1]
    rectangles = [
        *bands(now, blend, low, high),
        *bars(now, top - _BAR * scale * pixel[1], top),
        *edges(now, low, high, _EDGE * scale * pixel[0]),
    ]
    _paint(rectangles)


Rectangle = tuple[float, float, float, float, np.ndarray]


def bands(now: Affected, blend: int, low: float, high: float) -> list[Rectangle]:
    """The range, its blended borders in a lighter tone: left, bottom, right, top, colour."""
    first, last = now.span.first - 0.5, now.span.last + 0.5
    width = min(float(blend), (last - first) / 2)
    inner = (first + width, low, last - width, high, colours.frames())
    if width == 0.0:
        return [inner]
    return [
        (first, low, first + width, high, colours.blended()),
        inner,
        (last - width, low, last, high, colours.blended()),
    ]


def bars(now: Affected, low: float, high: float) -> list[Rectangle]:
    """A bar along the cells that are made anew."""
    if now.regenerated is None:
        return []
    first, last = now.regenerated
    return [(first - 0.5, low, last + 0.5, high, colours.cells())]


def edges(now: Affected, low: float, high: float, width: float) -> list[Rectangle]:
    """Lines at both ends of the range."""
    return [
        (at - width / 2, low, at + width / 2, high, colours.edge())
        for at in (now.span.first - 0.5, now.span.last + 0.5)
    ]


def _paint(rectangles: list[Rectangle]) -> None:
    import gpu
    from gpu_extras.batch import batch_for_shader

    corners = [
        point
        for left, low, right, high, _ in rectangles
        for point in (
            (left, low), (right, low), (right, high), (left, low), (right, high), (left, high),
        )
    ]  # fmt: skip
    tones = [tuple(colour) for *_, colour in rectangles for _ in range(6)]
    shader = gpu.shader.from_builtin("FLAT_COLOR")
    batch = batch_for_shader(
        shader, "TRIS", {"pos": [(x, y, 0.0) for x, y in corners], "color": tones}
    )
    blend = gpu.state.blend_get()
    gpu.state.blend_set("ALPHA")
    try:
        batch.draw(shader)
    finally:
        gpu.state.blend_set(blend)

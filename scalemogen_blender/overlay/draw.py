"""Drawing the coarse motion with Blender's gpu module, and when to draw it again."""

from __future__ import annotations

import sys
import time
import traceback
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .. import compat
from . import bones
from .pace import Pace

if TYPE_CHECKING:
    from .._core import motion as motions

_OPACITY = 0.9


class Overlay:
    """One looping preview, in the viewports of one scene.

    It starts when the first coarse motion is shown and plays on, in step, while better ones
    replace it.
    """

    def __init__(self) -> None:
        self._scene_uid: int | None = None
        self._placement = bones.AT_ORIGIN
        self._bones: bones.Bones | None = None
        self._handler: object | None = None
        self._began = 0.0
        self._pace = Pace()

    @property
    def is_shown(self) -> bool:
        """Whether there is something to draw."""
        return self._bones is not None

    def begin(self, scene_uid: int, placement: bones.Placement) -> None:
        """Get ready for the previews of a job."""
        self.end()
        self._pace = Pace()
        self._scene_uid, self._placement = scene_uid, placement

    def show(self, motion: motions.Motion) -> None:
        """Play this motion from now on, in step with the one before."""
        if self._scene_uid is None or motion.frame_count == 0:
            return
        if self._bones is None:
            self._began = time.monotonic()
        self._bones = bones.build(motion, self._placement)
        if self._handler is None and not bpy.app.background:
            self._handler = bpy.types.SpaceView3D.draw_handler_add(
                self._draw, (), "WINDOW", "POST_VIEW"
            )

    def end(self) -> None:
        """Draw nothing any more."""
        was_visible = self.is_shown
        if self._handler is not None:
            bpy.types.SpaceView3D.draw_handler_remove(self._handler, "WINDOW")
            self._handler = None
        if was_visible:
            self.redraw()
        self._bones = self._scene_uid = None

    def play(self) -> None:
        """Show the next picture, if there is time for it; called with every beat of the timer."""
        if self.is_shown and self._pace.beat(time.monotonic()):
            self.redraw()

    def redraw(self) -> None:
        """Draw again wherever the preview can be seen."""
        manager = bpy.context.window_manager
        if not self.is_shown or manager is None:
            return
        for window in manager.windows:
            if window.scene.session_uid == self._scene_uid:
                for area in window.screen.areas:
                    if area.type == "VIEW_3D" and area.spaces.active.overlay.show_overlays:
                        _redraw_window_regions(area)

    def _draw(self) -> None:
        """Called by Blender in every 3D viewport."""
        try:
            context = bpy.context
            if (
                self._bones is not None
                and context.scene.session_uid == self._scene_uid
                and context.space_data.overlay.show_overlays
            ):
                frame = self._bones.frame_at(time.monotonic() - self._began)
                _paint(self._bones.triangles(frame), context.region_data)
        except Exception:  # an error in every redraw would flood the console
            traceback.print_exc(file=sys.stderr)
            self._bones = None


def _redraw_window_regions(area: bpy.types.Area) -> None:
    for region in area.regions:
        if region.type == "WINDOW":
            region.tag_redraw()


def _paint(triangles: np.ndarray, view: bpy.types.RegionView3D) -> None:
    """The bones in one batch, over the scene like an armature that is shown in front."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    ordered = bones.far_to_near(triangles, np.array(view.view_matrix))
    colours = np.empty((*ordered.shape[:-1], 4), dtype=np.float32)
    colours[..., :3] = bones.shades(ordered)[..., None, None] * compat.preview_colour()
    colours[..., 3] = _OPACITY
    shader = gpu.shader.from_builtin("FLAT_COLOR")
    batch = batch_for_shader(
        shader,
        "TRIS",
        {
            "pos": np.ascontiguousarray(ordered, dtype=np.float32).reshape(-1, 3),
            "color": colours.reshape(-1, 4),
        },
    )
    blend, depth_test = gpu.state.blend_get(), gpu.state.depth_test_get()
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("NONE")
    gpu.state.face_culling_set("BACK")  # convex bones, painted far to near, need no depth
    try:
        batch.draw(shader)
    finally:
        gpu.state.face_culling_set("NONE")
        gpu.state.depth_test_set(depth_test)
        gpu.state.blend_set(blend)

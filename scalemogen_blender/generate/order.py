"""From settings to a request, and what happens with its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from .. import interface, results, session
from .._core import errors
from ..client.messages import GenerateRequest, SequenceRequest
from ..results import playback, remembered, scene_snapshot
from . import length, prompt
from .properties import SEED_MAX

if TYPE_CHECKING:
    from ..client.messages import Finished


@dataclass(frozen=True)
class Order:
    """All that one press of the button asks for.

    seconds is used with the length mode SECONDS.  guidance, temperature: None takes the model's.
    """

    prompt: str
    length_mode: str
    seconds: float
    start: str
    seed: int
    variations: int
    guidance: float | None
    temperature: float | None
    cleanup: bool
    play: bool


def timeline(scene: bpy.types.Scene) -> length.Timeline:
    """The scene's range and rate; the preview range where that is in use.

    A result that is shown on a rig borrows the preview range and, while it plays, the current
    frame: then those count that the artist had before.
    """
    used = scene.use_preview_range
    first, last = scene.frame_preview_start, scene.frame_preview_end
    current = scene.frame_current
    if results.is_playing(scene):
        before = remembered.read(scene.scalemogen.results.scene_snapshot)
        range_before, frame_before = scene_snapshot.time_before(before)
        used, first, last = range_before or (used, first, last)
        if frame_before is not None and playback.is_running():
            current = frame_before
    return length.Timeline(
        first=first if used else scene.frame_start,
        last=last if used else scene.frame_end,
        current=current,
        fps=scene.render.fps / scene.render.fps_base,
    )


def problem(order: Order, scene: bpy.types.Scene) -> str:
    """Why the order cannot be carried out, with the remedy; empty if it can."""
    if found := prompt.problem(prompt.clean(order.prompt)):
        return found
    if order.length_mode == "RANGE":
        return length.problem(timeline(scene), session.longest_seconds())
    return ""


def request(order: Order, scene: bpy.types.Scene) -> GenerateRequest:
    """What the engine is asked for; ScaleMoGenError for what it cannot do."""
    if found := problem(order, scene):
        raise errors.ScaleMoGenError(found)
    seeds = range(order.seed, order.seed + order.variations)
    return GenerateRequest(
        prompt=prompt.clean(order.prompt),
        seeds=tuple(seed % (SEED_MAX + 1) for seed in seeds),
        seconds=_seconds(order, timeline(scene)),
        guidance=order.guidance,
        temperature=order.temperature,
        cleanup=order.cleanup,
        preview=not bpy.app.background,
    )


def _seconds(order: Order, scene_time: length.Timeline) -> float | None:
    if order.length_mode == "AUTOMATIC":
        return None
    if order.length_mode == "RANGE":
        return length.seconds_for(scene_time.frame_count, scene_time.fps)
    return min(order.seconds, session.longest_seconds())


def start_frame(order: Order, scene: bpy.types.Scene) -> int:
    """The frame of the scene at which the motion begins."""
    at_current = order.start == "CURRENT" and order.length_mode != "RANGE"
    own = timeline(scene)
    return own.current if at_current else own.first


def submit(
    wanted: GenerateRequest | SequenceRequest,
    scene: bpy.types.Scene,
    rig: bpy.types.Object | None,
    first_frame: int,
    play: bool,
    interactive: bool = True,
) -> session.Job:
    """Start generating; what is made lands in the scene's results, and plays on the rig.

    ScaleMoGenError when the engine is busy or cannot be started.
    """
    return session.submit(
        wanted,
        _landing(scene.session_uid, None if rig is None else rig.session_uid, first_frame, play),
        wanted.prompt,
        scene=scene,
        rig=rig,
        start_frame=first_frame,
        interactive=interactive,
    )


def _landing(
    scene_uid: int, rig_uid: int | None, first_frame: int, play: bool
) -> Callable[[Finished], None]:
    """Puts a result where it belongs, as far as that is still there when it comes."""

    def land(finished: Finished) -> None:
        scene, rig = session.find(scene_uid, rig_uid)
        if scene is None:
            return
        if rig_uid is not None and rig is None:
            session.notice(interface.label("The rig is gone; the motion is in the list"))
        results.land(scene, rig, finished, first_frame, play and rig is not None)

    return land

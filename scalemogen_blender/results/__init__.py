"""What the engine has made: a list to play on the rig, accept and reject.

The functions here are what the rest of the add-on uses; they push no undo steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import bpy

    from ..client.messages import Finished
    from .edits import Made


def land(
    scene: bpy.types.Scene,
    rig: bpy.types.Object | None,
    finished: Finished,
    start_frame: int,
    play: bool,
) -> list[str]:
    """Put what the engine has made into the scene's results; the uids of the new ones.

    The first of them becomes the active one.  With ``play`` it is shown on the rig, if the rig
    can take it now; otherwise the panel says what is in the way.
    """
    from . import landing

    return landing.land(scene, rig, finished, start_frame, play)


def land_edits(
    scene: bpy.types.Scene,
    rig: bpy.types.Object | None,
    finished: Finished,
    made: Made,
    play: bool,
) -> list[str]:
    """Put edits that the engine has made into the scene's results; the uids of the new ones.

    With ``play`` the first is shown on the rig: on a copy of its action, until it is accepted.
    """
    from . import landing

    return landing.land_edits(scene, rig, finished, made, play)


def play(scene: bpy.types.Scene, uid: str) -> None:
    """Show a result on its rig; ScaleMoGenError with the remedy if the rig cannot take it."""
    from . import preview

    preview.play(scene, uid)


def stop(scene: bpy.types.Scene) -> None:
    """End the preview: the rig and the scene are exactly as they were before it."""
    from . import preview

    preview.stop(scene)


def is_playing(scene: bpy.types.Scene) -> bool:
    """Whether a result is shown on a rig from this scene."""
    return bool(scene.scalemogen.results.playing_uid)

"""When the runtime may be changed, and whether to wait until it is."""

import bpy

from .. import session
from . import activity


def busy() -> str:
    """Why the runtime cannot be changed right now; "" where it can."""
    if activity.installation() is not None:
        return "The runtime is being installed"
    if session.busy():
        return "A motion is being generated; wait until it is done, or cancel it"
    return ""


class Waiting:
    """Mix-in: ``wait=True`` returns when it is done."""

    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return only when it is done, for scripts and background mode",
        options={"SKIP_SAVE", "HIDDEN"},
    )

"""How the engine is started, with the preferences as they are now."""

from __future__ import annotations

import bpy

from .. import preferences
from .._core import errors
from ..client.messages import Launch
from . import activity, place, status


def launch() -> Launch:
    """See :func:`runtime.launch`."""
    found = status.current()
    if found.condition is status.Condition.CHECKING and bpy.app.background:
        assert found.python is not None
        activity.checker.check(found.python, place.engine_folder(), place.checks_file())
        found = status.current()
    if found.problem is not None:
        raise errors.ScaleMoGenError(found.problem)
    assert found.python is not None
    chosen = preferences.get()
    return Launch(
        python=found.python,
        engine_folder=place.engine_folder(),
        model=chosen.model or "default",
        device=chosen.device_id or "auto",
        idle_seconds=60.0 * chosen.idle_minutes,
    )

"""The engine's Python: finding, installing and checking it.

:func:`launch` is what the session asks, :func:`problem` what panels ask. The rooms: ``place``
(where things lie), ``plan`` and ``jobs`` (what would be installed), ``installation`` and
``checking`` (processes, no bpy), ``status`` (all of it in words), ``page`` (drawing), ``ops``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..client.messages import Launch

__all__ = ["install_log", "launch", "problem", "ready", "root"]


def launch() -> Launch:
    """How the engine is started with the preferences as they are now.

    In background mode a Python that has not been looked at yet is checked first (seconds).
    ScaleMoGenError when no runtime is usable; the message names the remedy.
    """
    from . import launching

    return launching.launch()


def problem() -> str | None:
    """Why the engine cannot be started, in one line with the remedy; None when it can be.

    Cheap enough for every drawing of a panel.
    """
    from . import status

    return status.current().problem


def ready() -> bool:
    """Whether the engine can be started."""
    return problem() is None


def root() -> Path:
    """The folder that the runtime is installed in."""
    from . import place

    return place.root()


def install_log() -> Path:
    """What pip wrote while installing."""
    from . import place

    return place.install_log()

"""The engine's numpy side, wherever it lies.

In the installed extension ``core`` is packed inside the add-on, in a checkout it lies beside it.
The rest of the add-on imports its modules from here: ``from ._core import rotations, skeleton``.
Nothing that needs torch may be imported this way.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core import (
        coordinates,
        errors,
        kinematics,
        motion,
        paths,
        protocol,
        rotations,
        runtime,
        skeleton,
    )

__all__ = [
    "VERSION",
    "coordinates",
    "errors",
    "kinematics",
    "motion",
    "paths",
    "protocol",
    "rotations",
    "runtime",
    "skeleton",
]

# Asked, not tried: "except ModuleNotFoundError" would also hide a module missing inside core.
_PACKED = importlib.util.find_spec(".core", __package__) is not None
_CORE = f"{__package__}.core" if _PACKED else "core"
VERSION: str = importlib.import_module(_CORE).__version__


def __getattr__(name: str) -> ModuleType:
    """Import ``core.<name>`` on first use (also modules that ``__all__`` does not list)."""
    module = f"{_CORE}.{name}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            raise AttributeError(f"core has no module {name!r}") from None
        raise

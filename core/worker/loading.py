"""From a bare interpreter to an engine that answers, or to a sentence that says what is wrong."""

from __future__ import annotations

import logging
import platform
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import ScaleMoGenError

if TYPE_CHECKING:
    from ..editor import Editor
    from ..engine import Engine

_log = logging.getLogger(__name__)


class RuntimeIncompleteError(Exception):
    """Packages are missing or damaged; installing them again helps."""


@dataclass(frozen=True)
class Service:
    """What jobs need: the engine, and what it says of itself in ``ready``."""

    engine: Engine
    info: dict[str, Any]

    @cached_property
    def editor(self) -> Editor:
        """What edits with the engine."""
        from ..editor import Editor

        return Editor(self.engine)


def load(model: str, device: str) -> Service:
    """Load the model and its text encoder.

    RuntimeIncompleteError when a package cannot be imported, ScaleMoGenError when the model or the
    device is not to be had.
    """
    try:
        import torch

        from ..engine import MIN_SECONDS, Engine
        from .devices import found_devices
    except ImportError as error:
        raise RuntimeIncompleteError(_incomplete(error)) from error
    except OSError as error:  # on Windows a library that torch cannot load
        raise RuntimeIncompleteError(
            f"The engine's runtime is incomplete: a library cannot be loaded ({error})."
        ) from error
    try:
        engine = Engine.load(model, device)
        engine.load_text_encoder()
    except ImportError as error:  # what is imported only when it is used
        raise RuntimeIncompleteError(_incomplete(error)) from error
    _warm_up(engine)
    info = {
        "engine_version": __version__,
        "python_version": platform.python_version(),
        "torch_version": str(torch.__version__),
        "device": engine.device,
        "devices": found_devices(),
        "model": engine.name,
        "min_seconds": MIN_SECONDS,
        "max_seconds": engine.max_seconds,
    }
    _log.info("ready: %s on %s, torch %s", engine.name, engine.device, torch.__version__)
    return Service(engine, info)


def _incomplete(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"The engine's runtime is incomplete: {error.name.partition('.')[0]} is missing."
    reason = " ".join(str(error).split())[:300]
    return f"The engine's runtime is incomplete: a package cannot be loaded ({reason})."


def _warm_up(engine: Engine) -> None:
    """Make a short clip for nothing on a GPU, where the first one takes many times as long.

    On the CPU that would take the very tenth of a second that it saves.
    """
    if engine.device.startswith("cpu"):
        return
    try:
        engine.generate("a person stands", 1.0, [0])
    except (ScaleMoGenError, RuntimeError) as error:
        _log.warning("warming up failed: %s", error)  # the first request tells more

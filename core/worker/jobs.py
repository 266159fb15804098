"""One request for motions: from a message to its answer."""

from __future__ import annotations

import gc
import logging
import math
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import __version__
from ..errors import ScaleMoGenError
from ..protocol import Message, ProtocolError, pack_motions
from .loading import Service

_log = logging.getLogger(__name__)

#: More coarse motions than this nobody sees.
_PREVIEWS_PER_SECOND = 15.0
_OUT_OF_MEMORY = (
    "There is not enough memory for this. Ask for fewer variations or a shorter motion, or choose "
    "the device CPU in the preferences."
)
#: How torch and the systems say it (in lower case).
_OUT_OF_MEMORY_SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "bad alloc")


class CalledOffError(Exception):
    """The request was called off."""


class DeviceLostError(Exception):
    """The GPU's state is damaged: only a new process can use it again."""


@dataclass
class Job:
    """A request, and whether it has been called off."""

    request: int
    fields: Mapping[str, Any]
    called_off: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Raise CalledOffError if the request was called off."""
        if self.called_off.is_set():
            raise CalledOffError


def work(service: Service, job: Job, send: Callable[[Message], None]) -> None:
    """Carry a job out; its one answer is sent whatever happens.

    DeviceLostError after the answer where nothing more can be done in this process.
    """
    lost = False
    try:
        job.go_on()
        send(_generate(service, job, send))
    except CalledOffError:
        send(Message("cancelled", {"request": job.request}))
    except (ScaleMoGenError, ProtocolError) as error:
        send(_failed(job, " ".join(str(error).split())))
    except Exception as error:
        _log.exception("request %d failed", job.request)
        lost = _is_device_lost(error)
        send(_fault(job, error))
        error.__traceback__ = None  # its frames hold tensors
    else:
        return
    if lost:
        raise DeviceLostError
    _free_memory()


def _fault(job: Job, error: Exception) -> Message:
    """The answer where something went wrong that nobody foresaw."""
    if _is_out_of_memory(error):
        return _failed(job, _OUT_OF_MEMORY)
    if _is_device_lost(error):
        return _failed(job, "The graphics device stopped working. Try again.", error)
    about = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return _failed(job, f"The engine made a mistake ({about}). Its log tells more.", error)


def _generate(service: Service, job: Job, send: Callable[[Message], None]) -> Message:
    wish = _Wish(job.fields)
    engine = service.engine
    seconds = engine.natural_seconds(wish.prompt) if wish.seconds is None else wish.seconds
    own = engine.model.config.transformer
    shown = -math.inf

    def on_preview(done: int, of: int, coarse: Callable[[], Any]) -> None:
        nonlocal shown
        job.go_on()
        fields: dict[str, Any] = {"request": job.request, "done": done, "of": of}
        now = time.monotonic()
        if not wish.preview or now - shown < 1 / _PREVIEWS_PER_SECOND:
            send(Message("progress", fields))
            return
        shown = now
        table, arrays = pack_motions([coarse()])
        send(Message("progress", {**fields, "motions": table}, arrays))

    made = engine.generate(
        wish.prompt,
        seconds,
        wish.seeds,
        guidance=wish.guidance,
        temperature=wish.temperature,
        cleanup=wish.cleanup,
        on_preview=on_preview,
        on_step=job.go_on,
    )
    table, arrays = pack_motions(made.motions)
    import numpy as np

    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ScaleMoGenError(
            f"The device {engine.device} computed what is no number. Choose the device CPU in the "
            "preferences."
        )
    settings = {
        "prompt": wish.prompt,
        "seconds": seconds,
        "guidance": own.guidance if wish.guidance is None else wish.guidance,
        "temperature": own.temperature if wish.temperature is None else wish.temperature,
        "cleanup": wish.cleanup,
        "model": engine.name,
        "device": engine.device,
        "engine": __version__,
    }
    fields = {
        "request": job.request,
        "seeds": wish.seeds,
        "settings": settings,
        "timings": made.timings,
        "motions": table,
    }
    return Message("finished", fields, arrays)


class _Wish:
    """The fields of a request, with types checked; values are the engine's business."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.prompt: str = _typed(fields, "prompt", str)
        if not _is_text(self.prompt):
            raise ScaleMoGenError("The prompt holds what cannot be read. Type it again.")
        self.seeds: list[int] = _typed(fields, "seeds", list)
        if not all(type(seed) is int for seed in self.seeds):
            raise ScaleMoGenError("a seed is a whole number")
        self.seconds = _number(fields, "seconds")
        self.guidance = _number(fields, "guidance")
        self.temperature = _number(fields, "temperature")
        self.cleanup: bool = _typed(fields, "cleanup", bool)
        self.preview: bool = _typed(fields, "preview", bool)


def _is_text(prompt: str) -> bool:
    """Whether it can be written down: half a character, pasted from somewhere, cannot."""
    try:
        prompt.encode()
    except UnicodeEncodeError:
        return False
    return True


def _typed(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    if not isinstance(value, kind):
        raise ScaleMoGenError(f"the request's {name} is missing; update the add-on")
    return value


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ScaleMoGenError(f"the request's {name} is no number; update the add-on")
    return float(value)


def _failed(job: Job, message: str, error: Exception | None = None) -> Message:
    details = "" if error is None else "".join(traceback.format_exception(error))[-20_000:]
    return Message("failed", {"request": job.request, "message": message, "details": details})


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in text for sign in _OUT_OF_MEMORY_SIGNS)
    )


def _is_device_lost(error: Exception) -> bool:
    """CUDA's errors other than of memory stay until the process ends."""
    return (
        isinstance(error, RuntimeError)
        and "cuda error" in str(error).lower()
        and not _is_out_of_memory(error)
    )


def _free_memory() -> None:
    """Give back what an unfinished job took, on the GPU too."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()

"""One request for motions: carried out, called off, or explained why not."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import ScaleMoGenError
from ..protocol import Message, ProtocolError
from . import making
from .loading import Service

_log = logging.getLogger(__name__)

#: Kinds of requests, and what answers them.
KINDS = {"generate": making.generate, "edit": making.edit, "sequence": making.sequence}
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
    message: Message
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
        send(KINDS[job.message.kind](service, job.message, send, job.go_on))
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

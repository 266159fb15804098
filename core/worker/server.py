"""The worker's two threads: one reads messages and answers at once, one works through the jobs."""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import BinaryIO, NoReturn

from .. import __version__
from ..errors import ScaleMoGenError
from ..protocol import PROTOCOL_VERSION, Message, ProtocolError, read, write
from .jobs import KINDS, DeviceLostError, Job, work
from .loading import RuntimeIncompleteError, Service

_log = logging.getLogger(__name__)

EXIT_DONE, EXIT_FAULT, EXIT_CANNOT_START, EXIT_VERSION = 0, 1, 2, 3


class Server:
    """Serves one client until it goes.

    load: makes the engine; called while the reader thread already answers.
    idle_seconds: after so long without work the worker says ``asleep`` and ends (0: never).
    """

    def __init__(
        self,
        source: BinaryIO,
        sink: BinaryIO,
        load: Callable[[], Service],
        idle_seconds: float = 0.0,
    ) -> None:
        self._source, self._sink, self._load = source, sink, load
        self._idle_seconds = idle_seconds if idle_seconds > 0 else None
        self._greeted = threading.Event()
        self._writing = threading.Lock()
        self._changed = threading.Condition()
        self._waiting: OrderedDict[int, Job] = OrderedDict()
        self._working: Job | None = None

    def run(self) -> NoReturn:
        """Work through jobs in the order they came."""
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        service = self._start()
        self._greeted.wait()
        self._send(Message("ready", service.info))
        while (job := self._next_job()) is not None:
            try:
                work(service, job, self._send)
            except DeviceLostError:
                break
            with self._changed:
                self._working = None
        self._send(Message("asleep"))
        leave(EXIT_DONE)

    def _start(self) -> Service:
        try:
            return self._load()
        except RuntimeIncompleteError as error:
            self._cannot_start("runtime", str(error))
        except ScaleMoGenError as error:
            self._cannot_start("setup", " ".join(str(error).split()))
        except MemoryError:
            self._cannot_start(
                "setup", "There is not enough memory to load the model. Close other programs."
            )
        except Exception as error:
            about = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            self._cannot_start("fault", f"The engine cannot start ({about}). Its log tells more.")

    def _cannot_start(self, reason: str, message: str) -> NoReturn:
        _log.error("%s", message, exc_info=reason != "setup")
        self._greeted.wait()
        self._send(Message("cannot_start", {"reason": reason, "message": message}))
        leave(EXIT_CANNOT_START)

    def _next_job(self) -> Job | None:
        """The next job, None after a long time without any."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting, self._idle_seconds):
                _log.info("no work for %g seconds", self._idle_seconds)
                return None
            _, self._working = self._waiting.popitem(last=False)
            return self._working

    # --- the reader thread -----------------------------------------------------------------------

    def _read(self) -> None:
        code = EXIT_FAULT
        try:
            while (message := read(self._source)) is not None:
                self._receive(message)
            code = EXIT_DONE  # the client is gone
        except ProtocolError as error:
            _log.error("%s", error)
        except OSError as error:
            _log.error("cannot read: %s", error)
        except BaseException:
            _log.exception("the reader thread failed")
        finally:
            leave(code)

    def _receive(self, message: Message) -> None:
        fields = message.fields
        if not self._greeted.is_set():
            self._greet(message)
        elif message.kind in KINDS:
            job = Job(_request(message), message)
            with self._changed:
                self._waiting[job.request] = job
                self._changed.notify()
        elif message.kind == "cancel":
            self._cancel(_request(message))
        elif message.kind == "ping":
            self._send(Message("pong", {"token": fields.get("token")}))
        elif message.kind == "shutdown":
            leave(EXIT_DONE)
        else:
            raise ProtocolError(f"unknown message {message.kind!r}")

    def _greet(self, message: Message) -> None:
        """The first message, which has to be of this very protocol."""
        theirs = message.fields.get("protocol")
        if message.kind != "hello" or theirs != PROTOCOL_VERSION:
            about = (
                f"The engine speaks version {PROTOCOL_VERSION} of its protocol, the add-on "
                f"{theirs!r}. Restart Blender, or install the add-on again."
            )
            _log.error("%s", about)
            fields = {"protocol": PROTOCOL_VERSION, "reason": "version", "message": about}
            self._send(Message("cannot_start", fields))
            leave(EXIT_VERSION)
        about_us = {"protocol": PROTOCOL_VERSION, "engine_version": __version__}
        self._send(Message("hello", about_us))
        self._greeted.set()

    def _cancel(self, request: int) -> None:
        """Every cancel is answered once: by the job that is being worked on, else at once."""
        with self._changed:
            job = self._working
            if job is not None and job.request == request and not job.called_off.is_set():
                job.called_off.set()
                return
            self._waiting.pop(request, None)
        self._send(Message("cancelled", {"request": request}))

    # --- both threads ----------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
        """Send a message; a client that cannot be told anything is no client."""
        try:
            with self._writing:
                write(self._sink, message)
        except OSError as error:
            _log.error("cannot write: %s", error)
            leave(EXIT_DONE)


def _request(message: Message) -> int:
    number = message.fields.get("request")
    if type(number) is not int:
        raise ProtocolError(f"a {message.kind} without the number of its request")
    return number


def leave(code: int) -> NoReturn:
    """End the process at once, in whatever thread and however deep in a computation.

    Nothing is lost: files are written in one step (core/files.py) or not at all, and every line of
    the log is flushed.  Nothing is waited for either, not even for a lock of stderr.
    """
    os._exit(code)

"""Between the thread that reads the worker's messages and the one that polls."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from .._core import protocol
from . import incoming
from .messages import Event, Failed, Progress, Ready, Request


class OtherVersionError(protocol.ProtocolError):
    """The worker speaks another version of the protocol."""


@dataclass(frozen=True)
class Hello:
    """The worker runs and speaks our version; it is still loading."""


@dataclass(frozen=True)
class Pong:
    """The answer to the newest ping that was answered."""

    token: int


@dataclass(frozen=True)
class Ended:
    """The process is gone.

    code: what it left with; None if it never ran, and then ``start_error`` says why.
    fault: how it broke the protocol, for which it was ended.  other_version: in this way.
    refusal: reason and message, if it said that it cannot start.
    """

    code: int | None = None
    start_error: Exception | None = None
    fault: str = ""
    other_version: bool = False
    greeted: bool = False
    ready: bool = False
    asleep: bool = False
    refusal: tuple[str, str] | None = None


class Inbox:
    """What one process has said and nobody has looked at yet.

    Holds at most a few messages per request that is waited for, however much is sent: of progress
    only the newest, of anything that nobody waits for nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wishes: dict[int, Request] = {}
        self._called_off: set[int] = set()
        self._progress: dict[int, Progress] = {}
        self._answers: dict[int, Event] = {}
        self._pong: Pong | None = None
        self._news: list[Hello | Ready | Ended] = []
        self._greeted = self._ready = self._asleep = False
        self._refusal: tuple[str, str] | None = None

    # --- the thread that polls -------------------------------------------------------------------

    def expect(self, number: int, wish: Request) -> None:
        """From now on answers to this request are wanted."""
        with self._lock:
            self._wishes[number] = wish

    def forget(self, number: int) -> bool:
        """Answers to this request are not wanted any more; whether one must still come."""
        with self._lock:
            self._progress.pop(number, None)
            answered = self._answers.pop(number, None) is not None
            if self._wishes.pop(number, None) is None or answered:
                return False
            self._called_off.add(number)
            return True

    @property
    def called_off(self) -> frozenset[int]:
        """Requests that were forgotten and to which the worker has not reacted yet."""
        with self._lock:
            return frozenset(self._called_off)

    def take(self) -> list[Hello | Pong | Ended | Event]:
        """All that is new; progress before answers, the end of the process last."""
        with self._lock:
            early = [item for item in self._news if not isinstance(item, Ended)]
            ends = [item for item in self._news if isinstance(item, Ended)]
            pong = [] if self._pong is None else [self._pong]
            items = [*early, *pong, *self._progress.values(), *self._answers.values(), *ends]
            self._progress, self._answers, self._news, self._pong = {}, {}, [], None
            return items

    # --- the threads of a connection -------------------------------------------------------------

    def receive(self, message: protocol.Message) -> None:
        """Take a message; ProtocolError where it has no place in the conversation."""
        kind, fields = message.kind, message.fields
        if kind == "cannot_start" and not self._ready:
            self._refusal = incoming.cannot_start(fields)
        elif not self._greeted:
            self._greet(message)
        elif kind == "ready" and not self._ready:
            info = incoming.worker_info(fields)
            with self._lock:
                self._ready = True
                self._news.append(Ready(info))
        elif kind == "pong":
            if type(fields.get("token")) is int:
                with self._lock:
                    self._pong = Pong(fields["token"])
        elif kind == "asleep" and self._ready:
            self._asleep = True
        elif kind in {"progress", "finished", "failed", "cancelled"} and self._ready:
            self._answer(message)
        else:
            raise protocol.ProtocolError(f"a message {kind[:40]!r} was not to be expected")

    def end(self, ended: Ended) -> None:
        """The process is gone; the first to say so is right."""
        ended = replace(
            ended,
            greeted=self._greeted,
            ready=self._ready,
            asleep=self._asleep,
            refusal=self._refusal,
        )
        with self._lock:
            self._news.append(ended)

    def _greet(self, message: protocol.Message) -> None:
        if message.kind != "hello":
            raise protocol.ProtocolError(f"{message.kind[:40]!r} came before hello")
        theirs = message.fields.get("protocol")
        if theirs != protocol.PROTOCOL_VERSION:
            raise OtherVersionError(
                f"the engine speaks version {str(theirs)[:20]} of the protocol, the add-on "
                f"{protocol.PROTOCOL_VERSION}"
            )
        with self._lock:
            self._greeted = True
            self._news.append(Hello())

    def _answer(self, message: protocol.Message) -> None:
        number = message.fields.get("request")
        if type(number) is not int:
            raise protocol.ProtocolError(f"a {message.kind} without the number of its request")
        with self._lock:
            if message.kind != "progress":
                self._called_off.discard(number)
            wish = self._wishes.get(number)
        if wish is None:
            return  # late, twice, or to nobody: not even worth decoding
        try:
            event = _event(number, message, wish)
        except protocol.ProtocolError as error:
            if message.kind == "progress":
                return
            about = incoming.one_line(str(error))
            event = Failed(number, f"The engine's answer is of no use ({about}). Generate again.")
        with self._lock:
            if number not in self._wishes:
                return  # called off while it was being decoded
            if isinstance(event, Progress):
                self._progress[number] = _newest(self._progress.get(number), event)
            else:
                self._progress.pop(number, None)
                del self._wishes[number]
                self._answers[number] = event


def _event(number: int, message: protocol.Message, wish: Request) -> Event:
    if message.kind == "progress":
        return incoming.progress(number, message)
    if message.kind == "finished":
        return incoming.finished(number, message, wish)
    if message.kind == "failed":
        return incoming.failed(number, message.fields)
    raise protocol.ProtocolError("it was called off, by whom nobody knows")


def _newest(old: Progress | None, new: Progress) -> Progress:
    """The newer one; it may have no preview of its own, and then the older one's still stands."""
    if old is None or new.preview is not None:
        return new
    return replace(new, preview=old.preview)

"""The engine as the rest of the add-on uses it: requests go in, events come out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .._core import protocol
from . import outgoing
from .connection import Connection
from .diagnosis import Verdict, verdict
from .inbox import Ended, Hello, Pong
from .incoming import one_line
from .log import EngineLog
from .messages import (
    Asleep,
    Cancelled,
    Died,
    Event,
    Failed,
    Finished,
    Launch,
    Progress,
    Ready,
    Request,
    WorkerInfo,
)
from .state import State

#: So many deaths within so many seconds, and it is not started again by itself.
_DEATHS, _DEATHS_SECONDS = 3, 120.0
#: A longer pause between two polls counts as this: Blender was busy, or the computer asleep.
_LONGEST_PAUSE = 1.0
#: What the system may take to clear a killed process away.
_KILLED_SECONDS = 0.5


@dataclass(frozen=True)
class Patience:
    """Seconds.  hello: until the process says something.  ready: until it has loaded everything.

    cancel: from asking to ending the process.  ping: between two questions whether it lives.
    answer: after which silence it counts as not responding.
    """

    hello: float = 60.0
    ready: float = 300.0
    cancel: float = 1.0
    ping: float = 2.0
    answer: float = 5.0


class EngineClient:
    """Runs one engine process, when there is something to do.

    All methods are for one thread (Blender's), and all but ``stop`` return at once.  Time passes
    for the client only while it is polled.  What becomes of requests:

    - The process dies: all are lost and named in ``Died``; the next request starts a new one.
    - A cancelled request keeps computing for more than a second: the process is killed; the
      others go to a new one, under the same numbers.
    - It falls asleep just when a request comes: the request goes to a new one.
    - ``restart()`` fails them, ``stop()`` cancels them.

    Attributes:
        state: see :class:`State`; changes in these methods only.
        info: what the worker said of itself when it was last ready.
        failure: why the process is gone, in one line; empty while there is nothing to complain of.
        needs_repair: whether repairing the runtime is the remedy for that.
        responding: False when a busy process has not answered for long.
    """

    def __init__(
        self,
        launch: Launch,
        log_path: Path,
        *,
        patience: Patience = Patience(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State.STOPPED
        self.info: WorkerInfo | None = None
        self.failure = ""
        self.needs_repair = False
        self.responding = True
        self._launch, self._patience, self._clock = launch, patience, clock
        self._log = EngineLog(log_path)
        self._numbers = itertools.count(1)
        self._pending: dict[int, Request] = {}
        self._events: list[Event] = []
        self._connection: Connection | None = None
        self._greeted = False
        self._now, self._polled = 0.0, clock()
        self._started = 0.0
        self._kill_at: dict[int, float] = {}
        self._deaths: list[float] = []
        self._ping_sent: float | None = None
        self._ping_due = 0.0
        self._ping_token = 0

    @property
    def launch(self) -> Launch:
        """How the process is started."""
        return self._launch

    @property
    def pending(self) -> tuple[int, ...]:
        """Requests that have not been answered, oldest first."""
        return tuple(self._pending)

    @property
    def process_id(self) -> int | None:
        """The process's number while there is one."""
        return None if self._connection is None else self._connection.process_id

    def log_tail(self, lines: int = 20) -> tuple[str, ...]:
        """The last lines of the engine's log."""
        return self._log.tail(lines)

    # --- what the artist wants -------------------------------------------------------------------

    def start(self) -> None:
        """Start the process, so that the first request need not wait for it."""
        if self.state in (State.STOPPED, State.ASLEEP):
            self._connect()

    def generate(self, request: Request) -> int:
        """Hand a request in; its number, which events will bear."""
        number = next(self._numbers)
        if self.state is State.FAILED:
            self._events.append(Failed(number, self.failure))
            return number
        try:
            outgoing.encode(number, request)
        except protocol.ProtocolError as error:
            self._events.append(Failed(number, f"This cannot be asked for: {one_line(str(error))}"))
            return number
        self._pending[number] = request
        if self.state is State.READY:
            self._submit(number)
        else:
            self.start()
        return number

    def cancel(self, number: int) -> None:
        """Call a request off: nothing more comes of it but ``Cancelled``, and that at once."""
        if self._pending.pop(number, None) is None:
            return
        self._events.append(Cancelled(number))
        if (
            self._connection is not None
            and self.state is State.READY
            and self._connection.inbox.forget(number)
        ):
            self._send("cancel", request=number)
            self._tell_time()  # the pause since the last poll is none of the worker's
            self._kill_at[number] = self._now + self._patience.cancel

    def restart(self, launch: Launch | None = None) -> None:
        """End the process and start another, with other settings if given; forget its failures."""
        self._end_process()
        for number in self._pending:
            self._events.append(Failed(number, "The engine was restarted. Generate again."))
        self._pending.clear()
        self._deaths.clear()
        self._launch = launch or self._launch
        self._connect()

    def stop(self, wait_seconds: float = 1.0) -> None:
        """Ask the process to end, and kill it after so many seconds; 0 kills at once."""
        self._events += [Cancelled(number) for number in self._pending]
        self._pending.clear()
        connection = self._connection
        if connection is not None and wait_seconds > 0:
            self._send("shutdown")
            connection.hang_up()
            connection.join(wait_seconds)
        self._end_process()
        if connection is not None and wait_seconds > 0:
            connection.join(_KILLED_SECONDS)
        self.failure, self.needs_repair = "", False
        self._deaths.clear()
        self.state = State.STOPPED

    # --- what has happened -----------------------------------------------------------------------

    def poll(self) -> list[Event]:
        """All events since the last call, in order."""
        self._tell_time()
        if self._connection is not None:
            for item in self._connection.inbox.take():
                self._handle(item)
        if self._connection is not None:
            self._watch(self._connection)
        events, self._events = self._events, []
        return events

    def _tell_time(self) -> None:
        clock = self._clock()
        self._now += min(max(clock - self._polled, 0.0), _LONGEST_PAUSE)
        self._polled = clock

    def _handle(self, item: Hello | Pong | Ended | Event) -> None:
        if isinstance(item, Hello):
            self._greeted = True
        elif isinstance(item, Pong):
            if item.token == self._ping_token:
                self._ping_sent = None
        elif isinstance(item, Ready):
            self._ready(item)
        elif isinstance(item, Ended):
            self._ended(item)
        elif isinstance(item, Progress | Finished | Failed) and item.request in self._pending:
            if not isinstance(item, Progress):
                del self._pending[item.request]
            self._events.append(item)

    def _ready(self, ready: Ready) -> None:
        self.state, self.info = State.READY, ready.info
        self.failure, self.needs_repair = "", False
        self._events.append(ready)
        for number in self._pending:
            self._submit(number)

    def _ended(self, ended: Ended) -> None:
        if ended.asleep and ended.code == 0 and not ended.fault:
            self._end_process()
            if not self._pending:
                self.state = State.ASLEEP
                self._events.append(Asleep())
                return
            # It counts: one that always sleeps when there is work must not be started for ever.
            if self._may_live_after(self._now):
                self._connect()
                return
            self._died(Verdict("The engine falls asleep over its work. Restart it."))
            return
        self._died(verdict(ended, self._log.tail(), self._launch))

    def _watch(self, connection: Connection) -> None:
        """Whatever depends on time."""
        if self.state is State.STARTING:
            waited = self._now - self._started
            limit = self._patience.ready if self._greeted else self._patience.hello
            if waited > limit:
                self._died(
                    Verdict(
                        f"The engine was not ready after {limit:.0f} seconds. Try again; if it "
                        "goes on, choose the device CPU or repair the runtime in the preferences."
                    )
                )
            return
        waiting = connection.inbox.called_off
        self._kill_at = {n: at for n, at in self._kill_at.items() if n in waiting}
        if any(at <= self._now for at in self._kill_at.values()):
            self._log.note("the engine is ended: it goes on with what was cancelled")
            self._end_process()
            self.state = State.STOPPED
            if self._pending:
                self._connect()
            return
        self._ask_whether_it_lives()

    def _ask_whether_it_lives(self) -> None:
        if self._ping_sent is not None:
            self.responding = self._now - self._ping_sent < self._patience.answer
            return
        self.responding = True
        if (self._pending or self._kill_at) and self._now >= self._ping_due:
            self._ping_token += 1
            self._ping_sent, self._ping_due = self._now, self._now + self._patience.ping
            self._send("ping", token=self._ping_token)

    # --- the process -----------------------------------------------------------------------------

    def _connect(self) -> None:
        self._connection = Connection(self._launch, self._log)
        self.state, self._started, self._greeted = State.STARTING, self._now, False
        self.failure, self.needs_repair = "", False
        self._send("hello", protocol=protocol.PROTOCOL_VERSION)

    def _submit(self, number: int) -> None:
        assert self._connection is not None
        self._connection.inbox.expect(number, self._pending[number])
        self._connection.send(outgoing.encode(number, self._pending[number]))

    def _send(self, kind: str, **fields: int) -> None:
        assert self._connection is not None
        self._connection.send(protocol.encode(protocol.Message(kind, fields)))

    def _end_process(self) -> None:
        """Kill it if it lives; nothing that it may have said counts any more."""
        if self._connection is not None:
            self._connection.kill()
        self._connection = None
        self._kill_at.clear()
        self._ping_sent, self._ping_due, self.responding = None, 0.0, True

    def _died(self, why: Verdict) -> None:
        self._end_process()
        message = why.message
        again = self._may_live_after(self._now)
        self.state = State.STOPPED if again and not why.final else State.FAILED
        if not again and not why.final:
            message += f" It ended {_DEATHS} times in a row and stays off until it is restarted."
        self.failure, self.needs_repair = message, why.repair
        lost = tuple(self._pending)
        self._pending.clear()
        self._events.append(Died(message, lost, self._log.tail(), why.repair))

    def _may_live_after(self, death: float) -> bool:
        """Note a death; False when there were too many of late."""
        self._deaths = [at for at in self._deaths if death - at < _DEATHS_SECONDS] + [death]
        return len(self._deaths) < _DEATHS

"""One run of the worker's process, from its start to its end, and the threads around it."""

from __future__ import annotations

import atexit
import contextlib
import queue
import subprocess
import threading
import weakref
from collections.abc import Callable

from .._core import protocol
from .inbox import Ended, Inbox, OtherVersionError
from .launching import kill_process, start_process
from .log import EngineLog
from .messages import Launch
from .throttle import Throttle

#: A worker at its best sends a tenth of it.
_MESSAGES_PER_SECOND, _MESSAGES_AT_ONCE = 200, 500
_LOG_BYTES_PER_SECOND, _LOG_BYTES_AT_ONCE = 500_000, 2_000_000
_PIECE = 1 << 16
#: Between the end of its output and its own end, and for the last lines of its log.
_LAST_SECONDS = 2.0

_open: weakref.WeakSet[Connection] = weakref.WeakSet()
_counting = threading.Lock()


class Connection:
    """Starts the process, feeds it, and puts what it says into an inbox and a log.

    Starting, waiting, reading, writing and logging each have a thread, because each may block for
    as long as the process or the disk likes.  The methods never do, but for :meth:`join`.
    """

    def __init__(self, launch: Launch, log: EngineLog) -> None:
        self.inbox = Inbox()
        self._launch, self._log = launch, log
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._unwanted = False
        self._fault: protocol.ProtocolError | None = None
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        with _counting:
            _open.add(self)
        _thread(self._run, "engine").start()

    def send(self, data: bytes) -> None:
        """Send an encoded message, some time."""
        self._outgoing.put(data)

    def hang_up(self) -> None:
        """Close the worker's input after what is still to be sent; it then ends by itself."""
        self._outgoing.put(None)

    def kill(self) -> None:
        """End the process now, or as soon as it has been started."""
        with self._lock:
            self._unwanted = True
            process = self._process
        self.hang_up()
        if process is not None:
            kill_process(process)

    def join(self, seconds: float) -> bool:
        """Wait so long for the end of the process and its threads; whether it has come."""
        return self._ended.wait(seconds)

    @property
    def process_id(self) -> int | None:
        """The process's number once it runs."""
        return None if self._process is None else self._process.pid

    # --- threads ---------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self.inbox.end(self._live())
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._log.note(f"the engine cannot be started: {error}")
            self.inbox.end(Ended(start_error=error))
        finally:
            self._ended.set()
            with _counting:
                _open.discard(self)

    def _live(self) -> Ended:
        """Start the process and see it through."""
        self._log.note(f"--- {self._launch.python} starts the engine")
        process = start_process(self._launch, self._log.path.parent)
        with self._lock:
            self._process = process
            unwanted = self._unwanted
        if unwanted:
            kill_process(process)
        pipes = {
            _thread(lambda: self._read(process), "messages"): process.stdout,
            _thread(lambda: self._read_log(process), "log"): process.stderr,
            _thread(lambda: self._write(process), "requests"): process.stdin,
        }
        for thread in pipes:
            thread.start()
        code = process.wait()
        self.hang_up()
        for thread, pipe in pipes.items():
            # A grandchild may hold the other end: then the thread stays, and so must its pipe.
            thread.join(_LAST_SECONDS)
            if not thread.is_alive() and pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._log.note(f"--- the engine has ended ({code})")
        fault = self._fault
        return Ended(
            code,
            fault="" if fault is None else str(fault),
            other_version=isinstance(fault, OtherVersionError),
        )

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        throttle = Throttle(_MESSAGES_PER_SECOND, _MESSAGES_AT_ONCE)
        try:
            while (message := protocol.read(process.stdout)) is not None:
                throttle.take()
                self.inbox.receive(message)
            self._expect_end(process)
        except protocol.TruncatedError:
            self._expect_end(process)
        except protocol.ProtocolError as error:
            self._break_off(process, error)
        except OSError as error:
            self._log.note(f"cannot read from the engine: {error}")
            kill_process(process)
        except Exception as error:  # nobody would hear the engine any more: its end at least
            about = f"{type(error).__name__}: {error}"
            self._break_off(process, protocol.ProtocolError(f"it cannot be understood: {about}"))

    def _expect_end(self, process: subprocess.Popen[bytes]) -> None:
        """Its output has ended, so it should; a worker that cannot be heard is of no use."""
        try:
            process.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            self._break_off(process, protocol.ProtocolError("it closed its output and stayed"))

    def _break_off(self, process: subprocess.Popen[bytes], error: protocol.ProtocolError) -> None:
        self._fault = error
        self._log.note(f"the engine is ended: {error}")
        kill_process(process)

    def _read_log(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        throttle = Throttle(_LOG_BYTES_PER_SECOND, _LOG_BYTES_AT_ONCE)
        with contextlib.suppress(OSError):
            while data := process.stderr.read(_PIECE):
                self._log.write(data)
                throttle.take(len(data))

    def _write(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it died, as its other threads find out
            while (data := self._outgoing.get()) is not None:
                rest = memoryview(data)
                while rest:
                    rest = rest[process.stdin.write(rest) or 0 :]
        with contextlib.suppress(OSError):
            process.stdin.close()


def _thread(target: Callable[[], None], name: str) -> threading.Thread:
    return threading.Thread(target=target, name=f"scalemogen {name}", daemon=True)


def kill_all() -> None:
    """End every process that still runs; also called when Python ends."""
    with _counting:
        connections = list(_open)
    for connection in connections:
        connection.kill()


atexit.register(kill_all)

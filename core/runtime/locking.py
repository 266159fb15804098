"""One process at a time changes an environment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_BUSY = PermissionError if sys.platform == "win32" else BlockingIOError


@contextmanager
def only_one(path: Path, when_busy: Callable[[], None]) -> Iterator[None]:
    """Hold the lock ``path`` inside the block; the system gives it back however a process ends.

    Args:
        path: the lock's file; it stays.
        when_busy: called each time another process has the lock, before the next try. It waits,
            or raises what ends the waiting.

    Raises:
        OSError: the file cannot be made.
    """
    with path.open("a+") as lock:
        # Where the file system has no locks at all, waiting would never end: go on without.
        with suppress(OSError):
            while not _taken(lock):
                when_busy()
        yield  # closing the file gives the lock back


def _taken(lock: IO[str]) -> bool:
    try:
        take(lock)
    except _BUSY:
        return False
    return True


def take(lock: IO[str]) -> None:
    """Lock the file without waiting; OSError where another process has it."""
    if sys.platform == "win32":
        import msvcrt

        lock.seek(0)
        msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

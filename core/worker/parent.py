"""A worker without its parent has nobody to work for."""

from __future__ import annotations

import os
import threading
import time

_LOOK_SECONDS = 1.0


def end_with(parent: int | None) -> None:
    """End this process at once, whatever it is doing, when its parent has ended.

    The end of stdin tells the same and sooner, unless some other process holds the pipe's end too.
    Where there is no such thing as being orphaned (Windows) that is all there is.
    ``parent``: process that was alive when it started us; it need not be the direct parent.
    """
    if os.name != "posix":
        return
    first = os.getppid()
    if parent is not None and not _lives(parent):
        os._exit(0)

    def watch() -> None:
        while os.getppid() == first and (parent is None or _lives(parent)):
            time.sleep(_LOOK_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is there, and somebody else's
        return True
    return True

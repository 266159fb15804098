"""The worker's two pipes, out of everybody else's reach."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO


def take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Messages in and out, as unbuffered binary streams on descriptors of their own.

    After it descriptor 0 is empty and 1 is stderr, so that what a library prints lands in the log.
    On Windows more hangs on it: loading a library there asks for the kind of the standard input,
    and would wait for the reader thread, which always reads.
    """
    source, sink = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(sink, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started without a stderr
        os.dup2(nothing, 1)
    os.close(nothing)
    return os.fdopen(source, "rb", buffering=0), os.fdopen(sink, "wb", buffering=0)

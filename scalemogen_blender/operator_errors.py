"""What went wrong in a Blender operator, in one line and only once."""

import contextlib
import functools
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

from . import interface
from ._core import errors

_EXCEPTION = re.compile(r"^(?:[A-Za-z_.]*(?:Error|Exception)|Exception): (?=.)")


def reported(execute: Callable[[Any, Any], set[str]]) -> Callable[[Any, Any], set[str]]:
    """Decorator of ``Operator.execute``: ScaleMoGenError is reported, and it is cancelled."""

    @functools.wraps(execute)
    def reporting(self: Any, context: Any) -> set[str]:
        try:
            return execute(self, context)
        except errors.ScaleMoGenError as error:
            self.report({"ERROR"}, interface.printable(str(error)))
            return {"CANCELLED"}

    return reporting


@contextlib.contextmanager
def without_tracebacks() -> Iterator[None]:
    """Drop the tracebacks that failing operators print; what they raise says the same."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield


def reason(error: Exception) -> str:
    """The last line that says something.

    Operators written in Python raise their whole traceback as the message, and after it the place
    of the call.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not line.startswith("Location: ")]
    if not telling:
        return type(error).__name__
    return _EXCEPTION.sub("", _EXCEPTION.sub("", telling[-1])).rstrip(".")

"""What went wrong in a Blender operator, in one line and only once."""

import contextlib
import io
import re
from collections.abc import Iterator

_EXCEPTION = re.compile(r"^(?:[A-Za-z_.]*(?:Error|Exception)|Exception): (?=.)")


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

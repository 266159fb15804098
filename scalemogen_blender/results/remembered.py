"""What files remember as JSON.  A file may come from anywhere: nothing in it can be relied on."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from .._core import errors

#: What reading damaged values leads to, and giving them to Blender.
_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    SystemError,  # what Blender's collections raise for a key that is no text
    TypeError,
    ValueError,
    errors.ScaleMoGenError,
)


def read(text: str) -> dict[str, Any]:
    """The table that a text is; empty for anything else, and for what Blender cannot show."""
    try:
        table = json.loads(text)
        if "\\u" in text:  # halves of characters, and the end of a C string
            shown = json.dumps(table, ensure_ascii=False).encode()
            if b"\\u0000" in shown:
                return {}
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def names(text: str) -> list[str]:
    """The list of names that a text is; empty for anything else."""
    found = read(f'{{"names": {text}}}').get("names") if text else None
    if isinstance(found, list) and all(isinstance(name, str) for name in found):
        return found
    return []


def whole_numbers(value: Any, count: int) -> list[int] | None:
    """A list of so many whole numbers, None if the value is anything else."""
    if isinstance(value, list) and len(value) == count:
        return value if all(isinstance(number, int) for number in value) else None
    return None


@contextlib.contextmanager
def tolerating_damage() -> Iterator[None]:
    """Leave out what a damaged part of a memory asks for, so that the rest still comes back."""
    try:
        yield
    except _FAULTS as error:
        about = f"{type(error).__name__}: {error}"[:200]
        print(
            f"ScaleMoGen: a part of what was to be restored is damaged ({about})", file=sys.stderr
        )

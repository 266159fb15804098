"""Progress bars on stderr, silent where nobody watches."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def bar(
    title: str, total: int | None = None, silent: bool = False, unit: str = ""
) -> Iterator[Any]:
    """A tqdm bar on a terminal; elsewhere, or when ``silent``, one that shows nothing."""
    from tqdm import tqdm

    with tqdm(
        desc=title,
        total=total,
        unit=unit,
        file=sys.stderr,
        leave=False,
        disable=silent or not sys.stderr.isatty(),
    ) as progress:
        yield progress


@contextlib.contextmanager
def scales(silent: bool, title: str = "generating") -> Iterator[Callable[[int, int], None]]:
    """A callback ``(scales finished, scales in all)`` for the engine."""
    with bar(title, silent=silent, unit="scale") as progress:

        def on_scale(finished: int, total: int) -> None:
            progress.total = total
            progress.n = finished
            progress.refresh()

        yield on_scale

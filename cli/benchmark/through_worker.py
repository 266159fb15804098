"""``benchmark --worker``: the engine as Blender has it, in a process that is spoken to."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import ScaleMoGenError
from core.paths import ROOT
from scalemogen_blender.client import EngineClient, messages

_LENGTHS = (2.0, 4.0, 10.0)
_STARTS = 3
_POLL_SECONDS = 0.005


class _Watched:
    """A client, and how long one of its calls kept the caller at most."""

    def __init__(self, model: str, device: str, scratch: Path) -> None:
        launch = messages.Launch(Path(sys.executable), ROOT, model, device, 0, scratch / "cache")
        self.client = EngineClient(launch, scratch / "engine.log")
        self.longest_ms = 0.0

    def timed(self, call: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        result = call(*arguments)
        self.longest_ms = max(self.longest_ms, 1000 * (time.perf_counter() - began))
        return result

    def wait(self, call: Callable[..., Any], *arguments: Any) -> tuple[float, float]:
        """Milliseconds from a call to the first event, and to the one that answers it."""
        began, first = time.perf_counter(), 0.0
        self.timed(call, *arguments)
        while True:
            for event in self.timed(self.client.poll):
                if isinstance(event, messages.Died | messages.Failed):
                    raise ScaleMoGenError(event.message)
                now = 1000 * (time.perf_counter() - began)
                first = first or now
                if isinstance(event, messages.Ready | messages.Finished):
                    return first, now
            time.sleep(_POLL_SECONDS)


def measure(
    model: str, device: str, lengths: Sequence[float] | None, counts: Sequence[int], repeats: int
) -> dict[str, Any]:
    """Medians in milliseconds; ScaleMoGenError when something cannot be made."""
    with tempfile.TemporaryDirectory() as scratch:
        watched = _Watched(model, device, Path(scratch))
        client, starts, rows = watched.client, [], []
        try:
            for _ in range(_STARTS):
                client.stop()
                starts.append(watched.wait(client.start)[1])
            for seconds in lengths or [s for s in _LENGTHS if s <= client.info.max_seconds]:
                for count in counts:
                    seeds = tuple(range(1, count + 1))
                    # New words each time: a known prompt would skip the text encoder.
                    prompts = (f"walk {count} {seconds} {take}" for take in range(repeats))
                    wishes = (messages.GenerateRequest(p, seeds, seconds) for p in prompts)
                    passes = zip(*(watched.wait(client.generate, w) for w in wishes), strict=True)
                    rows.append((seconds, count, *map(statistics.median, passes)))
            about = {"model": client.info.model, "device": client.info.device}
        finally:
            client.stop()
    names = ("seconds", "variations", "first_preview_ms", "finished_ms")
    table = [dict(zip(names, row, strict=True)) for row in rows]
    times = {"start_ms": statistics.median(starts), "longest_call_ms": watched.longest_ms}
    return {**about, **times, "rows": table}


def as_text(report: dict[str, Any]) -> str:
    """The numbers as a table."""
    head = (
        "{model} on {device}: ready after {start_ms:.0f} ms; no call longer than "
        "{longest_call_ms:.1f} ms\nseconds  variations  first preview ms  finished ms"
    )
    row = "{seconds:7g}  {variations:10d}  {first_preview_ms:16.0f}  {finished_ms:11.0f}"
    return "\n".join([head.format(**report), *(row.format(**line) for line in report["rows"])])

"""Which configurations are measured, cheap ones first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

#: The published size makes clips from this length on: short ones tell little for their price.
_PUBLISHED_FROM_SECONDS = 4.0
#: ... and up to this: 320 frames at 30 a second.
_PUBLISHED_TO_SECONDS = 320 / 30


@dataclass(frozen=True)
class Configuration:
    """One process: ``published`` (size) or the model asked for, on a device, and what it makes."""

    published: bool
    device: str
    threads: int
    seconds: float
    variations: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def configurations(
    devices: Sequence[str],
    threads: Sequence[int],
    lengths: Sequence[float],
    variations: Sequence[int],
    published: Literal["none", "some", "all"],
) -> list[Configuration]:
    """Every combination; on a GPU only with the most threads, because they hardly matter there.

    ``some``: of the published size single clips in all thread counts, and many variations of the
    shortest of its lengths with the most threads.
    """
    lengths, variations = sorted(set(lengths)), sorted(set(variations))
    threads = sorted(set(threads))
    plan = [
        Configuration(size, device, count, seconds, many)
        for size in ([False] if published == "none" else [False, True])
        for device in devices
        for count in (threads if device == "cpu" else threads[-1:])
        for many in variations
        for seconds in lengths
        if not size or seconds <= _PUBLISHED_TO_SECONDS
    ]
    if published != "some":
        return plan
    long = [s for s in lengths if _PUBLISHED_FROM_SECONDS <= s <= _PUBLISHED_TO_SECONDS]
    long = long or lengths[-1:]

    def kept(item: Configuration) -> bool:
        if not item.published:
            return True
        if item.variations == variations[0]:
            return item.seconds in long
        return item.seconds == long[0] and item.threads == threads[-1]

    return [item for item in plan if kept(item)]

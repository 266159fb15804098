"""``--frames FIRST:LAST``: frames as a file counts them, or seconds from its first frame."""

import argparse
import re
from dataclasses import dataclass

from core.errors import ScaleMoGenError

_END = re.compile(r"(?P<frame>[-+]?\d+)|(?P<seconds>\d+\.?\d*|\.\d+)s")


@dataclass(frozen=True)
class Moment:
    """A frame's number, or seconds since the first frame."""

    frame: int | None = None
    seconds: float = 0.0

    def at(self, first: int, fps: float) -> int:
        """The frame's number in a file that begins with frame ``first``."""
        return self.frame if self.frame is not None else first + round(self.seconds * fps)


@dataclass(frozen=True)
class FrameRange:
    """Both ends are included; None is the file's own first or last frame."""

    first: Moment | None = None
    last: Moment | None = None

    def within(self, first: int, last: int, fps: float, name: str) -> tuple[int, int]:
        """The range in a file with frames ``first`` to ``last``; ScaleMoGenError if it is not."""
        begin = self.first.at(first, fps) if self.first else first
        end = self.last.at(first, fps) if self.last else last
        if begin > end:
            raise ScaleMoGenError(
                f"--frames {begin}:{end} ends before it begins; {name} has frames {first} to {last}"
            )
        if begin < first or end > last:
            inside = f"{max(begin, first)}:{min(end, last)}"
            use = f"use --frames {inside}" if begin <= last and end >= first else "choose in there"
            past = ", or --extend SECONDS to go on past the end" if end > last else ""
            raise ScaleMoGenError(
                f"frames {begin} to {end} are asked, but {name} has {first} to {last} "
                f"({(last - first + 1) / fps:.2f} s at {fps:g} fps); {use}{past}"
            )
        return begin, end


def frame_range(text: str) -> FrameRange:
    """An argparse type: ``30:80``, ``30:``, ``:80``, ``1.5s:3s`` or ``:``."""
    begin, colon, end = text.partition(":")
    ends = [_END.fullmatch(word.strip()) for word in (begin, end)]
    given = [bool(word.strip()) for word in (begin, end)]
    if not colon or any(g and m is None for g, m in zip(given, ends, strict=True)):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no range of frames; write FIRST:LAST, for example 30:80, 30: or 1.5s:3s"
        )
    first, last = (_moment(match) if match else None for match in ends)
    return FrameRange(first, last)


def _moment(match: re.Match[str]) -> Moment:
    if match["frame"] is not None:
        return Moment(frame=int(match["frame"]))
    return Moment(seconds=float(match["seconds"]))

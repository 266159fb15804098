"""Smooth two-dimensional shapes: everything is drawn several times too large and shrunk."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

SUPERSAMPLING = 3

_TURNS = np.linspace(0, 2 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=-1)


class Canvas:
    """A picture of ``width`` x ``height`` pixels; all coordinates are in those pixels."""

    def __init__(self, width: int, height: int, background: Colour) -> None:
        size = (width * SUPERSAMPLING, height * SUPERSAMPLING)
        self._image = Image.new("RGB", size, background)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        """A polyline through points [n, 2]."""
        self._draw.line(
            [(float(x), float(y)) for x, y in points * SUPERSAMPLING],
            fill=colour,
            width=max(1, round(width * SUPERSAMPLING)),
            joint="curve",
        )

    def disc(self, centre: np.ndarray, radius: float, colour: Colour) -> None:
        self.ellipse(centre, radius, radius, colour)

    def ellipse(self, centre: np.ndarray, rx: float, ry: float, colour: Colour) -> None:
        x, y = (float(c) * SUPERSAMPLING for c in centre)
        rx, ry = rx * SUPERSAMPLING, ry * SUPERSAMPLING
        self._draw.ellipse([x - rx, y - ry, x + rx, y + ry], fill=colour)

    def hull(self, discs: Sequence[tuple[np.ndarray, float]], colour: Colour) -> None:
        """The convex hull of discs (centre, radius): two discs make a tapered capsule."""
        rims = [centre + radius * _CIRCLE for centre, radius in discs]
        outline = convex_hull(np.concatenate(rims) * SUPERSAMPLING)
        self._draw.polygon(outline, fill=colour)

    def finished(self) -> Image.Image:
        """The picture at its real size."""
        return self._image.reduce(SUPERSAMPLING)


def convex_hull(points: np.ndarray) -> list[tuple[float, float]]:
    """Corners of the convex hull of points [n, 2] (Andrew's monotone chain).

    Plain floats: on a few dozen points they are several times faster than arrays.
    """
    ordered = sorted(set(map(tuple, points.tolist())))
    return _chain(ordered) + _chain(ordered[::-1])


def _chain(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for x, y in ordered:
        while len(kept) > 1:
            (ax, ay), (bx, by) = kept[-2], kept[-1]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            kept.pop()
        kept.append((x, y))
    return kept[:-1]


def write_text(
    image: Image.Image, at: tuple[float, float], text: str, size: int, colour: Colour, room: float
) -> None:
    """Text with its upper left corner at ``at``, cut with an ellipsis to ``room`` pixels."""
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size)
    text = " ".join(text.split())
    if draw.textlength(text, font=font) > room:
        while text and draw.textlength(text + "…", font=font) > room:
            text = text[:-1]
        text = text.rstrip() + "…"
    draw.text(at, text, fill=colour, font=font)

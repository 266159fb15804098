"""What an edit of scene frames is for the model: the frames it sees, and the edit within them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._core import editing
from .span import Span

if TYPE_CHECKING:
    from .._core.editing import Edit

#: The bundled models' own frames per second, frames a cell and cells at once.
_MODEL_FPS, _STRIDE, _CELLS = 30.0, 8, 40
#: Frames of a rig that nothing moves.
_EVER = 10**4


@dataclass(frozen=True)
class Plan:
    """An edit whose frames count from the first of those that the model sees.

    first, last: these, in scene frames.  What the edit adds to the motion lies beyond ``last``.
    regenerated: scene frames of the token cells that are sampled anew; None where the range is so
    long that it is edited in pieces.
    """

    edit: Edit
    first: int
    last: int
    regenerated: tuple[int, int] | None

    @property
    def end(self) -> int:
        """The last scene frame of the motion after the edit."""
        return max(self.last, self.first + self.edit.last)


def plan(
    edit: Edit,
    first: int,
    extent: Span | None,
    fps: float,
    longest_seconds: float,
    extends: bool = False,
) -> Plan:
    """``edit`` counts its frames from the scene's frame ``first``, where it begins with 0.

    extent: what the rig's animation fills.  ``extends``: what lies beyond its end is new motion;
    otherwise the rig stands there as it does now, and only what is asked for moves.
    """
    begin, end = _motion(first, first + edit.last, extent, extends)
    whole, count = _moved(edit, first - begin), end - begin + 1
    if edit.loop:  # its end goes into its beginning: the model has to see both
        low, high = 0, count - 1
    else:
        low, high = editing.window.window(whole, count, fps, longest_seconds)
    high = min(high, count - 1)
    seen = _moved(whole, -low)
    regenerated = _cells(seen, high - low + 1, fps, begin + low)
    return Plan(seen, begin + low, begin + high, regenerated)


def _motion(first: int, last: int, extent: Span | None, extends: bool) -> tuple[int, int]:
    """First and last scene frame that there is a motion at."""
    if extent is None:  # it stands still, for ever
        return first - _EVER, last + _EVER
    return min(extent.first, first), max(extent.last, first - 1 if extends else last)


def _moved(edit: Edit, frames: int) -> Edit:
    return dataclasses.replace(edit, first=edit.first + frames, last=edit.last + frames)


def _cells(edit: Edit, frame_count: int, fps: float, first: int) -> tuple[int, int] | None:
    try:
        grid = editing.window.lay_grid(
            edit, frame_count, fps, model_fps=_MODEL_FPS, stride=_STRIDE, longest=_CELLS
        )
    except ValueError:
        return None
    begin, end = grid.frames_of(*grid.masked)
    return first + begin, first + end

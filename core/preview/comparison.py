"""Contact sheets before and after: the same camera and the same frames, the range marked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ..motion import Motion
from .body import body_of
from .camera import Camera, frame_clip
from .canvas import write_text
from .sheet import BORDER, FAINT, INK, WHITE, pose_cell

_WIDTH, _HEIGHT, _CAPTION = 150, 175, 26
_COLUMNS = 10
_BESIDE = 0.3  # seconds shown on either side of the range
#: Metres between two motions' hips from which on each has a camera of its own.
_APART = 1.2
MARK = (130, 80, 200)


def before_and_after(
    title: str,
    rows: Sequence[tuple[str, Motion]],
    first: int,
    last: int,
    numbered_from: int | None = None,
) -> Image.Image:
    """A row for every (caption, motion), the source first; frames of the range have a violet bar.

    All rows share frames and, unless they end up far apart, the camera, so that what is not edited
    looks the same.  Poses tell their second, or their frame where the first frame's number is
    given.
    """
    width = _COLUMNS * _WIDTH + 2 * BORDER
    height = _CAPTION + len(rows) * (_CAPTION + _HEIGHT) + BORDER
    sheet = Image.new("RGB", (width, height), WHITE)
    write_text(sheet, (BORDER, 5), title, 16, INK, width - 2 * BORDER)
    motions = [motion for _, motion in rows]
    fps = motions[0].fps
    beside = round(_BESIDE * fps)
    until = min(last + beside, max(m.frame_count for m in motions) - 1)
    frames = [int(f) for f in np.round(np.linspace(max(0, first - beside), until, _COLUMNS))]
    cameras = _cameras(motions, frames)
    draw = ImageDraw.Draw(sheet)
    for row, (caption, motion) in enumerate(rows):
        top = _CAPTION + row * (_CAPTION + _HEIGHT)
        write_text(sheet, (BORDER, top + 5), caption, 14, FAINT, width - 2 * BORDER)
        body = body_of(motion)
        before: int | None = None
        for column, frame in enumerate(frames):
            left = BORDER + column * _WIDTH
            if frame < motion.frame_count:
                camera = cameras[row][column]
                cell = pose_cell(body, frame, camera, before, _WIDTH - 4, _HEIGHT - 8)
                when = f"{frame / fps:.1f} s"
                if numbered_from is not None:
                    when = f"frame {numbered_from + frame}"
                write_text(cell, (5, 3), when, 11, FAINT, _WIDTH)
                sheet.paste(cell, (left, top + _CAPTION))
                before = frame
            if first <= frame <= last:
                bar = top + _CAPTION + _HEIGHT - 7
                draw.rectangle([left, bar, left + _WIDTH - 5, bar + 4], fill=MARK)
    return sheet


def _cameras(motions: Sequence[Motion], frames: Sequence[int]) -> list[list[Camera]]:
    """Per motion one camera per frame; the same for all unless their ways part too far.

    A motion that ends early holds its last pose.
    """
    outlines = [body_of(m).outline[np.minimum(frames, m.frame_count - 1)] for m in motions]
    hips = np.stack([outline[:, 0] for outline in outlines])
    size = (_WIDTH - 10, _HEIGHT - 18)
    if np.linalg.norm(hips - hips[0], axis=-1).max() > _APART:
        return [frame_clip(outline, *size) for outline in outlines]
    return [frame_clip(np.concatenate(outlines, axis=1), *size)] * len(motions)

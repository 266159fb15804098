"""Contact sheets: one row of poses per motion."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from ..motion import Motion
from .body import Body, body_of
from .camera import Camera, frame_clip
from .canvas import Canvas, write_text
from .figure import BACKGROUND, CONTACT, LEFT, RIGHT, draw_pose

CELL_WIDTH, CELL_HEIGHT = 200, 230
CAPTION_HEIGHT, FOOTER_HEIGHT, BORDER = 30, 26, 10
INK = (34, 38, 48)
FAINT = (120, 126, 138)
WHITE = (255, 255, 255)


def contact_sheet(motions: Sequence[tuple[str, Motion]], columns: int = 8) -> Image.Image:
    """A picture with a row of ``columns`` poses at even times for every (caption, motion).

    Left limbs are blue, right ones orange; thin coloured lines are the way of hands and feet since
    the pose before; the grey line is the path of the hips; green marks a foot that stands.
    """
    if not motions:
        raise ValueError("a contact sheet needs at least one motion")
    row_height = CAPTION_HEIGHT + CELL_HEIGHT
    width = columns * CELL_WIDTH + 2 * BORDER
    sheet = Image.new("RGB", (width, len(motions) * row_height + FOOTER_HEIGHT + BORDER), WHITE)
    for row, (caption, motion) in enumerate(motions):
        top = row * row_height
        label = f"{caption}   ({motion.seconds:.1f} s)"
        write_text(sheet, (BORDER, top + 8), label, 17, INK, width - 2 * BORDER)
        sheet.paste(_pose_row(motion, columns), (BORDER, top + CAPTION_HEIGHT))
    _draw_legend(sheet, len(motions) * row_height + 8)
    return sheet


def pose_frames(frame_count: int, columns: int) -> list[int]:
    """Frames at even times, first and last included."""
    return [int(frame) for frame in np.round(np.linspace(0, frame_count - 1, columns))]


def _pose_row(motion: Motion, columns: int) -> Image.Image:
    body = body_of(motion)
    cameras = frame_clip(body.outline, CELL_WIDTH - 8, CELL_HEIGHT - 12)
    row = Image.new("RGB", (columns * CELL_WIDTH, CELL_HEIGHT), WHITE)
    before: int | None = None
    for column, frame in enumerate(pose_frames(motion.frame_count, columns)):
        cell = pose_cell(body, frame, cameras[frame], before, CELL_WIDTH - 4, CELL_HEIGHT - 4)
        write_text(cell, (6, 4), f"{frame / motion.fps:.1f} s", 12, FAINT, CELL_WIDTH)
        row.paste(cell, (column * CELL_WIDTH + 2, 2))
        before = frame
    return row


def pose_cell(
    body: Body, frame: int, camera: Camera, trail_from: int | None, width: int, height: int
) -> Image.Image:
    """One pose on its floor."""
    canvas = Canvas(width, height, BACKGROUND)
    draw_pose(canvas, body, frame, camera, trail_from)
    return canvas.finished()


def _draw_legend(sheet: Image.Image, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    x = float(BORDER)
    for colour, text in ((LEFT, "left"), (RIGHT, "right"), (CONTACT, "foot stands")):
        draw.ellipse([x, top + 3, x + 10, top + 13], fill=colour)
        write_text(sheet, (x + 15, top), text, 13, FAINT, 200)
        x += 40 + draw.textlength(text) * 1.3
    write_text(sheet, (x, top), "grid 0.5 m", 13, FAINT, 200)

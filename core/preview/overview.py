"""Overview pages: many prompts at a glance, a row of small poses for each."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from ..motion import Motion
from .body import body_of
from .camera import frame_clip
from .canvas import write_text
from .figure import CONTACT, LEFT, RIGHT
from .sheet import BORDER, FAINT, INK, WHITE, pose_cell, pose_frames

ROWS_PER_PAGE = 10
_POSES = 12  # in a row, over all its panels
_CELL_WIDTH, _CELL_HEIGHT = 116, 126
_CAPTION, _HEADER, _GAP = 27, 30, 16
_SMALL = 12  # size of the type of ids and of the legend
_RULE = (222, 225, 230)

#: (id, prompt, one motion per panel): a row of an overview.
Row = tuple[str, str, Sequence[Motion]]


def overview_pages(panels: Sequence[str], rows: Sequence[Row]) -> list[Image.Image]:
    """Pictures of at most ROWS_PER_PAGE rows each; panels (one per motion) stand side by side.

    ValueError when a row has another number of motions than there are panels.
    """
    parts = [rows[at : at + ROWS_PER_PAGE] for at in range(0, len(rows), ROWS_PER_PAGE)]
    count = len(parts)
    return [_page(panels, part, f"page {n} of {count}") for n, part in enumerate(parts, start=1)]


def _page(panels: Sequence[str], rows: Sequence[Row], numbering: str) -> Image.Image:
    poses = max(2, _POSES // len(panels))
    panel_width = poses * _CELL_WIDTH
    width = len(panels) * panel_width + (len(panels) - 1) * _GAP + 2 * BORDER
    row_height = _CAPTION + _CELL_HEIGHT + BORDER
    page = Image.new("RGB", (width, _HEADER + len(rows) * row_height + BORDER), WHITE)
    lefts = [BORDER + at * (panel_width + _GAP) for at in range(len(panels))]
    draw = ImageDraw.Draw(page)
    for left, name in zip(lefts, panels, strict=True):
        write_text(page, (left, 8), name, 15, INK, panel_width - 330)
    _draw_legend(page, numbering)
    for number, (name, prompt, motions) in enumerate(rows):
        top = _HEADER + number * row_height
        draw.line([(BORDER, top), (width - BORDER, top)], fill=_RULE)
        seconds = f"   ({motions[0].seconds:.1f} s)" if motions else ""
        write_text(page, (BORDER, top + 7), prompt + seconds, 16, INK, width - 240)
        room = min(200.0, _length(name))
        write_text(page, (width - BORDER - room, top + 10), name, _SMALL, FAINT, 200)
        for left, motion in zip(lefts, motions, strict=True):
            page.paste(_strip(motion, poses), (left, top + _CAPTION))
    return page


def _strip(motion: Motion, poses: int) -> Image.Image:
    body = body_of(motion)
    cameras = frame_clip(body.outline, _CELL_WIDTH - 6, _CELL_HEIGHT - 8)
    strip = Image.new("RGB", (poses * _CELL_WIDTH, _CELL_HEIGHT), WHITE)
    before: int | None = None
    for column, frame in enumerate(pose_frames(motion.frame_count, poses)):
        size = (_CELL_WIDTH - 3, _CELL_HEIGHT - 2)
        strip.paste(
            pose_cell(body, frame, cameras[frame], before, *size), (column * _CELL_WIDTH, 0)
        )
        before = frame
    return strip


def _draw_legend(page: Image.Image, numbering: str) -> None:
    draw = ImageDraw.Draw(page)
    x = page.width - BORDER - _length(numbering)
    write_text(page, (x, 9), numbering, _SMALL, FAINT, 120)
    for colour, text in ((CONTACT, "foot stands"), (RIGHT, "right"), (LEFT, "left")):
        x -= _length(text) + 16
        write_text(page, (x, 9), text, _SMALL, FAINT, 120)
        x -= 13
        draw.ellipse([x, 11, x + 9, 20], fill=colour)


def _length(text: str) -> float:
    """Pixels of a line in the small size."""
    return float(ImageFont.load_default(_SMALL).getlength(text)) + 1

"""Animated GIFs of a motion."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ..files import write_bytes
from ..motion import Motion
from .body import body_of
from .camera import frame_clip
from .canvas import write_text
from .sheet import INK, pose_cell

#: GIF delays are whole hundredths of a second: 25 is the highest rate that plays at its true speed.
FPS = 25.0
_TRAIL_SECONDS = 0.4
_CAPTION = 28  # pixels above the picture


def animation(
    motion: Motion, caption: str = "", width: int = 420, height: int = 440
) -> list[Image.Image]:
    """The pictures of a motion at 25 per second; the camera keeps the whole clip in view."""
    played = motion.resampled(FPS)
    body = body_of(played)
    frames = []
    cameras = frame_clip(body.outline, width - 16, height - 16 - _CAPTION)
    for frame, camera in enumerate(cameras):
        camera = camera.moved(8, _CAPTION + 8)
        trail_from = max(0, frame - round(_TRAIL_SECONDS * FPS))
        picture = pose_cell(body, frame, camera, trail_from, width, height)
        if caption:
            write_text(picture, (10, 8), caption, 16, INK, width - 20)
        frames.append(picture)
    return frames


def side_by_side(motions: Sequence[tuple[str, Motion]]) -> list[Image.Image]:
    """The pictures of several (caption, motion) beside each other; short ones hold their end."""
    strips = [animation(motion, caption) for caption, motion in motions]
    frames = []
    for number in range(max(map(len, strips))):
        pictures = [strip[min(number, len(strip) - 1)] for strip in strips]
        size = (sum(picture.width for picture in pictures), max(p.height for p in pictures))
        frame, left = Image.new("RGB", size), 0
        for picture in pictures:
            frame.paste(picture, (left, 0))
            left += picture.width
        frames.append(frame)
    return frames


def save_animation(path: Path | str, frames: list[Image.Image]) -> None:
    """Write pictures of :func:`animation` as an endless GIF, atomically."""
    # One palette for all frames, taken from the middle one: no flicker and small differences.
    palette = frames[len(frames) // 2].quantize(128)
    indexed = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    indexed[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=indexed[1:],
        duration=round(1000 / FPS),
        loop=0,
    )
    write_bytes(path, buffer.getvalue())

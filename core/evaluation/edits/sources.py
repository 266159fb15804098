"""Motions that are edited: generated ones that any machine can make again, and captured ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...dataset_format import CAPTIONS_FILE, read_captions, read_pack
from ...engine import Engine
from ...features.heading import facing_forward
from ...motion import Motion
from . import judges
from .judges import Judge


@dataclass(frozen=True)
class Source:
    """A motion to edit.

    prompt, seconds, seed: how the generated one is made.  clip: a captured one like it in the
    motion set, of the split that no model has seen in training.  goes_on: what a result has to do
    over all its frames so that it still is this motion.
    """

    prompt: str
    seconds: float
    seed: int
    clip: str
    goes_on: Judge


SOURCES: Mapping[str, Source] = {
    "walk": Source("a person walks forward", 6.0, 4, "o3de/Run1#540", judges.travels(0.4)),
    "jog": Source("a person jogs forward", 6.0, 2, "o3de/Run1#0", judges.travels(1.2)),
    "stand": Source(
        "a person stands still", 6.0, 8, "smartbody/ChrGarza@IdleStand01", judges.stays()
    ),
    # No unseen clip of a circle is long enough: its captured counterpart is the walk.
    "circle": Source(
        "a person walks in a circle to the left", 6.0, 1, "o3de/Run1#540", judges.travels(0.4)
    ),
}


def generated(engine: Engine, name: str) -> Motion:
    """The generated motion of a source: the same each time on one kind of device."""
    source = SOURCES[name]
    return engine.generate(source.prompt, source.seconds, [source.seed]).motions[0]


def captured(folder: Path, names: Sequence[str] = tuple(SOURCES)) -> dict[str, Motion]:
    """The captured motions of sources, facing forward from the origin, where the set has them.

    Raises ScaleMoGenError when the folder is not a packed data set.
    """
    wanted = {SOURCES[name].clip for name in names}
    rows = [row for row in read_captions(folder / CAPTIONS_FILE) if row.get("clip") in wanted]
    packs = {file: read_pack(folder / file) for file in {row["file"] for row in rows}}
    clips = {row["clip"]: packs[row["file"]][row["clip"]].motion() for row in rows}
    return {
        name: replace(facing_forward(clips[SOURCES[name].clip]), contacts=None)
        for name in names
        if SOURCES[name].clip in clips
    }

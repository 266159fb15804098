"""The motions that rigs are judged by: a walk, hands that meet, a squat."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ScaleMoGenError

from .data import data_folder

if TYPE_CHECKING:
    from core.motion import Motion

#: Captured clips: pack and clip of the captioned motion set.
_CLIPS = (
    ("walk", "cmu", "cmu/02_01"),
    ("applause", "sumerian", "sumerian/adult_female_applause"),
    ("squat", "hdm05", "hdm05/mm_squat1Reps_037"),
)
#: What the bundled model is asked for where there is no data set, and the seed.
_PROMPTS = (
    ("walk", "a person walks forward", 5),
    ("applause", "a person applauds", 2),  # with this seed the hands do meet
    ("squat", "a person does a squat", 5),
)
_SECONDS = 3.0


def motions(files: Sequence[Path], data: Path | None) -> list[tuple[str, "Motion"]]:
    """Titles and cleaned motions: the files', or captured ones, or generated ones."""
    from core.cleanup import clean_up

    return [(title, clean_up(motion)) for title, motion in _raw(files, data)]


def _raw(files: Sequence[Path], data: Path | None) -> list[tuple[str, "Motion"]]:
    if files:
        from core.bvh import read_bvh
        from core.import_motion import canonical_motion

        return [(path.stem, canonical_motion(read_bvh(path), path.name)) for path in files]
    try:
        folder = data_folder(data)
    except ScaleMoGenError:
        if data is not None:
            raise
        return _generated()
    return _captured(folder)


def _captured(folder: Path) -> list[tuple[str, "Motion"]]:
    from core.dataset_format import read_pack

    found = []
    for title, pack, clip in _CLIPS:
        path = folder / f"{pack}.npz.xz"
        if not path.is_file():
            raise ScaleMoGenError(f"{folder} lacks {path.name}; name motions with --motion")
        found.append((f"{title} ({clip})", read_pack(path)[clip].motion()))
    return found


def _generated() -> list[tuple[str, "Motion"]]:
    from core.engine import Engine

    engine = Engine.load("default", "cpu")
    return [
        (f"{title} ({prompt}, seed {seed})", engine.generate(prompt, _SECONDS, [seed]).motions[0])
        for title, prompt, seed in _PROMPTS
    ]

"""The rows of a table: where each one's motions come from."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..engine import Engine
from ..motion import Motion
from ..retarget.to_canonical import onto_canonical
from ..training.corpus import Clip
from ..training.tokenizer_task import rebuild
from .embedding import layout_features
from .folder import read_folder
from .many import Setting, Wish, generate_many, possible_seconds
from .retrieval import NearestCaption

#: ``watch(title, total)`` gives a callback for the number of motions done (a progress bar).
Watch = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]


def unwatched(title: str, total: int) -> AbstractContextManager[Callable[[int], object]]:
    """A :data:`Watch` that shows nothing."""
    return nullcontext(lambda count: None)


@dataclass
class Row:
    """Motions to be measured against captions.

    name: what the table says.  make: motions of repeat r; ``fixed``: the same ones for every r.
    captions: all captions of each motion, the first being the one asked for.  bones: changes of
    bone lengths measured elsewhere (%), or None.  left_out: (file, why).
    """

    name: str
    captions: Sequence[tuple[str, ...]]
    make: Callable[[int], list[Motion]]
    fixed: bool = False
    bones: Sequence[float] | None = None
    left_out: list[tuple[str, str]] = field(default_factory=list)


def real_row(clips: Sequence[Clip]) -> Row:
    """The clips themselves."""
    return Row("real motion", _captions(clips), lambda _: [c.motion for c in clips], fixed=True)


def reconstruction_row(engine: Engine, clips: Sequence[Clip], watch: Watch = unwatched) -> Row:
    """What the model's tokenizer makes of the clips: no generator on it can be better."""
    name = f"{engine.name}: reconstruction"

    def make(_: int) -> list[Motion]:
        model, layout = engine.model, engine.layout
        motions = []
        with watch(name, len(clips)) as done:
            for clip in clips:
                features = layout_features(clip.motion, layout)
                made = rebuild(model.tokenizer, features, model.mean, model.std)
                motions.append(onto_canonical(layout.decode(made)))
                done(1)
        return motions

    return Row(name, _captions(clips), make, fixed=True)


def model_row(
    engine: Engine,
    clips: Sequence[Clip],
    setting: Setting,
    seed: int,
    batch: int = 32,
    watch: Watch = unwatched,
) -> Row:
    """Motions made for every clip's first caption and length, with new seeds in every repeat."""
    name = f"{engine.name}: {setting.label}"

    def make(repeat: int) -> list[Motion]:
        wishes = [
            Wish(
                clip.captions[0],
                possible_seconds(engine, clip.motion.seconds),
                seed + repeat * len(clips) + i,
            )
            for i, clip in enumerate(clips)
        ]
        with watch(name, len(clips)) as done:
            return generate_many(engine, wishes, setting, batch, done)

    return Row(name, _captions(clips), make)


def retrieval_row(nearest: NearestCaption, clips: Sequence[Clip], seed: int) -> Row:
    """The training motion with the nearest caption, cut or held to the clip's length."""

    def make(repeat: int) -> list[Motion]:
        return nearest.motions(
            [clip.captions[0] for clip in clips],
            [clip.motion.frame_count for clip in clips],
            np.random.default_rng([seed, repeat]),
        )

    return Row("nearest caption", _captions(clips), make)


def folder_row(folder: Path, watch: Watch = unwatched) -> Row:
    """The motions of a folder of BVH files."""
    with watch(folder.name, 0) as done:
        found = read_folder(folder, done)
    return Row(
        folder.name or str(folder),
        found.captions,
        lambda _: found.motions,
        fixed=True,
        bones=found.bones,
        left_out=found.left_out,
    )


def _captions(clips: Sequence[Clip]) -> list[tuple[str, ...]]:
    return [clip.captions for clip in clips]

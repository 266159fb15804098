"""Rows of motions measured against captions and against real motion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..errors import ScaleMoGenError
from ..motion import Motion
from .metrics import (
    POOL,
    Interval,
    caption_ranks,
    diversity,
    frechet_distance,
    interval,
    multimodal_distance,
    multimodality,
    r_precision,
)
from .physics import clip_physics, mean_physics
from .rows import Row
from .table import METRICS


class Embeds(Protocol):
    """What measuring asks of an evaluator (embedding.Embedder)."""

    def motions(self, motions: Sequence[Motion]) -> np.ndarray: ...

    def texts(self, sentences: Sequence[str]) -> np.ndarray: ...


@dataclass
class Captions:
    """The captions that motions are ranked against: one row of ``vectors`` a distinct sentence."""

    sentences: list[str]
    vectors: np.ndarray

    @classmethod
    def of(cls, embedder: Embeds, rows: Sequence[Row]) -> "Captions":
        """The first captions of all motions of all rows."""
        sentences = list(dict.fromkeys(captions[0] for row in rows for captions in row.captions))
        return cls(sentences, embedder.texts(sentences))

    def own(self, row: Row) -> np.ndarray:
        """[n] which sentence each motion of a row was asked for."""
        index = {sentence: i for i, sentence in enumerate(self.sentences)}
        return np.array([index[captions[0]] for captions in row.captions])

    def others(self, row: Row, pool: Sequence[str]) -> np.ndarray:
        """[n, c] bool: the sentences of ``pool`` that are none of a motion's own captions.

        Few distinct captions describe many motions here, so the mismatches of a motion have to be
        chosen by sentence; 31 random other motions would bring the same sentence again.
        """
        allowed = np.isin(self.sentences, list(pool))
        plain = np.array([_plain(sentence) for sentence in self.sentences])
        return np.stack(
            [allowed & ~np.isin(plain, [_plain(c) for c in captions]) for captions in row.captions]
        )


@dataclass
class Measured:
    """A measured row: repeats of embeddings [n, d] and places of the own caption [n]; physics.

    ranks: places among :data:`POOL` captions; all_ranks: among all that there are.
    """

    name: str
    captions: Sequence[tuple[str, ...]]
    fixed: bool
    embeddings: list[np.ndarray] = field(default_factory=list)
    ranks: list[np.ndarray] = field(default_factory=list)
    all_ranks: list[np.ndarray] = field(default_factory=list)
    physics: list[list[dict[str, float]]] = field(default_factory=list)
    figures: dict[str, Interval] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def measure(
    rows: Sequence[Row], embedder: Embeds, repeats: int, seed: int, reference: int = 0
) -> list[Measured]:
    """Measure all rows; ``rows[reference]`` holds the real motions that FID compares with.

    Every repeat draws new mismatched captions, the same ones for every row, and new motions where
    a row has any.  ScaleMoGenError when there are fewer than two captions.
    """
    captions = Captions.of(embedder, rows)
    pool = list(dict.fromkeys(c[0] for c in rows[reference].captions))
    if len(pool) < 2:
        raise ScaleMoGenError("R-precision needs at least two different captions; add clips")
    result = []
    for row in rows:
        measured = _embed(row, embedder, repeats)
        own, others = captions.own(row), captions.others(row, pool)
        rank(measured, captions.vectors, own, others, repeats, seed)
        result.append(measured)
    for measured, row in zip(result, rows, strict=True):
        texts = captions.vectors[captions.own(row)]
        real = result[reference]
        measured.figures = embedded_figures(measured, texts, real.embeddings[0], seed)
        measured.figures |= _physics_figures(measured, real.physics[0])
    return result


def rank(
    measured: Measured,
    texts: np.ndarray,
    own: np.ndarray,
    others: np.ndarray,
    repeats: int,
    seed: int,
) -> None:
    """Fill in the places of a row's own captions (see :func:`caption_ranks`), every repeat's."""
    for repeat in range(repeats):
        motions = measured.embeddings[0 if measured.fixed else repeat]
        random = np.random.default_rng([seed, repeat])
        measured.ranks.append(caption_ranks(motions, texts, own, others, random))
        measured.all_ranks.append(
            caption_ranks(motions, texts, own, others, random, len(texts) + 1)
        )


def _embed(row: Row, embedder: Embeds, repeats: int) -> Measured:
    measured = Measured(row.name, row.captions, row.fixed, left_out=row.left_out)
    for repeat in range(1 if row.fixed else repeats):
        motions = row.make(repeat)
        measured.embeddings.append(embedder.motions(motions))
        physics = [clip_physics(motion) for motion in motions]
        for clip, bones in zip(physics, row.bones or (), strict=False):
            clip["bones"] = bones
        measured.physics.append(physics)
    return measured


def embedded_figures(
    measured: Measured, texts: np.ndarray, real: np.ndarray, seed: int
) -> dict[str, Interval]:
    """The field's metrics of a row that has its embeddings and ranks.

    texts: [n, d] each motion's caption.  real: [m, d] the motions that FID compares with.
    """
    values: dict[str, list[float]] = {name: [] for name in METRICS}
    for repeat in range(len(measured.ranks)):
        motions = measured.embeddings[0 if measured.fixed else repeat]
        for top in (1, 2, 3):
            values[f"top{top}"].append(r_precision(measured.ranks[repeat], top))
        values["top1_all"].append(r_precision(measured.all_ranks[repeat], 1))
        values["mm_dist"].append(multimodal_distance(motions, texts))
        values["fid"].append(frechet_distance(real, motions))
        values["diversity"].append(diversity(motions, np.random.default_rng([seed, repeat, 1])))
    values["multimodality"] = multimodality_of(measured.embeddings)
    return {name: interval(each) for name, each in values.items()}


def multimodality_of(embeddings: Sequence[np.ndarray]) -> list[float]:
    """Multimodality between neighbouring repeats (the last and the first are neighbours, too).

    The repeats are motions of other seeds for the same captions, so nothing more has to be made.
    """
    count = len(embeddings)
    if count < 2:
        return []
    pairs = [(r, (r + 1) % count) for r in range(count if count > 2 else 1)]
    return [multimodality(embeddings[a], embeddings[b]) for a, b in pairs]


def _physics_figures(
    measured: Measured, real: Sequence[Mapping[str, float]]
) -> dict[str, Interval]:
    """Physics over repeats; sliding, acceleration and jerk also as multiples of real motion's."""
    base = mean_physics([dict(clip) for clip in real])
    means = [mean_physics(clips) for clips in measured.physics]
    figures = {name: interval([mean[name] for mean in means]) for name in base}
    for name in ("sliding", "acceleration", "jerk"):
        ratios = [mean[name] / base[name] if base[name] > 0 else float("nan") for mean in means]
        figures[f"{name}_ratio"] = interval(ratios)
    return figures


def by_class(rows: Sequence[Measured], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Per action: number of clips, and of each row the mean place of the own caption and physics.

    classes: [n] the action of each motion, which all ``rows`` share.  Worst of the last row first.
    """
    table = []
    for name in sorted(set(classes)):
        members = np.flatnonzero(np.array(classes) == name)
        entry: dict[str, Any] = {"class": name, "clips": len(members), "rows": {}}
        for row in rows:
            places = np.stack(row.ranks)[:, members]
            physics = mean_physics([clips[i] for clips in row.physics for i in members])
            entry["rows"][row.name] = {
                "place": float(places.mean() + 1),
                "top3": float((places < 3).mean()),
                **{key: physics[key] for key in ("sliding", "acceleration", "impossible")},
            }
        table.append(entry)
    last = rows[-1].name
    return sorted(table, key=lambda entry: -entry["rows"][last]["place"])


def pool_size(rows: Sequence[Measured]) -> int:
    """How many captions a motion is ranked against at most, its own included."""
    return min(POOL, len({captions[0] for captions in rows[0].captions}))


def _plain(sentence: str) -> str:
    return " ".join(sentence.lower().split()).rstrip(".")

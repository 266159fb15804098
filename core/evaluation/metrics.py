"""The field's text-to-motion metrics on embeddings, numpy only.

As Guo et al. (CVPR 2022, "Generating Diverse and Natural 3D Human Motions from Text") report them,
on the embeddings of whatever evaluator.  n motions or texts, d numbers each; distances are
Euclidean.  Smaller is better for FID and multimodal distance, larger for R-precision; diversity
and multimodality are best when close to real motion's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Candidates for each motion: its own caption and 31 others.
POOL = 32
#: 97.5 % quantiles of Student's distribution with 1, 2, … degrees of freedom.
_STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


@dataclass(frozen=True)
class Interval:
    """A mean over repeats and the half width of its 95 % interval (nan for a single repeat)."""

    mean: float
    half: float


def interval(values: Sequence[float]) -> Interval:
    """Student's 95 % interval of the mean.

    The field multiplies by 1.96 whatever the number of repeats, which for five is too narrow by a
    third; with 31 and more, so do we.
    """
    known = np.array([value for value in values if np.isfinite(value)], dtype=np.float64)
    if not len(known):
        return Interval(float("nan"), float("nan"))
    if len(known) == 1:
        return Interval(float(known[0]), float("nan"))
    quantile = _STUDENT[len(known) - 2] if len(known) - 2 < len(_STUDENT) else 1.96
    return Interval(float(known.mean()), float(quantile * known.std(ddof=1) / np.sqrt(len(known))))


def caption_ranks(
    motions: np.ndarray,
    texts: np.ndarray,
    own: np.ndarray,
    others: np.ndarray,
    random: np.random.Generator,
    pool: int = POOL,
) -> np.ndarray:
    """Place (0: nearest) of each motion's own caption among ``pool`` captions, [n].

    motions: [n, d].  texts: [c, d], one row a distinct caption.  own: [n], the row of each motion's
    caption.  others: [n, c] bool, which rows may stand against it (never its own).  For every
    motion pool - 1 of these are drawn without repetition, or all where there are fewer.
    """
    ranks = np.zeros(len(motions), dtype=int)
    for i, motion in enumerate(motions):
        candidates = np.flatnonzero(others[i])
        drawn = random.permutation(candidates)[: pool - 1]
        distances = np.linalg.norm(texts[drawn] - motion, axis=-1)
        true = np.linalg.norm(texts[own[i]] - motion)
        # Equal distances are decided by lot, or else an evaluator that sees nothing would shine.
        ties = int((distances == true).sum())
        ranks[i] = int((distances < true).sum()) + random.integers(ties + 1)
    return ranks


def r_precision(ranks: np.ndarray, top: int) -> float:
    """Share of motions whose own caption is among the ``top`` nearest."""
    return float((ranks < top).mean()) if len(ranks) else float("nan")


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance between Gaussians fitted to the rows of a [n, d] and b [m, d].

    |μa - μb|² + tr(A + B - 2 (A½ B A½)½), with symmetric eigen-decompositions only: these stay real
    and sound where n < d makes the covariances singular.  Few samples bias it upwards, so only
    figures from as many motions may be compared.
    """
    if min(len(a), len(b)) < 2:
        return float("nan")
    a, b = a.astype(np.float64), b.astype(np.float64)
    shift = a.mean(0) - b.mean(0)
    A, B = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    values, vectors = np.linalg.eigh(A)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    inner = root @ B @ root
    cross = np.sqrt(np.clip(np.linalg.eigvalsh((inner + inner.T) / 2), 0.0, None)).sum()
    return float(max(0.0, shift @ shift + np.trace(A) + np.trace(B) - 2.0 * cross))


def multimodal_distance(motions: np.ndarray, texts: np.ndarray) -> float:
    """Mean distance between motions [n, d] and the captions [n, d] they belong to."""
    return float(np.linalg.norm(motions - texts, axis=-1).mean())


def diversity(motions: np.ndarray, random: np.random.Generator, pairs: int = 300) -> float:
    """Mean distance between up to ``pairs`` random pairs of different motions."""
    if len(motions) < 2:
        return float("nan")
    order = random.permutation(len(motions))
    distances = np.linalg.norm(motions[order] - motions[np.roll(order, 1)], axis=-1)
    return float(distances[:pairs].mean())


def multimodality(first: np.ndarray, second: np.ndarray) -> float:
    """Mean distance between two motions made for the same caption with other seeds, [n, d] each."""
    return float(np.linalg.norm(first - second, axis=-1).mean())

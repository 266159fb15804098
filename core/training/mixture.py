"""What the transformer learns from: clips, clips joined in pairs, and how often each is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .balance import Encode, balanced_weights, caption_embeddings
from .composition import Pairing, compose
from .corpus import Clip
from .wording import with_other_wording

#: Share of the draws that goes to clips in sequence, and to gestures laid over gaits.
SEQUENCE_SHARE, LAYERED_SHARE = 0.15, 0.12
#: Sentences with other people and places that each clip gets besides its own.
REWORDED = 3
#: So many joined clips of either kind are made of so many clips.
_SEQUENCES, _LAYERED = 0.6, 0.4


@dataclass(frozen=True)
class Ingredient:
    """A clip and its share of the draws; ``varied``: also at other speeds, repeated, held, cut."""

    clip: Clip
    weight: float
    varied: bool


def plain(clips: Sequence[Clip], *, varied: bool = False) -> list[Ingredient]:
    """The clips, all alike: for validation."""
    return [Ingredient(clip, 1.0 / len(clips), varied) for clip in clips]


def mixture(
    clips: Sequence[Clip], encode: Encode, seed: int, most_joined: int = 2500
) -> list[Ingredient]:
    """The clips, balanced by what they say, and at most ``most_joined`` joined ones."""
    weights = balanced_weights(clips, caption_embeddings(clips, encode))
    share = min(1.0, most_joined / (len(clips) * (_SEQUENCES + _LAYERED)))
    pairing = Pairing(
        sequences=round(len(clips) * _SEQUENCES * share),
        layered=round(len(clips) * _LAYERED * share),
    )
    random = np.random.default_rng(seed)
    sequences, layered = compose(clips, weights, pairing, random)
    shares = [SEQUENCE_SHARE if sequences else 0.0, LAYERED_SHARE if layered else 0.0]
    result = [
        Ingredient(
            with_other_wording(clip, REWORDED, random),
            float(weight) * (1.0 - sum(shares)),
            varied=True,
        )
        for clip, weight in zip(clips, weights, strict=True)
    ]
    for joined, part in zip((sequences, layered), shares, strict=True):
        result += [Ingredient(clip, part / len(joined), varied=False) for clip in joined]
    return result

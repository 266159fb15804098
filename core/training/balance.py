"""How often each clip is drawn: rare actions more often than their share of the data."""

from collections.abc import Callable, Sequence

import numpy as np

from ..rotations import normalize
from ..text.sentence import sentence_embedding
from .corpus import Clip, caption_trust

#: Cosine distance of two captions' embeddings at which they still count 37 % as the same action.
NEARNESS = 0.2
#: 0: every clip alike; 1: every action alike.
STRENGTH = 0.6


#: Token states [L, width] of sentences.
Encode = Callable[[Sequence[str]], list[np.ndarray]]


def caption_embeddings(clips: Sequence[Clip], encode: Encode) -> np.ndarray:
    """Unit vectors [n, width]: mean token state of each clip's own captions."""
    sentences = list(dict.fromkeys(caption for clip in clips for caption in clip.captions))
    states = encode(sentences)
    vectors = {s: sentence_embedding(state) for s, state in zip(sentences, states, strict=True)}
    return normalize(np.stack([np.mean([vectors[c] for c in clip.captions], 0) for clip in clips]))


def balanced_weights(clips: Sequence[Clip], embeddings: np.ndarray) -> np.ndarray:
    """Probability of drawing each clip [n], from how many clips say nearly the same.

    Labels would not do: four hundred gestures of one library have a label each, and the walks of
    four libraries four different ones.  Weak captions and cartoon figures are drawn less.
    """
    trust = np.array([caption_trust(clip) for clip in clips])
    distance = 1.0 - embeddings @ embeddings.T
    density = np.exp(-((distance / NEARNESS) ** 2)) @ trust
    weights = trust * density**-STRENGTH
    return np.asarray(weights / weights.sum())

"""Fitting how long an action takes to the lengths of the clips that show it."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..model.duration import DurationPredictor, fit_durations
from ..text.sentence import sentence_embedding
from .corpus import Clip


def clip_durations(clips: Sequence[Clip], states: Mapping[str, np.ndarray]) -> DurationPredictor:
    """Fit to clips whose sentences' token states [L, W] are in ``states``.

    Windows of long takes are left out: their length is an accident.
    """
    rows, seconds, weights = [], [], []
    whole = [clip for clip in clips if clip.row.get("scope") != "trial"] or list(clips)
    for clip in whole:
        sentences = (*clip.captions, *clip.paraphrases)
        for sentence in sentences:
            rows.append(sentence_embedding(states[sentence]))
            seconds.append(clip.motion.seconds)
            weights.append(1.0 / len(sentences))
    return fit_durations(np.stack(rows), np.array(seconds), np.array(weights))

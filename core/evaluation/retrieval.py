"""The baseline that generators must beat: the training motion with the nearest caption."""

from collections.abc import Callable, Sequence

import numpy as np

from ..motion import Motion
from ..text.sentence import sentence_embedding
from ..training.corpus import Clip

#: Sentences as near as this are the same sentence.
_EQUAL = 1e-4


class NearestCaption:
    """Training clips looked up by sentence.

    ``states_of`` gives the text states [L, W] of sentences; a sentence's vector is their mean,
    scaled to length one (how MiniLM's sentence vectors are made).
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        states_of: Callable[[Sequence[str]], Sequence[np.ndarray]],
    ) -> None:
        self._clips, self._states_of = clips, states_of
        captions: dict[str, list[int]] = {}
        for index, clip in enumerate(clips):
            for caption in clip.captions:
                captions.setdefault(caption, []).append(index)
        self._owners = list(captions.values())
        self._vectors = self._embed(list(captions))

    def motions(
        self, prompts: Sequence[str], frames: Sequence[int], random: np.random.Generator
    ) -> list[Motion]:
        """For each prompt one of the clips with the nearest caption, drawn by lot, and cut or held.

        frames: how long each motion is to be.
        """
        known: dict[str, np.ndarray] = {}
        distinct = list(dict.fromkeys(prompts))
        for prompt, vector in zip(distinct, self._embed(distinct), strict=True):
            near = self._vectors @ vector
            rows = np.flatnonzero(near >= near.max() - _EQUAL)
            known[prompt] = np.unique(np.concatenate([self._owners[row] for row in rows]))
        return [
            of_length(self._clips[int(random.choice(known[prompt]))].motion, count)
            for prompt, count in zip(prompts, frames, strict=True)
        ]

    def _embed(self, sentences: Sequence[str]) -> np.ndarray:
        return np.stack([sentence_embedding(states) for states in self._states_of(sentences)])


def of_length(motion: Motion, frames: int) -> Motion:
    """The first ``frames`` frames; a shorter motion is held at its end."""
    return motion.at_frames(np.minimum(np.arange(frames), motion.frame_count - 1))

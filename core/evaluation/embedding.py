"""Motions and captions through an evaluator, in batches."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ScaleMoGenError
from ..features import FeatureLayout, feature_layout
from ..motion import Motion
from ..text.cache import CachedTextEncoder
from .evaluator import Evaluator
from .storage import load_evaluator

BATCH = 64


def layout_features(motion: Motion, layout: FeatureLayout) -> np.ndarray:
    """Features [T, F] of a motion on the canonical skeleton, in the layout's units and rate.

    HumanML3D's skeleton has the canonical joints at 20 fps, so any motion fits; SnapMoGen's has
    others, so only motions that are on it do.
    """
    own = motion.skeleton.name == layout.skeleton.name
    if not own and (layout.name == "snapmogen" or motion.skeleton.name == "snapmogen"):
        raise ScaleMoGenError(
            f"motions on the {motion.skeleton.name} skeleton have no {layout.name} features; "
            "use an evaluator of another layout, or embeddings (--embeddings)"
        )
    return layout.encode(motion.resampled(layout.skeleton.fps))


def embed_features(evaluator: Evaluator, features: Sequence[np.ndarray]) -> np.ndarray:
    """Unit vectors [n, embedding] of feature arrays [T, F], those of like length together."""
    # A clip of a frame or two says nothing, but must not end a long evaluation.
    least = evaluator.config.patch
    whole = [
        f if len(f) >= least else np.pad(f, ((0, least - len(f)), (0, 0)), "edge") for f in features
    ]
    return _embed(evaluator, whole, evaluator.embed_motions)


def embed_states(evaluator: Evaluator, states: Sequence[np.ndarray]) -> np.ndarray:
    """Unit vectors [n, embedding] of text states [L, text width]."""
    cut = [s[: evaluator.config.max_text] for s in states]
    return _embed(evaluator, cut, evaluator.embed_texts)


@torch.inference_mode()
def _embed(
    evaluator: Evaluator,
    arrays: Sequence[np.ndarray],
    embed: Callable[[Tensor, Tensor], Tensor],
) -> np.ndarray:
    device = evaluator.mean.device
    result = np.zeros((len(arrays), evaluator.config.embedding), dtype=np.float32)
    order = np.argsort([len(a) for a in arrays], kind="stable")
    for at in range(0, len(order), BATCH):
        members = order[at : at + BATCH]
        chosen = [torch.from_numpy(np.asarray(arrays[i], dtype=np.float32)) for i in members]
        lengths = torch.tensor([len(c) for c in chosen], device=device)
        padded = nn.utils.rnn.pad_sequence(chosen, batch_first=True).to(device)
        result[members] = embed(padded, lengths).float().cpu().numpy()
    return result


class Embedder:
    """An evaluator with its text encoder: motions and sentences in, unit vectors out."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.layout = feature_layout(evaluator.config.layout)
        self._encoder = CachedTextEncoder(evaluator.config.text_encoder)
        if self._encoder.width != evaluator.config.text_width:
            raise ScaleMoGenError(
                f"the text encoder gives {self._encoder.width} numbers a token, but this evaluator "
                f"was trained on {evaluator.config.text_width}; name another evaluator"
            )

    @classmethod
    def load(cls, folder: Path) -> "Embedder":
        """The evaluator of a folder; ScaleMoGenError when it cannot be used."""
        return cls(load_evaluator(folder))

    def states(self, sentences: Sequence[str]) -> list[np.ndarray]:
        """Text states [L, width] of sentences."""
        result: list[np.ndarray] = []
        for at in range(0, len(sentences), 256):
            result += self._encoder.encode(sentences[at : at + 256])
        return result

    def texts(self, sentences: Sequence[str]) -> np.ndarray:
        """Unit vectors [n, embedding] of sentences."""
        return embed_states(self.evaluator, self.states(sentences))

    def motions(self, motions: Sequence[Motion]) -> np.ndarray:
        """Unit vectors [n, embedding] of motions."""
        return embed_features(self.evaluator, [layout_features(m, self.layout) for m in motions])

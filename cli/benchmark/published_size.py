"""A model of the published size with random weights: as slow and as large, whatever it moves."""

from collections.abc import Sequence

import numpy as np

from core.model.config import Scale
from core.model.presets import published
from core.model.weights import Model, build

#: SnapMoGen's seven scales, all with every body part for itself (arXiv 2605.11704).
_DIVISORS = (80, 40, 20, 10, 5, 2, 1)
_PARTS = tuple((part,) for part in range(7))
_MAX_LATENTS = 80
#: Tokens of a usual sentence.
_TEXT_TOKENS = 12


def random_model() -> Model:
    """143.8 M parameters with fresh random weights, the same every time."""
    import torch

    torch.manual_seed(0)
    scales = tuple(Scale(divisor, _PARTS) for divisor in _DIVISORS)
    model = build(published("snapmogen", scales, _MAX_LATENTS))
    model.tokenizer.requires_grad_(False)
    model.transformer.requires_grad_(False)
    return model


class RandomText:
    """Stands for a text encoder that is left out: states of the right width, at no cost."""

    def __init__(self, width: int) -> None:
        self.width = width

    def load(self) -> "RandomText":
        return self

    def encode(self, prompts: Sequence[str]) -> list[np.ndarray]:
        """States [12, width] float32 of each prompt, by its length."""
        return [
            np.random.default_rng(len(prompt)).standard_normal(
                (_TEXT_TOKENS, self.width), dtype=np.float32
            )
            for prompt in prompts
        ]

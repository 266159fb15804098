"""Small random models for the tests of the engine."""

import torch

from core.model.config import ModelConfig, Scale, TokenizerConfig, TransformerConfig
from core.model.weights import Model, build

BODY = (tuple(range(7)),)
SIDES = ((0, 3, 6), (1, 4), (2, 5))
PARTS = tuple((part,) for part in range(7))

_TRANSFORMER = {
    "width": 32,
    "depth": 2,
    "heads": 2,
    "text_width": 48,
    "max_text": 12,
    "ffn_width": 64,
    "text_encoder": "minilm",
}

#: Our structure: frames folded, cells as the clip needs them.
OURS = ModelConfig(
    "tiny",
    TokenizerConfig(
        layout="canonical",
        width=16,
        bits=6,
        scales=(Scale(8, BODY), Scale(4, SIDES), Scale(1, PARTS)),
        max_latents=20,
        fold=4,
        strides=(2, 1),
        dropout=0.0,
        padding="clip",
        smoothing=5,
    ),
    TransformerConfig(scale_rows=3, length_condition=True, drop_path=0.0, **_TRANSFORMER),
)


def published_like(layout: str) -> ModelConfig:
    """The published structure of a layout, narrow; HumanML3D with its own eleven scales."""
    if layout == "snapmogen":
        scales = tuple(Scale(divisor, PARTS) for divisor in (20, 7, 2, 1))
        latents = 20
    else:
        two = ((0, 3), (1, 2, 4, 5, 6))
        three = ((0, 3), (1, 2), (4, 5, 6))
        five = ((0,), (3,), (1, 2), (4, 5), (6,))
        scales = (
            *(Scale(divisor, BODY) for divisor in (49, 24)),
            *(Scale(divisor, two) for divisor in (24, 16, 7)),
            *(Scale(divisor, three) for divisor in (7, 4, 2)),
            *(Scale(divisor, five) for divisor in (2, 1)),
            Scale(1, PARTS),
        )
        latents = 49
    return ModelConfig(
        layout,
        TokenizerConfig(layout=layout, width=12, bits=6, scales=scales, max_latents=latents),
        TransformerConfig(scale_rows=12, drop_path=0.0, **_TRANSFORMER),
    )


def random_model(config: ModelConfig, seed: int = 0) -> Model:
    """A model whose every parameter is random, so that nothing is zero by chance."""
    torch.manual_seed(seed)
    model = build(config)
    with torch.no_grad():
        for network in (model.tokenizer, model.transformer):
            for parameter in network.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
    width = len(model.mean)
    model.mean, model.std = torch.randn(width) * 0.1, torch.rand(width) + 0.5
    return model

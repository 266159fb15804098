"""Configurations: the bundled model's, and the two published ones."""

from .config import ModelConfig, Scale, TokenizerConfig, TransformerConfig

_BODY = ((0, 1, 2, 3, 4, 5, 6),)
_HALVES = ((0, 1, 2), (3, 4, 5, 6))
_LIMBS = ((0, 3, 6), (1, 2), (4,), (5,))
_PARTS_HEAD_ON_SPINE = ((0,), (1,), (2,), (3, 6), (4,), (5,))
_PARTS = tuple((part,) for part in range(7))


def bundled() -> ModelConfig:
    """The small model: eight frames a latent, six scales that refine time and body together.

    187 tokens for 4.3 s.  Arms part from the trunk at the fourth scale, so that gestures and gaits
    combine freely.
    """
    tokenizer = TokenizerConfig(
        layout="canonical",
        width=128,
        bits=24,
        scales=(
            Scale(16, _BODY),
            Scale(8, _BODY),
            Scale(4, _HALVES),
            Scale(4, _LIMBS),
            Scale(2, _PARTS_HEAD_ON_SPINE),
            Scale(1, _PARTS),
        ),
        max_latents=40,
        fold=8,
        strides=(1, 1),
        dropout=0.0,
        padding="clip",
        smoothing=9,
    )
    transformer = TransformerConfig(
        width=256,
        depth=6,
        heads=4,
        text_width=384,
        max_text=64,
        ffn_width=1024,
        scale_rows=len(tokenizer.scales),
        text_encoder="minilm",
        length_condition=True,
        drop_path=0.1,
        guidance=3.0,
        guidance_ramp=(1.0, 1.0),
        temperature=1.0,
        temperature_ramp=(1.0, 0.6),
    )
    return ModelConfig("bundled", tokenizer, transformer)


def published(layout: str, scales: tuple[Scale, ...], max_latents: int) -> ModelConfig:
    """The published full size (143.8 M parameters in all) for a layout and its scale chain."""
    return ModelConfig(
        layout,
        TokenizerConfig(layout, width=384, bits=24, scales=scales, max_latents=max_latents),
        TransformerConfig(
            width=768,
            depth=12,
            heads=8,
            text_width=2048,
            max_text=512,
            ffn_width=3072,
            scale_rows=15,
            text_encoder="t5",
        ),
    )

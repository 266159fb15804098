"""The text-motion evaluator: motions and sentences in one space where matching ones lie close.

Contrastive after TMR (Petrovich, Black, Varol 2023, arXiv 2305.00976), smaller: a transformer over
patches of feature frames, another over frozen text states, both ending on the unit sphere.  It
shares no weight with the generator.  Shapes: B batch, T frames, F features, L text tokens.
"""

import json
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: What a score of a hidden place becomes; finite, so that half precision stays sound.
_HIDDEN = -1e4


@dataclass(frozen=True)
class EvaluatorConfig:
    """Sizes.  ``layout``: the feature layout that it reads (see core.features)."""

    name: str = "evaluator"
    layout: str = "canonical"
    features: int = 272
    patch: int = 8
    width: int = 192
    depth: int = 4
    heads: int = 4
    text_depth: int = 1
    embedding: int = 128
    text_encoder: str = "minilm"
    text_width: int = 384
    max_text: int = 64
    dropout: float = 0.1

    def to_json(self) -> str:
        return json.dumps({"format": 1, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "EvaluatorConfig":
        """Inverse of :meth:`to_json`; ValueError when a field is wrong, missing or unknown."""
        table = json.loads(text)
        if not isinstance(table, dict) or table.pop("format", None) != 1:
            raise ValueError("it is not of format 1")
        kinds = {name: type(value) for name, value in asdict(cls()).items()}
        for name, value in table.items():
            if name not in kinds:
                raise ValueError(f"it has an unknown field {name!r}")
            if not isinstance(value, kinds[name]) or isinstance(value, bool):
                raise ValueError(f"its field {name!r} has the wrong type")
            if isinstance(value, int) and not 0 < value <= 4096:
                raise ValueError(f"its field {name!r} is out of range")
        if absent := sorted(kinds.keys() - table.keys()):
            raise ValueError(f"it lacks the field {absent[0]!r}")
        if table["width"] % table["heads"] or table["width"] % 2:
            raise ValueError("its width must be even and divisible by its heads")
        return cls(**table)


class _Block(nn.Module):
    """Self-attention and feed-forward, normalised before.

    Attention is written out: on a CPU the fused kernel's backward pass is many times slower.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout = dropout

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x [B, L, C]; ``bias`` [B, 1, 1, L] is added to the scores."""
        q, k, v = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias.to(q.dtype)
        mixed = (scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)
        x = x + F.dropout(self.out(mixed), self.dropout, self.training)
        h = self.narrow(F.gelu(self.wide(self.norm2(x))))
        return x + F.dropout(h, self.dropout, self.training)


class SequenceEncoder(nn.Module):
    """A sequence [B, L, inputs] of ``lengths`` [B] as unit vectors [B, embedding]."""

    def __init__(self, inputs: int, depth: int, config: EvaluatorConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.project = nn.Linear(inputs, config.width)
        self.blocks = nn.ModuleList(
            _Block(config.width, config.heads, config.dropout) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(config.width)
        self.attend = nn.Linear(config.width, config.heads)
        self.embed = nn.Linear(2 * config.width, config.embedding)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        steps = torch.arange(x.shape[1], device=x.device)
        hidden = steps >= lengths[:, None]
        bias = hidden[:, None, None].float() * _HIDDEN
        x = self.project(x)
        x = x + _positions(steps, x.shape[-1]).to(x.dtype)
        for block in self.blocks:
            x = block(x, bias)
        x = self.norm(x).float()
        # Two summaries: what stands out (learned weights) and what there is on average.
        scores = self.attend(x).float() + hidden[..., None] * _HIDDEN
        weights = scores.softmax(1)[..., None]
        strong = (weights * x.unflatten(-1, (self.heads, -1))).sum(1).flatten(1)
        average = (x * ~hidden[..., None]).sum(1) / lengths[:, None]
        return F.normalize(self.embed(torch.cat([strong, average], -1)).float(), dim=-1)


class Evaluator(nn.Module):
    """Both encoders; ``mean`` and ``std`` [F] normalise the features inside."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.config = config
        self.motion = SequenceEncoder(config.patch * config.features, config.depth, config)
        self.text_norm = nn.LayerNorm(config.text_width)
        self.text = SequenceEncoder(config.text_width, config.text_depth, config)
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("std", torch.ones(config.features))

    def embed_motions(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Unit vectors [B, embedding] of features [B, T, F] in the layout's units.

        ``lengths`` [B] frames exist; a last incomplete patch is left out, so at least ``patch``
        frames are needed.
        """
        patch = self.config.patch
        x = ((features - self.mean) / self.std).clamp(-10, 10)
        usable = x.shape[1] // patch * patch
        x = x[:, :usable].unflatten(1, (-1, patch)).flatten(2)
        embedded: Tensor = self.motion(x, (lengths // patch).clamp_min(1))
        return embedded

    def embed_texts(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Unit vectors [B, embedding] of padded text states [B, L, text width]."""
        embedded: Tensor = self.text(self.text_norm(states), lengths)
        return embedded


def _positions(steps: Tensor, width: int) -> Tensor:
    """Sines and cosines [L, width] of the place in the sequence (Vaswani et al. 2017)."""
    rates = torch.exp(
        torch.arange(width // 2, device=steps.device) * (-9.21 / max(1, width // 2 - 1))
    )
    angles = steps[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)

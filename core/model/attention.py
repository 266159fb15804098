"""Attention layers of the next-scale transformer (arXiv 2605.11704, section 4)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotary_table(positions: Tensor, head_width: int) -> Tensor:
    """Angles [tokens, head_width / 2] of grid positions (time, part) [tokens, 2].

    The first half of the rotated pairs turns with time, the second with the body part.
    """
    pairs = head_width // 2
    steps = torch.arange(0, pairs, 2, dtype=torch.float32)
    frequencies = 10000.0 ** (-steps / pairs)
    return torch.cat([positions[:, :1] * frequencies, positions[:, 1:] * frequencies], dim=1)


def apply_rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the interleaved pairs (2k, 2k + 1) of x [B, heads, L, h] by the angles [L, h / 2]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Scaled dot-product attention of [B, heads, L, h]; ``mask`` bool, True where allowed.

    On a CPU the fused kernel's backward pass costs more than the rest of a training step, so there
    training writes the two products out.
    """
    if q.device.type != "cpu" or not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    scores = q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e4)
    return torch.softmax(scores, -1).to(v.dtype) @ v


class KeyValueCache:
    """Keys and values of the scales generated so far, for every block."""

    def __init__(self, depth: int) -> None:
        self._keys: list[list[Tensor]] = [[] for _ in range(depth)]
        self._values: list[list[Tensor]] = [[] for _ in range(depth)]

    def extend(self, block: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append [B, heads, L, h] to a block's memory and return all of it."""
        self._keys[block].append(keys)
        self._values[block].append(values)
        keys, values = torch.cat(self._keys[block], 2), torch.cat(self._values[block], 2)
        self._keys[block], self._values[block] = [keys], [values]
        return keys, values

    @property
    def depth(self) -> int:
        return len(self._keys)

    def of(self, block: int) -> tuple[Tensor, Tensor]:
        """All keys and values [B, heads, L, h] of a block."""
        return torch.cat(self._keys[block], 2), torch.cat(self._values[block], 2)

    def keep(self, batch: int) -> None:
        """Forget all but the first rows of the batch."""
        self._keys = [[keys[:batch] for keys in block] for block in self._keys]
        self._values = [[values[:batch] for values in block] for block in self._values]


class SelfAttention(nn.Module):
    """Multi-head attention with unit-length queries and keys, a learned scale and 2-D rotation."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))
        # Together with the division by sqrt(head width) the first logits lie within -4..4.
        first_scale = 4.0 * (width // heads) ** 0.5
        self.log_scale = nn.Parameter(torch.full((1, heads, 1, 1), math.log(first_scale)))
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        rotary: tuple[Tensor, Tensor],
        mask: Tensor | None,
        cache: KeyValueCache | None = None,
        block: int = 0,
    ) -> Tensor:
        """x [B, L, C]; ``rotary`` cos and sin [L, h / 2]; ``mask`` bool, True where allowed."""
        q, k, v = self.project(x, rotary)
        if cache is not None:
            k, v = cache.extend(block, k, v)
        out = attend(q, k, v, mask)
        return self.out(out.transpose(1, 2).flatten(2))

    def project(self, x: Tensor, rotary: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [B, heads, L, h]."""
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(x, self.qkv.weight, bias).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        q = F.normalize(q, dim=-1) * self.log_scale.clamp_max(math.log(100.0)).exp()
        k = F.normalize(k, dim=-1)
        q, k = apply_rotary(q, *rotary).to(v.dtype), apply_rotary(k, *rotary).to(v.dtype)
        return q, k, v


class CrossAttention(nn.Module):
    """Attention from motion tokens to text states that are already C wide."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width, bias=False)
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.out = nn.Linear(width, width)

    def keys_values(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, heads, L, h] of text [B, L, C]: the same for every scale."""
        return _keys_values(text, self.kv, self.v_bias, self.heads)

    def forward(self, x: Tensor, text: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """x [B, L, C]; ``mask`` [B, 1, 1, text length] bool, True where there is text."""
        q = self.q(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        keys, values = text
        out = attend(q, keys, values, mask)
        return self.out(out.transpose(1, 2).flatten(2))


class AttentionPool(nn.Module):
    """Text states of any width to one vector [B, C], by a learned query per head."""

    def __init__(self, text_width: int, width: int) -> None:
        super().__init__()
        # Heads see 128 channels of the text each.
        self.heads = max(1, text_width // 128)
        self.query = nn.Parameter(torch.randn(1, self.heads, width // self.heads) * 0.02)
        self.kv = nn.Linear(text_width, 2 * (width // self.heads) * self.heads, bias=False)
        self.v_bias = nn.Parameter(torch.zeros((width // self.heads) * self.heads))
        self.out = nn.Linear((width // self.heads) * self.heads, width)

    def forward(self, text: Tensor, mask: Tensor | None) -> Tensor:
        keys, values = _keys_values(text, self.kv, self.v_bias, self.heads)
        query = self.query[:, :, None].expand(text.shape[0], -1, -1, -1).to(values.dtype)
        out = attend(query, keys, values, mask)
        return self.out(out.transpose(1, 2).flatten(1))


def _keys_values(text: Tensor, kv: nn.Linear, v_bias: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    bias = torch.cat([torch.zeros_like(v_bias), v_bias])
    both = F.linear(text, kv.weight, bias).unflatten(-1, (2, heads, -1))
    keys, values = both.permute(2, 0, 3, 1, 4)
    return keys, values

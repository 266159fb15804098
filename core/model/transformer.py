"""The next-scale transformer: predicts each token map's bits from all coarser ones and a text.

arXiv 2605.11704, section 4.  Shapes: B batch, L tokens of all scales at hand, C width, d bits.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import AttentionPool, CrossAttention, KeyValueCache, SelfAttention, rotary_table
from .config import TransformerConfig
from .pyramid import Pyramid


@dataclass
class TextCondition:
    """What the transformer needs of a batch of texts, computed once per generation.

    vector: [B, C] pooled text; keys_values: per block, [B, heads, text length, h] each;
    mask: [B, 1, 1, text length] bool, or None when every text has the full length.
    """

    vector: Tensor
    keys_values: list[tuple[Tensor, Tensor]]
    mask: Tensor | None

    def repeated(self, count: int) -> "TextCondition":
        """The condition for ``count`` variations of each text, sharing memory."""

        def spread(x: Tensor) -> Tensor:
            return x[:, None].expand(-1, count, *x.shape[1:]).flatten(0, 1)

        return TextCondition(
            spread(self.vector),
            [(spread(k), spread(v)) for k, v in self.keys_values],
            None if self.mask is None else spread(self.mask),
        )

    def first(self, count: int) -> "TextCondition":
        """The condition of the first rows of the batch."""
        rows = [(keys[:count], values[:count]) for keys, values in self.keys_values]
        return TextCondition(
            self.vector[:count], rows, None if self.mask is None else self.mask[:count]
        )


class Block(nn.Module):
    """Self-attention, cross-attention to the text, feed-forward; modulated by the condition."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.modulation = nn.Parameter(torch.randn(6, width) / width**0.5)
        self.self_attention = SelfAttention(width, config.heads)
        self.cross_norm = nn.LayerNorm(width, eps=1e-6)
        self.cross_attention = CrossAttention(width, config.heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, config.ffn_width),
            nn.GELU(approximate="tanh"),
            nn.Linear(config.ffn_width, width),
        )
        self.drop_path = config.drop_path

    def forward(
        self,
        x: Tensor,
        modulation: Tensor,
        rotary: tuple[Tensor, Tensor],
        mask: Tensor | None,
        text: tuple[Tensor, Tensor],
        text_mask: Tensor | None,
        cache: KeyValueCache | None,
        index: int,
    ) -> Tensor:
        """x [B, L, C]; ``modulation`` [B, 6, C] is shared by all blocks and added to our own."""
        gate1, gate2, scale1, scale2, shift1, shift2 = (self.modulation + modulation)[
            :, None
        ].unbind(2)
        width = x.shape[-1:]
        h = F.layer_norm(x, width, eps=1e-6) * (1 + scale1) + shift1
        x = x + self._drop(gate1 * self.self_attention(h, rotary, mask, cache, index))
        x = x + self.cross_attention(self.cross_norm(x), text, text_mask)
        h = F.layer_norm(x, width, eps=1e-6) * (1 + scale2) + shift2
        return x + self._drop(gate2 * self.feed_forward(h))

    def remember(
        self,
        x: Tensor,
        modulation: Tensor,
        rotary: tuple[Tensor, Tensor],
        cache: KeyValueCache,
        index: int,
    ) -> None:
        """Only put the keys and values of x into the cache."""
        _, _, scale, _, shift, _ = (self.modulation + modulation)[:, None].unbind(2)
        h = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift
        _, keys, values = self.self_attention.project(h, rotary)
        cache.extend(index, keys, values)

    def _drop(self, x: Tensor) -> Tensor:
        """Stochastic depth: in training the branch of a whole sample is dropped at random."""
        if not self.training or self.drop_path == 0:
            return x
        keep = torch.rand(x.shape[0], 1, 1, device=x.device) >= self.drop_path
        return x * keep / (1 - self.drop_path)


class NextScaleTransformer(nn.Module):
    """Logits for the bits of token maps, all tokens of a scale at once."""

    def __init__(self, config: TransformerConfig, bits: int, pyramid: Pyramid) -> None:
        super().__init__()
        width = config.width
        if width % config.heads or (width // config.heads) % 4:
            raise ValueError("the width of a head must be a multiple of 4")
        self.config, self.bits = config, bits
        self._pyramid = [pyramid]  # in a list: its buffers belong to the tokenizer
        self.unconditional = nn.Parameter(torch.randn(config.max_text, config.text_width) * 0.02)
        self.text_norm = nn.RMSNorm(config.text_width, eps=1e-6)
        self.text_pool = AttentionPool(config.text_width, width)
        self.text_project = nn.Sequential(
            nn.Linear(config.text_width, width),
            nn.GELU(approximate="tanh"),
            nn.Linear(width, width),
        )
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.scale_embed = nn.Embedding(config.scale_rows, width)
        self.code_embed = nn.Linear(bits, width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.modulate = nn.Linear(width, 6 * width)
        self.head_modulate = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, 2 * bits)
        self.length_embed = nn.Linear(16, width) if config.length_condition else None
        nn.init.trunc_normal_(self.scale_embed.weight, std=0.02)
        for layer in (self.modulate, self.head_modulate):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    @property
    def pyramid(self) -> Pyramid:
        return self._pyramid[0]

    # --- text ------------------------------------------------------------------------------------

    def condition(self, states: Tensor, lengths: Tensor | None, latents: Tensor) -> TextCondition:
        """Condition of text states [B, L, text width], of which ``lengths`` [B] exist (None: all).

        ``latents`` [B]: lengths of the clips in latent frames.
        """
        mask = None
        if lengths is not None:
            index = torch.arange(states.shape[1], device=states.device)
            mask = (index < lengths[:, None])[:, None, None]
        normed = self.text_norm(states)
        vector = self.text_pool(normed, mask)
        if self.length_embed is not None:
            vector = vector + self.length_embed(_length_features(latents))
        text = self.text_project(normed)
        return TextCondition(
            vector, [block.cross_attention.keys_values(text) for block in self._blocks()], mask
        )

    def unconditional_states(self, length: int) -> Tensor:
        """Learned stand-in [length, text width] for a text of that many tokens."""
        return self.unconditional[:length]

    # --- tokens ----------------------------------------------------------------------------------

    def start_tokens(self, condition: TextCondition, tokens: int) -> Tensor:
        """Inputs [B, tokens, C] of scale 0: the condition first, then zeros (see model.md 4)."""
        first = (condition.vector + self.start)[:, None]
        return F.pad(first, (0, 0, 0, tokens - 1))

    def embed(self, inputs: Tensor) -> Tensor:
        """[B, tokens, C] of resampled code sums [B, tokens, d]."""
        embedded: Tensor = self.code_embed(inputs)
        return embedded

    def run(
        self,
        x: Tensor,
        scales: range,
        latents: int,
        condition: TextCondition,
        mask: Tensor | None,
        cache: KeyValueCache | None = None,
        tokens: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, L, d, 2] of inputs x [B, L, C], the tokens of the given scales in order.

        ``tokens`` [L]: x holds only those of them.
        """
        rotary, x, modulation = self._prepared(x, scales, latents, condition, tokens)
        for index, block in enumerate(self._blocks()):
            text = condition.keys_values[index]
            x = block(x, modulation, rotary, mask, text, condition.mask, cache, index)
        scale, shift = self.head_modulate(F.silu(condition.vector)).chunk(2, -1)
        x = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]
        logits: Tensor = self.head(x).unflatten(-1, (self.bits, 2))
        return logits

    def remember(
        self,
        x: Tensor,
        scales: range,
        latents: int,
        condition: TextCondition,
        mask: Tensor | None,
        cache: KeyValueCache,
        tokens: Tensor | None = None,
    ) -> None:
        """Like :meth:`run`, but only to fill the cache: cheaper where no logits are wanted."""
        rotary, x, modulation = self._prepared(x, scales, latents, condition, tokens)
        *others, last = self._blocks()
        for index, block in enumerate(others):
            text = condition.keys_values[index]
            x = block(x, modulation, rotary, mask, text, condition.mask, cache, index)
        last.remember(x, modulation, rotary, cache, len(others))

    def _prepared(
        self,
        x: Tensor,
        scales: range,
        latents: int,
        condition: TextCondition,
        tokens: Tensor | None,
    ) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
        """Rotary table, x with its scales' embeddings, and the modulation that blocks share."""
        rotary, level = self.token_tables(scales, latents)
        if tokens is not None:
            rotary, level = (rotary[0][tokens], rotary[1][tokens]), level[tokens]
        modulation = self.modulate(F.silu(condition.vector)).unflatten(-1, (6, -1))
        return rotary, x + level, modulation

    def token_tables(self, scales: range, latents: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """(cos, sin) [L, h / 2] and scale embeddings [L, C] of the tokens of some scales."""
        device = self.start.device
        positions = torch.cat([self.pyramid.positions(s, latents) for s in scales])
        angles = rotary_table(positions, self.config.width // self.config.heads).to(device)
        counts = torch.tensor([self.pyramid.shape(s, latents).tokens for s in scales])
        index = torch.repeat_interleave(torch.tensor(list(scales)), counts).to(device)
        return (angles.cos(), angles.sin()), self.scale_embed(index)

    def start_mask(self, latents: int) -> Tensor | None:
        """[tokens of scale 0] bool: columns that may be seen; None when all may be.

        Only the first start token carries anything; the published model hides the others.  Ours
        shows them: they stand for places in time that finer scales may look back at.
        """
        tokens = self.pyramid.shape(0, latents).tokens
        if tokens == 1 or self.pyramid.by_clip:
            return None
        return torch.arange(tokens, device=self.start.device) == 0

    def teacher_mask(self, latents: int, lengths: Tensor | None = None) -> Tensor:
        """Block-causal mask [B or 1, 1, L, L]: a token sees its own and all coarser scales.

        ``lengths`` [B]: columns of cells beyond a clip's end are hidden.
        """
        device = self.start.device
        shapes = self.pyramid.shapes(latents)
        counts = torch.tensor([shape.tokens for shape in shapes])
        scale = torch.repeat_interleave(torch.arange(len(shapes)), counts).to(device)
        mask = (scale[:, None] >= scale[None])[None, None]
        columns = self.start_mask(latents)
        if columns is not None:
            visible = torch.ones_like(scale, dtype=torch.bool)
            visible[: len(columns)] = columns
            mask = mask & visible
        if lengths is not None:
            mask = mask & self.valid_tokens(latents, lengths)[:, None, None]
        return mask

    def valid_tokens(self, latents: int, lengths: Tensor) -> Tensor:
        """[B, L] bool: which tokens exist for clips of ``lengths`` [B] latent frames."""
        return torch.cat(
            [
                self.pyramid.valid_cells(s, lengths, latents).repeat_interleave(shape.groups, 1)
                for s, shape in enumerate(self.pyramid.shapes(latents))
            ],
            1,
        )

    def forward(
        self,
        inputs: Tensor,
        states: Tensor,
        text_lengths: Tensor | None,
        latents: int,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Teacher-forced logits [B, L, d, 2] of all scales in one pass.

        inputs: [B, L - tokens of scale 0, d], the resampled code sums of scales 1 and on;
        ``lengths`` [B] latent frames of each clip, where they differ from ``latents``.
        """
        batch = inputs.shape[0]
        clip_lengths = lengths
        if clip_lengths is None:
            clip_lengths = torch.full((batch,), latents, device=inputs.device)
        condition = self.condition(states, text_lengths, clip_lengths)
        tokens = self.pyramid.shape(0, latents).tokens
        x = torch.cat([self.start_tokens(condition, tokens), self.embed(inputs)], 1)
        mask = self.teacher_mask(latents, lengths)
        return self.run(x, range(len(self.pyramid)), latents, condition, mask)

    def compile_blocks(self) -> None:
        """Compile the blocks one by one: they share one graph, which takes seconds, not minutes."""
        for block in self._blocks():
            block.compile(dynamic=True)

    def _blocks(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]


def _length_features(latents: Tensor) -> Tensor:
    """Smooth features [B, 16] of a clip's length in latent frames, on a logarithmic axis."""
    position = torch.log2(latents.float().clamp_min(1.0))[:, None]
    frequencies = 0.5 ** torch.arange(8, device=latents.device).float() * torch.pi
    # Periods from one doubling to far beyond the longest clip: fine and coarse at once.
    angles = position * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)

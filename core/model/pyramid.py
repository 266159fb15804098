"""The scale pyramid: how latent frames x body parts are resampled to each scale's token map.

Pooling and interpolation are fixed matrices, one product per scale: adaptive pooling with sizes
that do not divide is missing on Metal, and the same matrices serve editing masks.
"""

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor, nn

from .config import Scale, TokenizerConfig

PARTS = 7


def average_matrix(cells: int, length: int, divisor: int | None) -> Tensor:
    """[cells, length] means over time.

    With a divisor, cell i covers ``divisor`` latents; without, the bounds are those of adaptive
    average pooling: floor(i * length / cells) to ceil((i + 1) * length / cells).
    """
    matrix = torch.zeros(cells, length)
    for cell in range(cells):
        if divisor is None:
            low, high = cell * length // cells, ceil((cell + 1) * length / cells)
        else:
            low, high = cell * divisor, min((cell + 1) * divisor, length)
        matrix[cell, low:high] = 1.0 / (high - low)
    return matrix


def linear_matrix(target: int, source: int, ratio: float) -> Tensor:
    """[target, source] linear interpolation (align_corners off), ``ratio`` source steps a step."""
    matrix = torch.zeros(target, source)
    for row in range(target):
        at = max((row + 0.5) * ratio - 0.5, 0.0)
        low = min(int(at), source - 1)
        high = min(low + 1, source - 1)
        matrix[row, low] += 1.0 - (at - low)
        matrix[row, high] += at - low
    return matrix


@dataclass(frozen=True)
class ScaleShape:
    """Token map of one scale for one clip length: ``cells`` in time x ``groups`` of parts."""

    cells: int
    groups: int

    @property
    def tokens(self) -> int:
        return self.cells * self.groups


class Pyramid(nn.Module):
    """Resampling between latent frames x 7 parts and the token maps of every scale.

    All maps are channels-last: latents [B, T', 7, d], token maps [B, cells, groups, d].
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.scales: tuple[Scale, ...] = config.scales
        self.max_latents = config.max_latents
        self.by_clip = config.padding == "clip"
        length = config.max_latents
        for index, scale in enumerate(config.scales):
            if self.by_clip:
                cells = ceil(length / scale.divisor)
                pool = average_matrix(cells, length, scale.divisor)
                narrow = pool
                up = linear_matrix(length, cells, 1.0 / scale.divisor)
            else:
                cells = length // scale.divisor
                pool = average_matrix(cells, length, None)
                narrow = linear_matrix(cells, length, length / cells)
                up = linear_matrix(length, cells, cells / length)
            membership = torch.zeros(len(scale.groups), PARTS)
            for row, group in enumerate(scale.groups):
                membership[row, list(group)] = 1.0
            for name, matrix in (
                ("pool", pool),
                ("narrow", narrow),
                ("up", up),
                ("gather", membership / membership.sum(1, keepdim=True)),
                ("spread", membership.T.contiguous()),
            ):
                self.register_buffer(f"{name}_{index}", matrix, persistent=False)

    def __len__(self) -> int:
        return len(self.scales)

    def shape(self, scale: int, latents: int) -> ScaleShape:
        """Cells and groups that a clip of ``latents`` latent frames has at a scale."""
        cells = ceil(latents / self.scales[scale].divisor)
        cells = min(cells, getattr(self, f"pool_{scale}").shape[0])
        return ScaleShape(cells, len(self.scales[scale].groups))

    def working_length(self, latents: int) -> int:
        """Latent frames over which code sums are kept for a clip of ``latents`` latent frames.

        The published method sums codes over the longest clip's frames, and its interpolation reads
        beyond a short clip's end; only sums of codes are kept there, nothing is computed.
        """
        return latents if self.by_clip else self.max_latents

    def shapes(self, latents: int) -> list[ScaleShape]:
        return [self.shape(scale, latents) for scale in range(len(self))]

    def positions(self, scale: int, latents: int) -> Tensor:
        """Grid position (time, part) [tokens, 2] of each token on the finest scale's grid."""
        shape = self.shape(scale, latents)
        rows = getattr(self, f"pool_{scale}").shape[0]
        # A cell of ours starts at its divisor's multiple, whatever the longest clip is.
        step = float(self.scales[scale].divisor) if self.by_clip else self.max_latents / rows
        time = torch.round(torch.arange(shape.cells) * step)
        part = torch.round(torch.arange(shape.groups) * PARTS / shape.groups)
        return torch.cartesian_prod(time, part).reshape(-1, 2)

    def to_scale(self, latents: Tensor, scale: int, *, mean: bool, valid: Tensor | None) -> Tensor:
        """Token map [B, cells, groups, d] of latents [B, T', 7, d].

        ``mean`` averages over time (what the quantizer reads); otherwise the transformer's input is
        made, which the published method interpolates.  ``valid`` [B, T'] marks existing latents.
        """
        if scale == len(self) - 1:
            return latents
        length = latents.shape[1]
        cells = self.shape(scale, length).cells
        matrix = getattr(self, f"{'pool' if mean else 'narrow'}_{scale}")[:cells, :length]
        if valid is not None:
            latents = latents * valid[..., None, None]
        out = torch.einsum("ct,btpd->bcpd", matrix, latents)
        if self.by_clip:
            mass = matrix.sum(1)[None] if valid is None else valid.to(matrix.dtype) @ matrix.T
            out = out / mass.clamp_min(1e-6)[..., None, None]
        return torch.einsum("gp,bcpd->bcgd", getattr(self, f"gather_{scale}"), out)

    def from_scale(self, tokens: Tensor, scale: int, length: int, valid: Tensor | None) -> Tensor:
        """Latents [B, T', 7, d] of a token map; ``valid`` [B, cells] marks existing cells."""
        if scale == len(self) - 1:
            return tokens
        matrix = getattr(self, f"up_{scale}")[:length, : tokens.shape[1]]
        if valid is not None:
            tokens = tokens * valid[..., None, None]
        out = torch.einsum("tc,bcgd->btgd", matrix, tokens)
        if self.by_clip:
            mass = matrix.sum(1)[None] if valid is None else valid.to(matrix.dtype) @ matrix.T
            out = out / mass.clamp_min(1e-6)[..., None, None]
        return torch.einsum("pg,btgd->btpd", getattr(self, f"spread_{scale}"), out)

    def valid_cells(self, scale: int, lengths: Tensor, latents: int) -> Tensor:
        """[B, cells] bool: which cells exist for clips of ``lengths`` [B] latent frames."""
        cells = self.shape(scale, latents).cells
        counts = torch.div(
            lengths + self.scales[scale].divisor - 1,
            self.scales[scale].divisor,
            rounding_mode="floor",
        )
        return torch.arange(cells, device=lengths.device)[None] < counts[:, None]

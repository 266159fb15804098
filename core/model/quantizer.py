"""Multi-scale binary spherical quantizer.

Binary spherical quantization: arXiv 2406.07548; its residual multi-scale form: arXiv 2605.11704.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .config import TokenizerConfig
from .pyramid import Pyramid


@dataclass
class Quantized:
    """What quantizing a batch gives.

    latents: [B, T', 7, D]; bits: per scale [B, tokens, d] bool (cells beyond a clip's length are
    meaningless); commitment and entropy: scalars, averaged over the scales that were used.
    """

    latents: Tensor
    bits: list[Tensor]
    commitment: Tensor
    entropy: Tensor


class MultiScaleQuantizer(nn.Module):
    """Encoder output [B, T', 7, D] to bits per scale, coarse to fine, and back."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.bits = config.bits
        self.pyramid = Pyramid(config)
        self.project_in = nn.Linear(config.width, config.bits)
        self.project_out = nn.Linear(config.bits, config.width)

    def forward(self, latents: Tensor, lengths: Tensor | None = None, *, scale_dropout: float = 0.0) -> Quantized:
        """Quantize; ``lengths`` [B] latent frames per clip (None: all), straight-through gradients.

        ``scale_dropout`` skips each scale but the last with that probability (training).
        """
        r = self.project_in(latents)
        total = torch.zeros_like(r)
        frames = r.shape[1]
        valid = None
        if lengths is not None:
            valid = torch.arange(frames, device=r.device)[None] < lengths[:, None]
        bits: list[Tensor] = []
        commitments, entropies = [], []
        last = len(self.pyramid) - 1
        for scale in range(len(self.pyramid)):
            if scale < last and scale_dropout > 0 and torch.rand(()).item() < scale_dropout:
                continue
            if valid is not None:
                r = r * valid[..., None, None]
            z = self.pyramid.to_scale(r, scale, mean=True, valid=valid)
            u = torch.nn.functional.normalize(z, dim=-1)
            code = self.code(u > 0, u.dtype)
            cells = None
            if lengths is not None:
                cells = self.pyramid.valid_cells(scale, lengths, frames)
            commitments.append(_mean_square(u - code, cells))
            entropies.append(self._entropy(u, cells))
            bits.append((u > 0).flatten(1, 2))
            if cells is not None:
                code = code * cells[..., None, None]
            code = u + (code - u).detach()
            if cells is not None:
                code = code * cells[..., None, None]
            up = self.pyramid.from_scale(code, scale, frames, cells)
            # The residual must not send gradients through earlier codes' straight-through path.
            r = r - up.detach()
            total = total + up
        return Quantized(
            latents=self.project_out(total),
            bits=bits,
            commitment=torch.stack(commitments).mean(),
            entropy=torch.stack(entropies).mean(),
        )

    def code(self, bits: Tensor, dtype: torch.dtype) -> Tensor:
        """Unit vectors: bits [..., d] in {0, 1} to +-1 / sqrt(d)."""
        return (2 * bits.to(dtype) - 1) / self.bits**0.5

    def sum_codes(self, bits: list[Tensor], frames: int, lengths: Tensor | None = None) -> Tensor:
        """Running sum [B, T', 7, d] of the codes of the given scales (coarsest first)."""
        total = torch.zeros(
            bits[0].shape[0], frames, 7, self.bits, device=bits[0].device, dtype=self.project_in.weight.dtype
        )
        for scale, map_ in enumerate(bits):
            total = total + self.upsampled(map_, scale, frames, lengths)
        return total

    def upsampled(self, bits: Tensor, scale: int, frames: int, lengths: Tensor | None = None) -> Tensor:
        """What one scale's bits [B, tokens, d] add to the latents: [B, T', 7, d]."""
        shape = self.pyramid.shape(scale, frames)
        code = self.code(bits, self.project_in.weight.dtype).unflatten(1, (shape.cells, shape.groups))
        cells = None
        if lengths is not None:
            cells = self.pyramid.valid_cells(scale, lengths, frames)
            code = code * cells[..., None, None]
        return self.pyramid.from_scale(code, scale, frames, cells)

    def latents_from_bits(self, bits: list[Tensor], frames: int, lengths: Tensor | None = None) -> Tensor:
        """Decoder input [B, T', 7, D] of the bits of every scale."""
        return self.project_out(self.sum_codes(bits, frames, lengths))

    def _entropy(self, u: Tensor, cells: Tensor | None) -> Tensor:
        """Entropy of a bit given its token, less that of the mean bit, over 100 (BSQ, eq. 11)."""
        logits = -4.0 * (u[cells] if cells is not None else u) * 100.0 / self.bits**0.5
        logits = logits.reshape(-1, logits.shape[-1])
        p = torch.sigmoid(logits)
        # Written with the logits: p log p has no finite gradient where the sigmoid saturates.
        token = torch.nn.functional.softplus(logits) - logits * p
        mean = p.mean(0).clamp(1e-6, 1 - 1e-6)
        spread = -torch.xlogy(mean, mean) - torch.xlogy(1 - mean, 1 - mean)
        return (token.mean(0) - spread).sum() / 100.0


def _mean_square(error: Tensor, cells: Tensor | None) -> Tensor:
    return (error[cells] if cells is not None else error).square().mean()

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

    def forward(
        self,
        latents: Tensor,
        lengths: Tensor | None = None,
        *,
        scale_dropout: float = 0.0,
        bit_flip: float = 0.0,
    ) -> Quantized:
        """Quantize; ``lengths`` [B] latent frames per clip (None: all), straight-through gradients.

        ``scale_dropout`` skips each scale but the last with that probability (training).
        ``bit_flip``: every other clip has a random share of its bits, up to this, flipped in what
        is decoded, so that the decoder smooths over a sampled token that does not fit (training).
        """
        with torch.autocast(latents.device.type, enabled=False):
            # In half precision the signs of small numbers and the entropy's logarithms are lost.
            r = self.project_in(latents.float())
            return self._quantize(r, lengths, scale_dropout, bit_flip)

    def _quantize(
        self, r: Tensor, lengths: Tensor | None, scale_dropout: float, bit_flip: float
    ) -> Quantized:
        total = torch.zeros_like(r)
        frames = r.shape[1]
        valid = None
        if lengths is not None:
            valid = torch.arange(frames, device=r.device)[None] < lengths[:, None]
        bits: list[Tensor] = []
        commitments, entropies = [], []
        share = None
        if bit_flip > 0:
            share = (torch.rand(len(r), 1, 1, 1, device=r.device) * 2 - 1).clamp_min(0) * bit_flip
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
            if share is not None:
                code = torch.where(torch.rand_like(code) < share, -code, code)
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

    def self_corrected(
        self, r: Tensor, lengths: Tensor, flip: float
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Training pairs of the transformer: target bits per scale and its inputs of scales 1...

        r: [B, T', 7, d], latents after ``project_in``; ``lengths`` [B] latent frames.  At every
        scale each clip has a random share, up to ``flip``, of its input bits flipped BEFORE the
        residual is taken, so that finer targets repair the mistake (Infinity, arXiv 2412.04431).
        """
        batch, latents = r.shape[:2]
        valid = torch.arange(latents, device=r.device)[None] < lengths[:, None]
        total = self.empty_sum(batch, latents, r)
        targets, inputs = [], []
        last = len(self.pyramid) - 1
        for scale in range(last + 1):
            r = r * valid[..., None, None]
            bits = (self.pyramid.to_scale(r, scale, mean=True, valid=valid) > 0).flatten(1, 2)
            targets.append(bits)
            if scale == last:
                break
            share = torch.rand(batch, 1, 1, device=r.device) * flip
            seen = bits ^ (torch.rand(bits.shape, device=r.device) < share)
            up = self.upsampled(seen, scale, latents, lengths).to(r.dtype)
            r, total = r - up[:, :latents], total + up
            inputs.append(self.next_input(total, scale + 1, latents, lengths))
        return targets, inputs

    def code(self, bits: Tensor, dtype: torch.dtype) -> Tensor:
        """Unit vectors: bits [..., d] in {0, 1} to +-1 / sqrt(d)."""
        return (2 * bits.to(dtype) - 1) / self.bits**0.5

    def upsampled(
        self, bits: Tensor, scale: int, latents: int, lengths: Tensor | None = None
    ) -> Tensor:
        """What one scale's bits [B, tokens, d] add to the sum of codes: [B, working length, 7, d].

        ``lengths`` [B]: latent frames of each clip, where shorter than ``latents``.
        """
        shape = self.pyramid.shape(scale, latents)
        code = self.code(bits, self.project_in.weight.dtype)
        code = code.unflatten(1, (shape.cells, shape.groups))
        cells = None
        if lengths is not None:
            cells = self.pyramid.valid_cells(scale, lengths, latents)
            code = code * cells[..., None, None]
        length = self.pyramid.working_length(latents)
        if scale == len(self.pyramid) - 1:
            return torch.nn.functional.pad(code, (0, 0, 0, 0, 0, length - latents))
        return self.pyramid.from_scale(code, scale, length, cells)

    def next_input(
        self, total: Tensor, scale: int, latents: int, lengths: Tensor | None = None
    ) -> Tensor:
        """Transformer input [B, tokens, d] of a scale from the sum of all coarser codes."""
        valid = None
        if lengths is not None and self.pyramid.by_clip:
            valid = torch.arange(total.shape[1], device=total.device)[None] < lengths[:, None]
        narrowed = self.pyramid.to_scale(total, scale, mean=self.pyramid.by_clip, valid=valid)
        return narrowed[:, : self.pyramid.shape(scale, latents).cells].flatten(1, 2)

    def empty_sum(self, batch: int, latents: int, like: Tensor) -> Tensor:
        """Sum of no codes [B, working length, 7, d] on the device and of the type of ``like``."""
        return like.new_zeros(batch, self.pyramid.working_length(latents), 7, self.bits)

    def teacher_inputs(
        self, bits: list[Tensor], latents: int, lengths: Tensor | None = None
    ) -> Tensor:
        """Transformer inputs [B, tokens of scales 1.., d] of known bits of every scale."""
        total = self.empty_sum(bits[0].shape[0], latents, self.project_in.weight)
        inputs = []
        for scale, map_ in enumerate(bits[:-1]):
            total = total + self.upsampled(map_, scale, latents, lengths)
            inputs.append(self.next_input(total, scale + 1, latents, lengths))
        return torch.cat(inputs, 1)

    def latents_from_bits(
        self, bits: list[Tensor], latents: int, lengths: Tensor | None = None
    ) -> Tensor:
        """Decoder input [B, latents, 7, D] of the bits of the first scales (all, or a preview)."""
        total = self.empty_sum(bits[0].shape[0], latents, self.project_out.weight)
        for scale, map_ in enumerate(bits):
            total = total + self.upsampled(map_, scale, latents, lengths)
        return self.project_out(total[:, :latents])

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

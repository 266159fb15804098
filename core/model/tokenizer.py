"""The motion tokenizer: a skeleton-temporal auto-encoder around the multi-scale quantizer.

arXiv 2605.11704, section 3.  Activations are channels-last: [B, time, nodes, D], where nodes are
the joints at the finest level, then 12, then the 7 body parts.
"""

from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..features import feature_layout
from ..skeleton import SkeletonGraph
from .config import TokenizerConfig
from .quantizer import MultiScaleQuantizer, Quantized


class JointColumns(nn.Module):
    """Gathers a frame's features into one row per joint, padded with zeros, and back.

    With ``fold`` > 1 a row holds that many consecutive frames.
    """

    index: Tensor
    scatter: Tensor

    def __init__(self, columns: tuple[tuple[int, ...], ...], fold: int) -> None:
        super().__init__()
        self.fold = fold
        self.width = max(len(c) for c in columns)
        self.counts = [len(c) for c in columns]
        total = sum(self.counts)
        index = torch.full((len(columns), self.width), total)
        scatter = torch.zeros(total, dtype=torch.long)
        for joint, own in enumerate(columns):
            index[joint, : len(own)] = torch.tensor(own)
            scatter[torch.tensor(own)] = joint * self.width + torch.arange(len(own))
        self.register_buffer("index", index, persistent=False)
        self.register_buffer("scatter", scatter, persistent=False)

    def rows(self, features: Tensor) -> Tensor:
        """[B, T, F] to [B, T / fold, J, fold * width]."""
        rows = F.pad(features, (0, 1))[..., self.index]
        return rows.unflatten(1, (-1, self.fold)).transpose(2, 3).flatten(3)

    def features(self, rows: Tensor) -> Tensor:
        """Inverse of :meth:`rows`."""
        rows = rows.unflatten(3, (self.fold, self.width)).transpose(2, 3).flatten(1, 2)
        return rows.flatten(2)[..., self.scatter]


class JointLinear(nn.Module):
    """One linear layer per joint, applied as a batched product: weight [J, in, out]."""

    def __init__(self, joints: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(joints, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(joints, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        batch, time, joints, _ = x.shape
        flat = x.permute(2, 0, 1, 3).reshape(joints, batch * time, -1)
        out = torch.baddbmm(self.bias[:, None], flat, self.weight)
        return out.unflatten(1, (batch, time)).permute(1, 2, 0, 3)


class SkeletonConv(nn.Module):
    """W1 x + (A W2 x) / rowsum(A) + a temporal convolution of width 3 per node."""

    adjacency: Tensor
    mixing: Tensor

    def __init__(self, width: int, adjacency: Tensor) -> None:
        super().__init__()
        self.own = nn.Linear(width, width)
        self.neighbours = nn.Linear(width, width)
        self.temporal = nn.Conv1d(width, width, 3, padding=1)
        self.register_buffer("adjacency", adjacency, persistent=False)
        rows = adjacency.sum(1, keepdim=True) + 1e-6
        self.register_buffer("mixing", adjacency / rows, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        # All terms are linear in x at t-1, t, t+1 and in the neighbours' mean: one matrix product.
        before = F.pad(x[:, :-1], (0, 0, 0, 0, 1, 0))
        after = F.pad(x[:, 1:], (0, 0, 0, 0, 0, 1))
        mixed = torch.einsum("ij,btjd->btid", self.mixing, x)
        taps = self.temporal.weight
        weight = torch.cat(
            [taps[..., 0], taps[..., 1] + self.own.weight, taps[..., 2], self.neighbours.weight], 1
        )
        assert self.temporal.bias is not None
        bias = self.own.bias + self.neighbours.bias + self.temporal.bias
        return F.linear(torch.cat([before, x, after, mixed], -1), weight, bias)


class ResidualBlock(nn.Module):
    """x + [GELU, conv, GELU, conv, dropout]."""

    def __init__(self, width: int, adjacency: Tensor, dropout: float) -> None:
        super().__init__()
        self.first = SkeletonConv(width, adjacency)
        self.second = SkeletonConv(width, adjacency)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(self.second(F.gelu(self.first(F.gelu(x)))))


class SkeletonPool(nn.Module):
    """Learned averages over groups of nodes (masked softmax), then average pooling over time."""

    mask: Tensor

    def __init__(self, mask: Tensor, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.register_buffer("mask", mask, persistent=False)
        # One weight per nonzero cell of the mask, in row-major order.
        sizes = mask.sum(1, keepdim=True).expand_as(mask)[mask > 0]
        self.logits = nn.Parameter(1.0 / sizes)

    def forward(self, x: Tensor) -> Tensor:
        w = torch.zeros_like(self.mask).masked_scatter(self.mask > 0, self.logits)
        # Masked cells count as 0 in the maximum: a published quirk that changes nothing but eps.
        e = torch.exp(w - w.amax(1, keepdim=True)) * self.mask
        x = torch.einsum("ij,btjd->btid", e / (e.sum(1, keepdim=True) + 1e-6), x)
        if self.stride == 1:
            return x
        return x.unflatten(1, (-1, self.stride)).mean(2)


class SkeletonUnpool(nn.Module):
    """Copies groups back to their nodes (learned, non-negative), then linear upsampling in time."""

    def __init__(self, mask: Tensor, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(mask.T.clone())

    def forward(self, x: Tensor) -> Tensor:
        x = torch.einsum("ij,btjd->btid", F.relu(self.weight), x)
        if self.stride == 1:
            return x
        shape = x.shape
        flat = x.flatten(2).transpose(1, 2)
        flat = F.interpolate(flat, scale_factor=self.stride, mode="linear", align_corners=False)
        return flat.transpose(1, 2).reshape(shape[0], -1, *shape[2:])


class FrameFilter(nn.Module):
    """A learned filter over time for each feature, starting as the identity; edges are held."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        weight = torch.zeros(features, 1, width)
        weight[:, :, width // 2] = 1.0
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        margin = self.weight.shape[-1] // 2
        padded = F.pad(x.transpose(1, 2), (margin, margin), mode="replicate")
        return F.conv1d(padded, self.weight, groups=x.shape[-1]).transpose(1, 2)


class MotionTokenizer(nn.Module):
    """Normalised features [B, T, F] to bits per scale and back."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        layout = feature_layout(config.layout)
        graph: SkeletonGraph = layout.skeleton.graph
        joints, width = layout.skeleton.joint_count, config.width
        self.columns = JointColumns(layout.joint_columns, config.fold)
        row = self.columns.width * config.fold
        self.embed = nn.Sequential(
            JointLinear(joints, row, width), nn.GELU(), JointLinear(joints, width, width)
        )
        self.unembed = nn.Sequential(
            JointLinear(joints, width, width), nn.GELU(), JointLinear(joints, width, row)
        )
        adjacency = [torch.from_numpy(graph.adjacency(level)) for level in range(2)]
        pools = [torch.from_numpy(graph.pool_mask(level)) for level in range(2)]

        def blocks(level: int) -> list[nn.Module]:
            return [
                ResidualBlock(width, adjacency[level], config.dropout)
                for _ in range(config.blocks_per_level)
            ]

        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for level, stride in enumerate(config.strides):
            down += [*blocks(level), SkeletonPool(pools[level], stride)]
        for level, stride in reversed(list(enumerate(config.strides))):
            up += [SkeletonUnpool(pools[level], stride), *blocks(level)]
        self.down = nn.Sequential(*down)
        self.up = nn.Sequential(*up)
        self.quantizer = MultiScaleQuantizer(config)
        self.filter = FrameFilter(layout.width, config.smoothing) if config.smoothing else None

    @property
    def context(self) -> int:
        """Latent frames of padding that a published clip feels beyond its end.

        The published method zero-pads every clip's latents to the maximum; beyond this
        margin (the decoder's receptive field, rounded up) it cannot be felt and is not computed.
        """
        if self.config.padding == "clip":
            return 0
        convs = 2 * self.config.blocks_per_level
        return convs + ceil(convs / self.config.strides[1]) + 2

    def latent_count(self, frames: int) -> int:
        """Latent frames of a clip of ``frames`` frames."""
        return ceil(frames / self.config.stride)

    def encode(self, features: Tensor) -> Tensor:
        """Latents [B, T / stride, 7, D] of normalised features; T must divide by the stride."""
        return self.down(self.embed(self.columns.rows(features)))

    def decode(self, latents: Tensor) -> Tensor:
        """Normalised features [B, T' * stride, F] of latents [B, T', 7, D]."""
        hidden = self.unembed[:-1](self.up(latents))
        # In half precision the last step alone would cost millimetres, and shake.
        with torch.autocast(hidden.device.type, enabled=False):
            features = self.columns.features(self.unembed[-1](hidden.float()))
            return features if self.filter is None else self.filter(features)

    def encoder_parameters(self) -> list[nn.Parameter]:
        """All that decides which bits a motion has."""
        parts = (self.embed, self.down, self.quantizer.project_in)
        return [p for part in parts for p in part.parameters()]

    def compile_blocks(self) -> None:
        """Compile the residual blocks one by one: they share one graph."""
        for block in self.modules():
            if isinstance(block, ResidualBlock):
                block.compile(dynamic=True)

    def forward(
        self, features: Tensor, scale_dropout: float = 0.0, bit_flip: float = 0.0
    ) -> tuple[Tensor, Quantized]:
        """Reconstruction [B, T, F] and what the quantizer gave (training; all frames exist)."""
        quantized = self.quantizer(
            self.encode(features), scale_dropout=scale_dropout, bit_flip=bit_flip
        )
        return self.decode(quantized.latents), quantized

    @torch.inference_mode()
    def tokenize(self, features: Tensor) -> list[Tensor]:
        """Bits per scale [B, tokens, d] of normalised clips [B, T, F] of equal length T >= 1."""
        return self.quantizer(self.encode_clip(features)).bits

    def encode_clip(self, features: Tensor) -> Tensor:
        """Latents [B, ceil(T / stride), 7, D] of whole clips [B, T, F] of any length."""
        frames = features.shape[1]
        latents = self.latent_count(frames)
        if self.config.padding == "clip":
            # A partial last latent is completed by holding the last frame.
            missing = latents * self.config.stride - frames
            features = torch.cat([features, features[:, -1:].expand(-1, missing, -1)], 1)
        else:
            total = min(latents + self.context, self.config.max_latents) * self.config.stride
            features = F.pad(features, (0, 0, 0, total - frames))
        return self.encode(features)[:, :latents]

    @torch.inference_mode()
    def detokenize(self, bits: list[Tensor], frames: int) -> Tensor:
        """Normalised features [B, frames, F] of the bits of every scale."""
        latents = self.latent_count(frames)
        total = self.quantizer.latents_from_bits(bits, latents)
        margin = min(latents + self.context, self.config.max_latents) - latents
        if margin > 0:
            total = F.pad(total, (0, 0, 0, 0, 0, margin))
        return self.decode(total)[:, :frames]


def same_bits(a: MotionTokenizer, b: MotionTokenizer) -> bool:
    """Whether both give every motion the same bits: a transformer of one serves the other."""
    if a.config != b.config:
        return False
    pairs = zip(a.encoder_parameters(), b.encoder_parameters(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)

"""Training the tokenizer: windows of clips, reconstruction and motion losses, validation."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ScaleMoGenError
from ..features.snapmogen import SnapMoGenLayout
from ..model.config import TokenizerConfig
from ..model.quantizer import Quantized
from ..model.tokenizer import MotionTokenizer
from ..preview import contact_sheet
from .corpus import Clip, clip_weights
from .feature_math import (
    canonical_layout,
    feature_mirror,
    feature_statistics,
    foot_steps,
    global_positions,
    heading_positions,
    root_path,
    to_world,
)
from .loop import Task
from .variants import at_speed

#: A clip is also seen at these speeds (frames resampled), so that 1 s and 1.2 s kicks are known.
SPEEDS = (1.0, 0.8, 1.25)


@dataclass(frozen=True)
class TokenizerLoss:
    """Weights of the loss terms; the first four are the published ones.

    The published scale dropout is 0.5: over a short training the coarse scales then take too much
    room from the fine ones.
    """

    root: float = 0.5
    velocity: float = 0.5
    commitment: float = 0.25
    entropy: float = 0.1
    scale_dropout: float = 0.2
    # Ours: see MultiScaleQuantizer.forward.
    bit_flip: float = 0.1
    # Ours, in metres: joints by forward kinematics, their acceleration (jitter), the path walked,
    # the feet's steps over the ground while they touch it (sliding).
    joints: float = 6.0
    acceleration: float = 30.0
    path: float = 1.0
    feet: float = 15.0


class TokenizerTask(Task):
    """See :class:`core.training.loop.Task`.  Batches hold about ``batch_frames`` frames."""

    name = "tokenizer"

    def __init__(
        self,
        config: TokenizerConfig,
        train: list[Clip],
        validation: list[Clip],
        loss: TokenizerLoss = TokenizerLoss(),
        batch_frames: int = 4096,
        windows: tuple[int, ...] = (32, 64, 128),
    ) -> None:
        layout = canonical_layout(config.layout)
        self.layout = layout
        self.config, self.weights, self.batch_frames = config, loss, batch_frames
        self.windows = tuple(w for w in windows if w % config.stride == 0)
        arrays, probabilities = [], []
        weights = clip_weights(train)
        for clip, weight in zip(train, weights, strict=True):
            for speed in SPEEDS:
                motion = clip.motion if speed == 1.0 else at_speed(clip.motion, speed)
                if motion.frame_count > max(9, self.windows[0]):
                    arrays.append(layout.encode(motion))
                    # Long clips hold more to see; the square root keeps short ones in sight.
                    probabilities.append(weight * len(arrays[-1]) ** 0.5)
        self.lengths = torch.tensor([len(a) for a in arrays])
        self.windows = tuple(w for w in self.windows if bool((self.lengths >= w).any()))
        if not self.windows:
            raise ScaleMoGenError(
                "the data set has no training clip of two seconds; add longer ones"
            )
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), self.lengths.cumsum(0)[:-1]])
        self.features = torch.from_numpy(np.concatenate(arrays))
        self.probabilities = torch.tensor(np.array(probabilities) / np.sum(probabilities))
        self.mean, self.std = feature_statistics(self.features.numpy(), layout)
        self.columns, self.signs = feature_mirror(layout)
        self.validation = [layout.encode(clip.motion) for clip in validation]
        self.captions = [clip.captions[0] for clip in validation]
        self.model: MotionTokenizer = MotionTokenizer(config)

    def start_from(self, tokenizer: MotionTokenizer, mean: Tensor, std: Tensor) -> None:
        """Train on only the decoder of a trained tokenizer: its bits keep their meaning."""
        self.model.load_state_dict(tokenizer.state_dict())
        self.mean, self.std = mean, std
        for parameter in self.model.encoder_parameters():
            parameter.requires_grad_(False)

    def fingerprint(self) -> str:
        statistics = torch.cat([self.mean, self.std]).cpu().numpy().tobytes()
        return hashlib.sha256(repr(self.config).encode() + statistics).hexdigest()

    def to(self, device: torch.device) -> None:
        for name in ("features", "mean", "std", "columns", "signs"):
            setattr(self, name, getattr(self, name).to(device))

    def batch(self) -> Tensor:
        """Feature windows [B, T, F] in metres, half of them mirrored."""
        window = self.windows[int(torch.randint(len(self.windows), ()))]
        usable = self.probabilities * (self.lengths >= window)
        count = max(1, self.batch_frames // window)
        chosen = torch.multinomial(usable, count, replacement=True)
        room = (self.lengths[chosen] - window + 1).double()
        first = self.starts[chosen] + (torch.rand(count, dtype=torch.double) * room).long()
        index = first[:, None] + torch.arange(window)
        x = self.features[index.to(self.features.device)]
        mirrored = (torch.rand(count) < 0.5).to(x.device)
        return torch.where(mirrored[:, None, None], x[..., self.columns] * self.signs, x)

    def loss(
        self, model: nn.Module, step: int, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        w = self.weights
        x = self.batch()
        normal = (x - self.mean) / self.std
        reconstruction, quantized = model(
            normal, scale_dropout=w.scale_dropout, bit_flip=w.bit_flip
        )
        # In half precision millimetres, and all the more accelerations, would be lost.
        with torch.autocast(x.device.type, enabled=False):
            parts = self._parts(x, normal, reconstruction.float(), quantized)
        total = (
            parts["features"]
            + w.root * parts["root"]
            + w.velocity * parts["velocity"]
            + w.commitment * parts["commitment"]
            + w.entropy * parts["entropy"]
            + w.joints * parts["joints"]
            + w.acceleration * parts["acceleration"]
            + w.path * parts["path"]
            + w.feet * parts["feet"]
        )
        return total, {name: value.detach() for name, value in parts.items()}

    def _parts(
        self, x: Tensor, normal: Tensor, reconstruction: Tensor, quantized: Quantized
    ) -> dict[str, Tensor]:
        """Terms of the loss: features [B, T, F] in metres, normalised, and rebuilt."""
        y = reconstruction * self.std + self.mean
        columns = self.layout
        parts = {
            "features": F.smooth_l1_loss(reconstruction, normal),
            "root": F.smooth_l1_loss(reconstruction[..., :4], normal[..., :4]),
            "velocity": F.smooth_l1_loss(
                reconstruction[..., columns.velocity_columns], normal[..., columns.velocity_columns]
            ),
            "commitment": quantized.commitment,
            "entropy": quantized.entropy,
        }
        joints_x = heading_positions(x, columns)
        joints_y = heading_positions(y, columns)
        parts["joints"] = (joints_y - joints_x).norm(dim=-1).mean()
        (path_x, yaw_x), (path_y, yaw_y) = root_path(x), root_path(y)
        # In the world, because most of what shakes is the path.
        error = to_world(joints_y, path_y, yaw_y) - to_world(joints_x, path_x, yaw_x)
        parts["acceleration"] = error.diff(n=2, dim=1).norm(dim=-1).mean()
        path_error = (path_y - path_x)[..., [0, 2]].norm(dim=-1).mean()
        parts["path"] = path_error + 0.3 * (yaw_y - yaw_x).abs().mean()
        contact = x[..., columns.contact_start :][..., :-1, :]
        slip = foot_steps(y, joints_y, columns) - foot_steps(x, joints_x, columns)
        parts["feet"] = (slip.norm(dim=-1) * contact).sum() / contact.sum().clamp_min(1.0)
        return parts

    def validate(self, folder: Path, step: int) -> dict[str, float]:
        self._draw_sheet(folder / "reconstruction.png")
        return reconstruction_figures(
            self.model, self.validation, self.mean, self.std, self.layout, limit=80
        )

    def _draw_sheet(self, path: Path, clips: int = 4) -> None:
        """Held-out clips, each above what comes back from its bits."""
        rows = []
        for index in range(0, len(self.validation), max(1, len(self.validation) // clips)):
            features = self.validation[index]
            made = rebuild(self.model, features, self.mean, self.std)
            rows.append((self.captions[index], self.layout.decode(features[: len(made)])))
            rows.append(("rebuilt", self.layout.decode(made)))
        contact_sheet(rows[: 2 * clips]).save(path)


def rebuild(model: MotionTokenizer, features: np.ndarray, mean: Tensor, std: Tensor) -> np.ndarray:
    """Features [T, F] in metres through bits and back; cut to the longest clip of the model."""
    x = torch.from_numpy(features)[None].to(mean.device)
    x = x[:, : model.config.max_latents * model.config.stride]
    y = model.detokenize(model.tokenize((x - mean) / std), x.shape[1]) * std + mean
    made: np.ndarray = y[0].cpu().numpy()
    return made


def reconstruction_figures(
    model: MotionTokenizer,
    clips: list[np.ndarray],
    mean: Tensor,
    std: Tensor,
    layout: SnapMoGenLayout,
    limit: int | None = None,
) -> dict[str, float]:
    """Errors of whole clips (features [T, F] in metres) through bits and back, averaged over clips.

    joint_mm: joint positions relative to the pelvis, world axes; global_mm: in the world, path
    drift included; acceleration_ratio: mean joint acceleration in the world against the original's.
    """
    errors, global_errors, made, real = [], [], 0.0, 0.0
    every = max(1, len(clips) // limit) if limit else 1
    for features in clips[::every]:
        y = torch.from_numpy(rebuild(model, features, mean, std))[None]
        x = torch.from_numpy(features)[None, : y.shape[1]]
        a, b = global_positions(x, layout), global_positions(y, layout)
        global_errors.append(float((a - b).norm(dim=-1).mean()))
        if x.shape[1] > 2:
            real += float(a.diff(n=2, dim=1).norm(dim=-1).mean())
            made += float(b.diff(n=2, dim=1).norm(dim=-1).mean())
        a, b = a - a[:, :, :1], b - b[:, :, :1]
        errors.append(float((a - b).norm(dim=-1).mean()))
    return {
        "joint_mm": 1000 * float(np.mean(errors)),
        "global_mm": 1000 * float(np.mean(global_errors)),
        "acceleration_ratio": made / max(real, 1e-9),
    }


def reconstruction_of_clips(
    model: MotionTokenizer, clips: Sequence[Clip], mean: Tensor, std: Tensor
) -> dict[str, float]:
    """:func:`reconstruction_figures` of every clip."""
    layout = canonical_layout(model.config.layout)
    features = [layout.encode(clip.motion) for clip in clips]
    return reconstruction_figures(model, features, mean, std, layout)

"""What the transformer trains on: cached latents of many variants of each clip, and text states."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..features.layout import FeatureLayout
from ..model.tokenizer import MotionTokenizer
from ..motion import Motion
from ..rotations import slerp
from .corpus import Clip, clip_weights, mirror_motion, mirror_text
from .tokenizer_task import at_speed

#: Clips below this many seconds are also shown repeated, so that "a kick" can fill four seconds.
SHORT_SECONDS = 2.5
#: Clips above are also shown cut, so that a long walk can be asked for in two.
LONG_SECONDS = 5.0
SEAM_FRAMES = 8


@dataclass
class TokenData:
    """Variants of clips; ``latents`` [n, T', 7, d] fp16 each, before the quantizer's rounding.

    texts[i]: indices into the sentence table of (own captions, paraphrases).
    """

    latents: list[Tensor]
    texts: list[tuple[list[int], list[int]]]
    weights: np.ndarray
    sentences: list[str]


def build_token_data(
    clips: Sequence[Clip],
    tokenizer: MotionTokenizer,
    layout: FeatureLayout,
    mean: Tensor,
    std: Tensor,
    *,
    augment: bool,
    seed: int = 0,
) -> TokenData:
    """Encode every clip (and, with ``augment``, its variants) with the frozen tokenizer."""
    random = np.random.default_rng(seed)
    sentences: dict[str, int] = {}
    jobs: list[tuple[np.ndarray, tuple[list[int], list[int]], float]] = []

    def index(texts: Sequence[str], mirrored: bool) -> list[int]:
        chosen = [mirror_text(t) if mirrored else t for t in texts]
        return [sentences.setdefault(t, len(sentences)) for t in chosen]

    weights = clip_weights(list(clips))
    longest = tokenizer.config.max_latents * tokenizer.config.stride
    for clip, weight in zip(clips, weights, strict=True):
        made = variants(clip.motion, random) if augment else [(clip.motion, 1.0)]
        for motion, share in made:
            for mirrored in (False, True) if augment else (False,):
                turned = mirror_motion(motion) if mirrored else motion
                features = layout.encode(turned)[:longest]
                texts = (index(clip.captions, mirrored), index(clip.paraphrases, mirrored))
                jobs.append((features, texts, float(weight) * share))
    latents = _encode_all([job[0] for job in jobs], tokenizer, mean, std)
    return TokenData(
        latents, [job[1] for job in jobs], np.array([job[2] for job in jobs]), list(sentences)
    )


def variants(motion: Motion, random: np.random.Generator) -> list[tuple[Motion, float]]:
    """The clip itself, slower, faster, repeated or cut, each with the share of draws it gets."""
    made = [(motion, 1.0)]
    made += [
        (at_speed(motion, float(random.uniform(*span))), 0.4)
        for span in ((0.8, 0.95), (1.05, 1.25))
    ]
    if motion.seconds < SHORT_SECONDS:
        times = int(np.ceil(random.uniform(2.5, 4.5) / motion.seconds))
        made.append((repeated(motion, times), 0.6))
        made.append((held(motion, random.uniform(2.5, 4.5)), 0.6))
    if motion.seconds > LONG_SECONDS:
        for _ in range(2):
            length = int(motion.frame_count * random.uniform(0.4, 0.7))
            first = int(random.integers(motion.frame_count - length))
            made.append((motion.at_frames(slice(first, first + length)), 0.4))
    return made


def held(motion: Motion, seconds: float) -> Motion:
    """The clip with its last pose held until ``seconds`` have passed."""
    frames = max(motion.frame_count, round(seconds * motion.fps))
    return motion.at_frames(np.minimum(np.arange(frames), motion.frame_count - 1))


def repeated(motion: Motion, times: int) -> Motion:
    """The clip played ``times`` times on end, walking on from where it was, with blended seams."""
    start, end = motion.root_positions[0], motion.root_positions[-1]
    seam = min(SEAM_FRAMES, motion.frame_count // 2)
    # The seam moves on at the mean of the speeds before and after it, so that a walk does not halt.
    roots_per_frame = np.diff(motion.root_positions, axis=0)
    speed = (roots_per_frame[-1] + roots_per_frame[0]) / 2
    step = (end - start + (seam + 1) * speed) * [1.0, 0.0, 1.0]
    rotations, roots = [motion.rotations], [motion.root_positions]
    t = (np.arange(1, seam + 1) / (seam + 1))[:, None]
    for turn in range(1, times):
        offset = turn * step
        first_root = start + offset
        last_rotation, last_root = rotations[-1][-1], roots[-1][-1]
        bridge = slerp(
            np.repeat(last_rotation[None], seam, 0), np.repeat(motion.rotations[:1], seam, 0), t
        )
        rotations += [bridge, motion.rotations]
        roots += [last_root * (1 - t) + first_root * t, motion.root_positions + offset]
    return replace(
        motion,
        rotations=np.concatenate(rotations),
        root_positions=np.concatenate(roots),
        contacts=None,
    )


@torch.inference_mode()
def _encode_all(
    features: list[np.ndarray], tokenizer: MotionTokenizer, mean: Tensor, std: Tensor
) -> list[Tensor]:
    """Latents of clips of any lengths, those of equal latent length in one batch."""
    stride = tokenizer.config.stride
    result: list[Tensor | None] = [None] * len(features)
    buckets: dict[int, list[int]] = {}
    for i, clip in enumerate(features):
        buckets.setdefault(tokenizer.latent_count(len(clip)), []).append(i)
    device = mean.device
    with tqdm(total=len(features), desc="encoding clips") as bar:
        for latents, members in sorted(buckets.items()):
            for at in range(0, len(members), 64):
                chunk = members[at : at + 64]
                frames = latents * stride
                # A partial last latent is completed by holding the last frame, as encode_clip does.
                batch = np.stack(
                    [
                        np.pad(features[i], ((0, frames - len(features[i])), (0, 0)), "edge")
                        for i in chunk
                    ]
                )
                x = (torch.from_numpy(batch).to(device) - mean) / std
                r = tokenizer.quantizer.project_in(tokenizer.encode(x)).half().cpu()
                for i, latent in zip(chunk, r, strict=True):
                    result[i] = latent.clone()
                bar.update(len(chunk))
    return [r for r in result if r is not None]

"""What the transformer trains on: cached latents of many variants of each clip, and their texts."""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from ..features import feature_layout
from ..files import make_folder, replacing
from ..model.config import TokenizerConfig
from ..model.tokenizer import MotionTokenizer
from ..motion import Motion
from .corpus import mirror_text
from .feature_math import canonical_layout, feature_mirror
from .mixture import Ingredient
from .variants import variants


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
    ingredients: Sequence[Ingredient],
    tokenizer: MotionTokenizer,
    mean: Tensor,
    std: Tensor,
    *,
    augment: bool,
    cache: Path | None = None,
    workers: int | None = None,
) -> TokenData:
    """Encode every clip (and, with ``augment``, its variants) with the frozen tokenizer.

    Takes minutes, so the result is kept in the file ``cache`` and taken from there when clips,
    captions and tokenizer are the same.  ``workers``: processes that prepare features (0: none).
    """
    key = _digest(ingredients, tokenizer, augment)
    if cache is not None and (kept := _read(cache, key)) is not None:
        return kept
    sentences: dict[str, int] = {}

    def index(texts: Sequence[str], mirrored: bool) -> list[int]:
        chosen = [mirror_text(t) if mirrored else t for t in texts]
        return [sentences.setdefault(t, len(sentences)) for t in chosen]

    features: list[np.ndarray] = []
    texts: list[tuple[list[int], list[int]]] = []
    weights: list[float] = []
    prepared = _prepare(ingredients, tokenizer.config, augment, workers)
    for item, made in zip(ingredients, prepared, strict=True):
        clip, shares = item.clip, sum(share for _, share, _ in made)
        for array, share, mirrored in made:
            features.append(array)
            texts.append((index(clip.captions, mirrored), index(clip.paraphrases, mirrored)))
            weights.append(item.weight * share / shares)
    latents = _encode_all(features, tokenizer, mean, std)
    data = TokenData(latents, texts, np.array(weights), list(sentences))
    if cache is not None:
        _write(cache, key, data)
    return data


# --- features ------------------------------------------------------------------------------------

_Prepared = list[tuple[np.ndarray, float, bool]]


def _prepare(
    ingredients: Sequence[Ingredient], config: TokenizerConfig, augment: bool, workers: int | None
) -> list[_Prepared]:
    """Per clip (features [T, F], share of draws, mirrored) of each variant."""
    work = partial(_features_of, config=config, augment=augment)
    jobs = [(i, item.clip.motion, item.varied) for i, item in enumerate(ingredients)]
    workers = min(os.cpu_count() or 1, 16) if workers is None else workers
    if workers < 2 or len(jobs) < 64:
        return [work(job) for job in tqdm(jobs, desc="preparing clips")]
    # spawn: a forked child may inherit the locks of torch's threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(
            tqdm(pool.map(work, jobs, chunksize=16), total=len(jobs), desc="preparing clips")
        )


def _features_of(
    job: tuple[int, Motion, bool], config: TokenizerConfig, augment: bool
) -> _Prepared:
    number, motion, varied = job
    layout = feature_layout(config.layout)
    longest = config.max_latents * config.stride
    made = [(motion, 1.0)]
    if augment and varied:
        made = variants(motion, np.random.default_rng(number))
    result: _Prepared = []
    for variant, share in made:
        features = layout.encode(variant)[:longest]
        result.append((features, share, False))
        if augment:
            columns, signs = feature_mirror(canonical_layout(config.layout))
            result.append((features[:, columns.numpy()] * signs.numpy(), share, True))
    return result


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
                # A partial last latent is completed by holding the last frame, as encode_clip does.
                padded = [_held(features[i], latents * stride) for i in chunk]
                x = (torch.from_numpy(np.stack(padded)).to(device) - mean) / std
                r = tokenizer.quantizer.project_in(tokenizer.encode(x)).half().cpu()
                for i, latent in zip(chunk, r, strict=True):
                    result[i] = latent.clone()
                bar.update(len(chunk))
    return [r for r in result if r is not None]


def _held(features: np.ndarray, frames: int) -> np.ndarray:
    return np.pad(features, ((0, frames - len(features)), (0, 0)), "edge")


# --- cache ---------------------------------------------------------------------------------------


def _digest(ingredients: Sequence[Ingredient], tokenizer: MotionTokenizer, augment: bool) -> str:
    """What the encoded data depend on: clips, their texts, the tokenizer, the augmentation."""
    digest = hashlib.sha256(json.dumps([augment, repr(tokenizer.config)]).encode())
    for item in ingredients:
        clip = item.clip
        facts = [clip.clip_id, clip.captions, clip.paraphrases, round(item.weight, 9), item.varied]
        digest.update(json.dumps(facts).encode())
        digest.update(clip.motion.rotations[:: max(1, clip.motion.frame_count // 4)].tobytes())
    for _, parameter in sorted(tokenizer.named_parameters()):
        digest.update(parameter.detach().cpu().numpy().tobytes())
    return digest.hexdigest()


def _write(path: Path, key: str, data: TokenData) -> None:
    make_folder(path.parent)
    tensors = {
        "latents": torch.cat(data.latents),
        "lengths": torch.tensor([len(x) for x in data.latents]),
        "weights": torch.from_numpy(data.weights),
    }
    words = json.dumps({"sentences": data.sentences, "texts": data.texts})
    with replacing(path) as temporary:
        save_file(tensors, temporary, {"key": key, "words": words})


def _read(path: Path, key: str) -> TokenData | None:
    """What was kept, if it is whole and was made of the same."""
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            if facts.get("key") != key:
                return None
            words = json.loads(facts["words"])
            latents = file.get_tensor("latents").split(file.get_tensor("lengths").tolist())
            weights = file.get_tensor("weights").numpy()
    except (OSError, SafetensorError):
        return None
    texts = [(own, more) for own, more in words["texts"]]
    return TokenData(list(latents), texts, weights, words["sentences"])

"""What the evaluator trains on: features of clips and their mirror images, and sentences."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor
from tqdm import tqdm

from ..evaluation.embedding import layout_features
from ..features import feature_layout
from ..features.snapmogen import SnapMoGenLayout
from ..files import make_folder, replacing
from .corpus import Clip, mirror_motion, mirror_text
from .feature_math import feature_mirror


class EvaluatorData:
    """Items 2 i and 2 i + 1 are clip i and its mirror image (without ``mirrored``: item i, clip i).

    texts[item]: (own captions, paraphrases) as indices into ``sentences``; concepts[item]: equal
    for items with the same own captions.  The features (fp16) are kept in the file ``cache``.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        layout_name: str,
        mirrored: bool,
        cache: Path | None = None,
    ) -> None:
        self.layout = feature_layout(layout_name)
        self.sides = 2 if mirrored else 1
        # Where a mirror image is only other columns, it is made when it is drawn.
        self._mirror: tuple[Tensor, Tensor] | None = None
        if isinstance(self.layout, SnapMoGenLayout) and self.layout.name == "canonical":
            self._mirror = feature_mirror(self.layout)
        self.features = self._features(clips, cache)
        table: dict[str, int] = {}
        known: dict[frozenset[str], int] = {}
        self.texts: list[tuple[list[int], list[int]]] = []
        self.concepts: list[int] = []
        for clip in clips:
            for side in range(self.sides):
                own, more = (
                    [mirror_text(t) if side else t for t in texts]
                    for texts in (clip.captions, clip.paraphrases)
                )
                indices = [table.setdefault(t, len(table)) for t in (*own, *more)]
                self.texts.append((indices[: len(own)], indices[len(own) :]))
                self.concepts.append(known.setdefault(frozenset(own), len(known)))
        self.sentences = list(table)

    def __len__(self) -> int:
        return len(self.texts)

    def length(self, item: int) -> int:
        """Frames of an item."""
        return len(self._of(item)[0])

    def piece(self, item: int, first: int, end: int | None) -> Tensor:
        """Features [T, F] of frames ``first`` to ``end`` of an item, in the layout's units."""
        features, turned = self._of(item)
        part = torch.from_numpy(features[first:end]).float()
        if turned and self._mirror is not None:
            columns, signs = self._mirror
            part = part[:, columns] * signs
        return part

    def _of(self, item: int) -> tuple[np.ndarray, bool]:
        if self._mirror is not None:
            return self.features[item // self.sides], item % self.sides == 1
        return self.features[item], False

    def _features(self, clips: Sequence[Clip], cache: Path | None) -> list[np.ndarray]:
        sides = self.sides if self._mirror is None else 1
        key = _digest(clips, self.layout.name, sides)
        if cache is not None and (kept := _read(cache, key)) is not None:
            return kept
        made = []
        for clip in tqdm(clips, desc="preparing clips"):
            for side in range(sides):
                motion = mirror_motion(clip.motion) if side else clip.motion
                made.append(layout_features(motion, self.layout).astype(np.float16))
        if cache is not None:
            make_folder(cache.parent)
            tensors = {
                "features": np.concatenate(made),
                "lengths": np.array([len(m) for m in made]),
            }
            with replacing(cache) as temporary:
                save_file(tensors, temporary, {"key": key})
        return made


def _digest(clips: Sequence[Clip], layout: str, sides: int) -> str:
    """What the features depend on."""
    digest = hashlib.sha256(json.dumps([layout, sides]).encode())
    for clip in clips:
        digest.update(clip.clip_id.encode())
        digest.update(clip.motion.rotations.tobytes())
        digest.update(clip.motion.root_positions.tobytes())
    return digest.hexdigest()


def _read(path: Path, key: str) -> list[np.ndarray] | None:
    """What was kept, if it is whole and was made of the same."""
    try:
        with safe_open(path, "numpy") as file:
            if (file.metadata() or {}).get("key") != key:
                return None
            features, lengths = file.get_tensor("features"), file.get_tensor("lengths")
    except (OSError, SafetensorError):
        return None
    return np.split(features, np.cumsum(lengths)[:-1])

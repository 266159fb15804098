"""A small data set, a text encoder without weights and a tiny evaluator."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from synthetic import tumbling, walking

from core.dataset_format import PackedClip, write_captions, write_pack
from core.evaluation.evaluator import Evaluator, EvaluatorConfig
from core.features import feature_layout

TINY = EvaluatorConfig(
    name="tiny", width=16, depth=1, heads=2, embedding=8, text_width=48, max_text=12, dropout=0.0
)


class Encoder:
    """Stands in for the text encoder: states that depend on the words alone."""

    width = 48

    def __init__(self, *_: object) -> None:
        pass

    def encode(self, prompts: Sequence[str]) -> list[np.ndarray]:
        return [
            np.stack([_word(word) for word in ("[CLS]", *prompt.lower().split())])
            for prompt in prompts
        ]


def _word(word: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=48).astype(np.float32)


def text_states(
    sentences: Sequence[str], *_: object, **__: object
) -> tuple[torch.Tensor, torch.Tensor]:
    """Stands in for core.training.text_states."""
    states = [torch.from_numpy(s).half() for s in Encoder().encode(sentences)]
    return torch.cat(states), torch.tensor([len(s) for s in states])


def evaluator(config: EvaluatorConfig = TINY) -> Evaluator:
    torch.manual_seed(0)
    made = Evaluator(config)
    made.mean.copy_(torch.randn(config.features) * 0.1)
    made.std.copy_(torch.rand(config.features) + 0.5)
    return made.eval()


def tiny(layout: str) -> EvaluatorConfig:
    table = {**TINY.__dict__, "layout": layout, "features": feature_layout(layout).width}
    return EvaluatorConfig(**table)


def write_data(folder: Path) -> Path:
    """Twelve training clips and six to check, of three actions in two ways of saying each."""
    rows, clips = [], []
    for number in range(18):
        kind = ("walk", "tumble", "stagger")[number % 3]
        way = ("a person", "someone")[number // 3 % 2]
        motion = walking(40 + 6 * number) if kind == "walk" else tumbling(number, 60, reach=0.3)
        clips.append(PackedClip.from_motion(f"one/{number}", motion))
        rows.append(
            {
                "clip": f"one/{number}",
                "file": "one.npz.xz",
                "source": "one",
                "captions": [f"{way} will {kind} to the left", f"{way} will {kind} leftwards"],
                "label": kind,
                "scope": "clip",
                "split": "train" if number < 12 else "val",
            }
        )
    write_pack(folder / "one.npz.xz", clips)
    write_captions(folder / "captions.jsonl", rows)
    return folder

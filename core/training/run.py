"""What ``run.py train`` does: tokenizer, transformer, evaluator."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState

from ..errors import ScaleMoGenError
from ..evaluation.evaluator import EvaluatorConfig
from ..evaluation.storage import save_evaluator
from ..features import feature_layout
from ..files import make_folder, write_bytes
from ..model.config import ModelConfig
from ..model.presets import bundled
from ..model.tokenizer import MotionTokenizer, same_bits
from ..model.transformer import NextScaleTransformer
from ..model.weights import (
    Model,
    load,
    load_tokenizer,
    save_durations,
    save_tokenizer,
    save_transformer,
)
from .corpus import Clip, describe, load_corpus
from .durations import clip_durations
from .evaluator_data import EvaluatorData
from .evaluator_task import ContrastiveOptions, EvaluatorTask
from .loop import LoopConfig, train
from .mixture import mixture, plain
from .text_states import text_states
from .token_data import build_token_data
from .tokenizer_task import TokenizerTask, reconstruction_of_clips
from .transformer_task import SHEET_PROMPTS, TransformerTask


def train_tokenizer(
    data: Path,
    out: Path,
    loop: LoopConfig,
    *,
    without: Sequence[str] = (),
    batch_frames: int = 4096,
    start_from: Path | None = None,
) -> dict[str, float]:
    """Train the bundled configuration's tokenizer; returns its errors on every validation clip.

    ``start_from``: a model folder whose tokenizer is kept but for its decoder, which is trained on;
    the bits of a motion stay the same, so that transformers of either understand the other's.
    Leaves ``out``/tokenizer (log, curves, state) and the weights in ``out``/model.
    """
    config = replace(bundled(), name=out.name)
    training = load_corpus(data, "train", without)
    validation = load_corpus(data, "val", without)
    state = _process_state()
    torch.manual_seed(loop.seed)
    first = None if start_from is None else load_tokenizer(start_from)
    if first is not None:
        config = replace(config, tokenizer=first[0].tokenizer)
    task = TokenizerTask(config.tokenizer, training, validation, batch_frames=batch_frames)
    if first is not None:
        task.start_from(*first[1:])
    train(task, loop, out / "tokenizer")
    if not state.is_main_process:
        return {}
    save_tokenizer(out / "model", config, task.model, task.mean, task.std)
    table = json.dumps(describe(training), indent=1) + "\n"
    write_bytes(out / "tokenizer" / "data.json", table.encode())  # for the model card
    return measure_tokenizer(out / "model", validation, out / "tokenizer")


def measure_tokenizer(folder: Path, clips: Sequence[Clip], report: Path) -> dict[str, float]:
    """Reconstruction errors of all clips with the fp16 weights as stored; kept as JSON."""
    _, tokenizer, mean, std = load_tokenizer(folder)
    figures = reconstruction_of_clips(tokenizer, clips, mean, std)
    make_folder(report)
    write_bytes(report / "reconstruction.json", (json.dumps(figures, indent=1) + "\n").encode())
    return figures


def train_transformer(
    data: Path,
    out: Path,
    loop: LoopConfig,
    *,
    without: Sequence[str] = (),
    batch_tokens: int = 9000,
    augment: bool = True,
    start_from: Path | None = None,
) -> dict[str, float]:
    """Train the transformer on the frozen tokenizer in ``out``/model; returns its figures.

    ``start_from``: a model folder whose transformer's weights are the first ones, for a run on more
    data; its tokenizer must give the same bits.
    """
    if not (out / "model" / "tokenizer.safetensors").exists():
        raise ScaleMoGenError(f"{out} has no tokenizer yet; run train tokenizer --out {out} first")
    stored, tokenizer, mean, std = load_tokenizer(out / "model")
    config = ModelConfig(stored.name, stored.tokenizer, bundled().transformer)
    folder = out / "transformer"
    # With several processes the first one fills the caches and the others read them.
    state = _process_state()
    with state.main_process_first():
        clips = load_corpus(data, "train", without)

        def encode(sentences: Sequence[str]) -> list[np.ndarray]:
            states, lengths = text_states(
                sentences, config.transformer, folder, "caption_states.safetensors"
            )
            return [state.float().numpy() for state in states.split(lengths.tolist())]

        training = build_token_data(
            mixture(clips, encode, loop.seed, most_joined=2500 if augment else 0),
            tokenizer,
            mean,
            std,
            augment=augment,
            cache=folder / "train_latents.safetensors",
        )
        validation = build_token_data(
            plain(load_corpus(data, "val", without)),
            tokenizer,
            mean,
            std,
            augment=False,
            cache=folder / "val_latents.safetensors",
        )
        sheet = [prompt for prompt, _ in SHEET_PROMPTS]
        sentences = [*training.sentences, *validation.sentences, *sheet]
        states, lengths = text_states(sentences, config.transformer, folder)
    each = states.split(lengths.tolist())
    sheet_states = [s.float() for s in each[-len(sheet) :]]
    durations = clip_durations(
        clips, {text: s.float().numpy() for text, s in zip(sentences, each, strict=True)}
    )
    torch.manual_seed(loop.seed)
    transformer = NextScaleTransformer(
        config.transformer, config.tokenizer.bits, tokenizer.quantizer.pyramid
    )
    if start_from is not None:
        _copy_weights(start_from, tokenizer, transformer)
    model = Model(config, tokenizer, transformer, mean, std)
    task = TransformerTask(
        model, training, validation, states, lengths, sheet_states, batch_tokens=batch_tokens
    )
    figures = train(task, loop, folder)
    if state.is_main_process:
        save_transformer(out / "model", config, transformer)
        save_durations(out / "model", durations)
    return figures


def _copy_weights(
    folder: Path, tokenizer: MotionTokenizer, transformer: NextScaleTransformer
) -> None:
    """The weights of the folder's transformer; ScaleMoGenError when it speaks of other bits."""
    first = load(folder)
    if not same_bits(first.tokenizer, tokenizer):
        raise ScaleMoGenError(
            f"{folder} has another tokenizer; train this run's tokenizer with --start-from too"
        )
    try:
        transformer.load_state_dict(first.transformer.state_dict())
    except RuntimeError as error:
        raise ScaleMoGenError(f"the transformer in {folder} is of another size") from error


def train_evaluator(
    data: Path,
    out: Path,
    loop: LoopConfig,
    *,
    without: Sequence[str] = (),
    batch: int = ContrastiveOptions.batch,
    layout: str = "canonical",
) -> dict[str, float]:
    """Train the text-motion evaluator on a feature layout; returns its validation figures.

    Leaves ``out``/evaluator (log, curves, state) and the evaluator's folder in ``out``/model.
    """
    config = EvaluatorConfig(layout=layout, features=feature_layout(layout).width)
    folder = out / "evaluator"
    clips = load_corpus(data, "train", without)
    state = _process_state()
    with state.main_process_first():  # the first one fills the caches and the others read them
        training = EvaluatorData(clips, layout, True, folder / "features.safetensors")
        validation = EvaluatorData(load_corpus(data, "val", without), layout, False)
        sentences = [*training.sentences, *validation.sentences]
        states, lengths = text_states(sentences, bundled().transformer, folder)
    torch.manual_seed(loop.seed)
    options = ContrastiveOptions(batch=batch)
    task = EvaluatorTask(config, clips, training, validation, states, lengths, options)
    figures = train(task, loop, folder)
    if state.is_main_process:
        save_evaluator(out / "model", task.model.evaluator)
    return figures


def _process_state() -> PartialState:
    """This process among those that train together (accelerate's view)."""
    # The others wait while the first fills the caches and validates: minutes, not the usual ten.
    return PartialState(timeout=timedelta(hours=2))

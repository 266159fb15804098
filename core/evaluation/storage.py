"""Evaluator folders: config.json, evaluator.safetensors (fp16) and checksums.json."""

from pathlib import Path

import torch

from ..errors import ScaleMoGenError
from ..files import write_bytes
from ..model.weights import fill, read_tensors, save_tensors
from ..paths import ASSETS
from .evaluator import Evaluator, EvaluatorConfig

BUNDLED_EVALUATOR = ASSETS / "evaluator"
_WEIGHTS = "evaluator.safetensors"


def save_evaluator(folder: Path, evaluator: Evaluator) -> None:
    """Write an evaluator; weights in fp16, statistics in fp32."""
    tensors = {n: p.detach().cpu().half().contiguous() for n, p in evaluator.named_parameters()}
    tensors |= {"mean": evaluator.mean.float().cpu(), "std": evaluator.std.float().cpu()}
    save_tensors(folder, _WEIGHTS, tensors)
    write_bytes(folder / "config.json", evaluator.config.to_json().encode())


def load_evaluator(folder: Path = BUNDLED_EVALUATOR) -> Evaluator:
    """The evaluator of a folder; ScaleMoGenError when files are missing, damaged or do not fit."""
    remedy = f"name a folder that train evaluator made, or get {BUNDLED_EVALUATOR.name} again"
    try:
        config = EvaluatorConfig.from_json((folder / "config.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ScaleMoGenError(f"there is no evaluator in {folder}; {remedy}") from error
    except ValueError as error:
        raise ScaleMoGenError(f"{folder / 'config.json'} is damaged ({error}); {remedy}") from error
    tensors = read_tensors(folder, _WEIGHTS)
    mean, std = tensors.pop("mean", None), tensors.pop("std", None)
    wanted = (config.features,)
    if mean is None or std is None or mean.shape != wanted or std.shape != wanted:
        raise ScaleMoGenError(f"{folder / _WEIGHTS} lacks its statistics; {remedy}")
    if not torch.cat([mean, std]).isfinite().all() or not (std > 0).all():
        raise ScaleMoGenError(f"the statistics in {folder / _WEIGHTS} are no numbers; {remedy}")
    evaluator = Evaluator(config)
    fill(evaluator, tensors, folder, _WEIGHTS)
    evaluator.mean.copy_(mean)
    evaluator.std.copy_(std)
    return evaluator.eval()

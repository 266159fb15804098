"""Model folders: config.json beside tokenizer, transformer and (ours) duration.safetensors."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save
from torch import Tensor, nn

from ..errors import ScaleMoGenError
from ..files import make_folder, write_bytes
from ..paths import MODELS
from .config import ModelConfig
from .duration import DurationPredictor
from .tokenizer import MotionTokenizer
from .transformer import NextScaleTransformer

DURATIONS = "duration.safetensors"
CHECKSUMS = "checksums.json"

Network = TypeVar("Network", bound=nn.Module)


@dataclass
class Model:
    """A loaded model; ``mean`` and ``std`` [F] normalise its features.

    ``durations`` tells how long a prompt's action takes; converted published models have none.
    """

    config: ModelConfig
    tokenizer: MotionTokenizer
    transformer: NextScaleTransformer
    mean: Tensor
    std: Tensor
    durations: DurationPredictor | None = None

    def to(self, device: torch.device) -> "Model":
        self.tokenizer.to(device)
        self.transformer.to(device)
        self.mean, self.std = self.mean.to(device), self.std.to(device)
        return self


def build(config: ModelConfig) -> Model:
    """A model with fresh random weights."""
    tokenizer = MotionTokenizer(config.tokenizer)
    pyramid = tokenizer.quantizer.pyramid
    transformer = NextScaleTransformer(config.transformer, config.tokenizer.bits, pyramid)
    width = tokenizer.columns.scatter.shape[0]
    model = Model(config, tokenizer, transformer, torch.zeros(width), torch.ones(width))
    tokenizer.eval()
    transformer.eval()
    return model


def save_tokenizer(
    folder: Path,
    config: ModelConfig,
    model: MotionTokenizer,
    mean: Tensor,
    std: Tensor,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write config.json and tokenizer.safetensors (statistics in fp32)."""
    tensors = _stored(model, dtype) | {"mean": mean.float().cpu(), "std": std.float().cpu()}
    save_tensors(folder, "tokenizer.safetensors", tensors)
    _write_config(folder, config)


def save_transformer(
    folder: Path,
    config: ModelConfig,
    model: NextScaleTransformer,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write config.json and transformer.safetensors."""
    save_tensors(folder, "transformer.safetensors", _stored(model, dtype))
    _write_config(folder, config)


def model_folder(name: str | Path) -> Path:
    """The folder of a bundled model's name ("default": the one assets/models/default.json names).

    A path to a folder is taken as it is.  ScaleMoGenError when there is none.
    """
    if str(name) == "default":
        try:
            name = json.loads((MODELS / "default.json").read_text(encoding="utf-8"))["model"]
        except (OSError, ValueError, KeyError) as error:
            raise ScaleMoGenError(
                "no bundled model is installed; install ScaleMoGen again or name a model folder"
            ) from error
    for folder in (MODELS / name, Path(name)):
        if (folder / "config.json").is_file():
            return folder
    names = sorted(p.parent.name for p in MODELS.glob("*/config.json"))
    raise ScaleMoGenError(
        f"no model {str(name)!r}; use one of {', '.join(names) or 'none installed'} "
        "or a folder that holds config.json"
    )


def load_tokenizer(folder: Path) -> tuple[ModelConfig, MotionTokenizer, Tensor, Tensor]:
    """Configuration, tokenizer, mean and std of a model folder, checked before use."""
    config = _read_config(folder)
    tensors = read_tensors(folder, "tokenizer.safetensors")
    mean, std = tensors.pop("mean", None), tensors.pop("std", None)
    tokenizer = _build(folder, lambda: MotionTokenizer(config.tokenizer))
    width = tokenizer.columns.scatter.shape[0]
    if mean is None or std is None or mean.shape != (width,) or std.shape != (width,):
        raise _damaged(folder, "tokenizer.safetensors", "its feature statistics are missing")
    if not torch.cat([mean, std]).isfinite().all():
        raise _damaged(folder, "tokenizer.safetensors", "its statistics hold what is no number")
    fill(tokenizer, tensors, folder, "tokenizer.safetensors")
    return config, tokenizer.eval(), mean, std


def load(folder: Path) -> Model:
    """The model of a folder; ScaleMoGenError when files are missing, damaged or do not fit."""
    config, tokenizer, mean, std = load_tokenizer(folder)
    tensors = read_tensors(folder, "transformer.safetensors")
    pyramid = tokenizer.quantizer.pyramid
    bits = config.tokenizer.bits
    transformer = _build(folder, lambda: NextScaleTransformer(config.transformer, bits, pyramid))
    fill(transformer, tensors, folder, "transformer.safetensors")
    durations = _load_durations(folder, config.transformer.text_width)
    return Model(config, tokenizer, transformer.eval(), mean, std, durations)


def save_durations(folder: Path, durations: DurationPredictor) -> None:
    """Write duration.safetensors."""
    tensors = {"weight": torch.from_numpy(durations.weight), "bias": torch.tensor(durations.bias)}
    save_tensors(folder, DURATIONS, {name: t.float() for name, t in tensors.items()})


def _load_durations(folder: Path, width: int) -> DurationPredictor | None:
    if not (folder / DURATIONS).exists():
        return None
    tensors = read_tensors(folder, DURATIONS)
    weight, bias = tensors.get("weight"), tensors.get("bias")
    if weight is None or bias is None or weight.shape != (width,) or bias.shape != ():
        raise _damaged(folder, DURATIONS, "it does not fit the text encoder")
    if not (weight.isfinite().all() and bias.isfinite()):
        raise _damaged(folder, DURATIONS, "it holds something that is no number")
    return DurationPredictor(weight.double().numpy(), float(bias))


def _stored(model: nn.Module, dtype: torch.dtype) -> dict[str, Tensor]:
    return {n: p.detach().to("cpu", dtype).contiguous() for n, p in model.named_parameters()}


def save_tensors(folder: Path, name: str, tensors: dict[str, Tensor]) -> None:
    """Write one weights file and its checksum, each through a temporary file beside it."""
    make_folder(folder)
    data = save(tensors)
    write_bytes(folder / name, data)
    digest = hashlib.sha256(data).hexdigest()
    sums = _checksums(folder) | {name: digest}
    write_bytes(folder / CHECKSUMS, (json.dumps(sums, indent=1) + "\n").encode())


def _write_config(folder: Path, config: ModelConfig) -> None:
    write_bytes(folder / "config.json", config.to_json().encode())


def _checksums(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / CHECKSUMS).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _read_config(folder: Path) -> ModelConfig:
    try:
        return ModelConfig.from_json((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(folder, "config.json", str(error)) from error


def read_tensors(folder: Path, name: str) -> dict[str, Tensor]:
    """Tensors of a weights file after its checksum has been compared."""
    path = folder / name
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != _checksums(folder).get(name):
            raise _damaged(folder, name, "its checksum differs from checksums.json")
        return load_bytes(data)
    except OSError as error:
        raise _damaged(folder, name, error.strerror or str(error)) from error
    except SafetensorError as error:
        raise _damaged(folder, name, str(error)) from error


def _build(folder: Path, make: Callable[[], Network]) -> Network:
    """A network of the sizes in config.json, which may be any numbers."""
    try:
        return make()
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, ArithmeticError) as error:
        raise _damaged(folder, "config.json", f"its sizes make no network ({error})") from error


def fill(model: nn.Module, tensors: dict[str, Tensor], folder: Path, name: str) -> None:
    """Copy tensors into the parameters, which must agree in names and shapes."""
    parameters = dict(model.named_parameters())
    if parameters.keys() != tensors.keys():
        odd = sorted(parameters.keys() ^ tensors.keys())[0]
        raise _damaged(folder, name, f"tensor {odd} does not belong or is missing")
    with torch.no_grad():
        for key, parameter in parameters.items():
            if parameter.shape != tensors[key].shape:
                raise _damaged(
                    folder, name, f"tensor {key} has another shape than config.json says"
                )
            if not tensors[key].is_floating_point() or not tensors[key].isfinite().all():
                raise _damaged(folder, name, f"tensor {key} holds something that is no number")
            parameter.copy_(tensors[key])


def _damaged(folder: Path, name: str, reason: str) -> ScaleMoGenError:
    return ScaleMoGenError(
        f"model file {folder / name} cannot be used: {reason}; install or convert the model again"
    )

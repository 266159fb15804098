"""Published checkpoints, once, to a model folder of ours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import ScaleMoGenError
from .parity import published_model
from .weights import save_tokenizer, save_transformer


def convert(folder: Path, out: Path) -> None:
    """Read FOLDER (see ``run.py convert --help``) and write the model folder ``out``.

    ScaleMoGenError when a file is missing, unsafe to load or does not fit; ``out`` then stays.
    """
    if (out / "config.json").exists():
        raise ScaleMoGenError(f"{out} already holds a model; name a new folder")
    model = published_model(folder)
    width = model.tokenizer.columns.scatter.shape[0]
    mean, std = (_statistics(folder / f"{name}.npy", width) for name in ("mean", "std"))
    if bool((std <= 0).any()):
        raise ScaleMoGenError(f"{folder / 'std.npy'} has values that are not above 0; get it again")
    config = replace(model.config, name=out.name)
    # Published weights are kept in the precision they came in.
    save_tokenizer(out, config, model.tokenizer, mean, std, dtype=torch.float32)
    save_transformer(out, config, model.transformer, dtype=torch.float32)


def _statistics(path: Path, width: int) -> Tensor:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ScaleMoGenError(
            f"{path} cannot be read; put the data set's mean.npy and std.npy beside the checkpoints"
        ) from error
    if values.shape != (width,) or not np.isfinite(values).all():
        raise ScaleMoGenError(f"{path} does not hold {width} numbers; is it the right data set's?")
    return torch.from_numpy(values.astype(np.float32))

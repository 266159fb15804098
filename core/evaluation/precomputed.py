"""Metrics of embeddings that another evaluator computed, from a safetensors file.

The file holds ``motion`` [n, d] (real motions) and ``text`` [n, d] (their captions), and any number
of rows under names of their own (``generated``, …): [n, d], or [repeats, n, d] of other seeds.  Row
i of each belongs to caption i.  Motions of the same caption have the same row of ``text``.  This is
how systems on the published HumanML3D and SnapMoGen features are measured with the published
evaluators, whose files are not ours to read: embed there, measure here.
"""

from pathlib import Path

import numpy as np

from ..errors import ScaleMoGenError
from .report import Measured, embedded_figures, rank


def measure_embeddings(path: Path, repeats: int, seed: int) -> list[Measured]:
    """Rows of a file, ``motion`` first; ScaleMoGenError when it is not of the form above."""
    arrays = _read(path)
    texts = arrays.pop("text")
    real = arrays.pop("motion")
    vectors, own = np.unique(texts, axis=0, return_inverse=True)
    own = own.reshape(-1)
    if len(vectors) < 2:
        raise ScaleMoGenError(f"{path}: R-precision needs at least two different captions")
    others = np.arange(len(vectors)) != own[:, None]
    rows = []
    for name, array in {"real motion": real, **arrays}.items():
        samples = list(array) if array.ndim == 3 else [array]
        row = Measured(name, [(str(i),) for i in own], fixed=array.ndim == 2, embeddings=samples)
        rank(row, vectors, own, others, repeats if row.fixed else len(samples), seed)
        row.figures = embedded_figures(row, texts, real, seed)
        rows.append(row)
    return rows


def _read(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = {name: array.astype(np.float64) for name, array in load_file(path).items()}
    except (OSError, SafetensorError, TypeError, AttributeError) as error:
        raise ScaleMoGenError(
            f"{path} cannot be read as safetensors ({error}); see evaluate --help for its form"
        ) from error
    for name in ("motion", "text"):
        if name not in arrays or arrays[name].ndim != 2:
            raise ScaleMoGenError(f"{path} has no matrix {name!r} of n embeddings of d numbers")
    shape = arrays["motion"].shape
    for name, array in arrays.items():
        if array.ndim not in (2, 3) or array.shape[-2:] != shape or not array.size:
            raise ScaleMoGenError(
                f"{path}: {name!r} has the shape {list(array.shape)}, but {list(shape)} or "
                f"[repeats, {shape[0]}, {shape[1]}] is needed"
            )
        if not np.isfinite(array).all():
            raise ScaleMoGenError(f"{path}: {name!r} holds something that is no number")
    return arrays

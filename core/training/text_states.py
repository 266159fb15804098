"""Text states of every training sentence, computed once and kept beside the run."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from ..files import make_folder, replacing
from ..model.config import TransformerConfig
from ..text.encoder import load_text_encoder


def text_states(
    sentences: Sequence[str],
    config: TransformerConfig,
    folder: Path,
    name: str = "text_states.safetensors",
) -> tuple[Tensor, Tensor]:
    """States [sum of lengths, width] fp16, end to end, and lengths [n] of all sentences.

    Kept in ``folder``/``name`` with a digest of what they were made of: computed
    where the text encoder is, they serve where it is not.
    """
    path = folder / name
    made_of = json.dumps([config.text_encoder, config.max_text, list(sentences)])
    key = hashlib.sha256(made_of.encode()).hexdigest()
    kept = _read(path, key)
    if kept is not None:
        return kept
    encoder = load_text_encoder(config.text_encoder)
    states, lengths = [], []
    for at in tqdm(range(0, len(sentences), 256), desc="encoding sentences"):
        for state in encoder.encode(sentences[at : at + 256]):
            states.append(torch.from_numpy(state[: config.max_text]).half())
            lengths.append(len(states[-1]))
    make_folder(folder)
    result = {"states": torch.cat(states), "lengths": torch.tensor(lengths)}
    with replacing(path) as temporary:
        save_file(result, temporary, {"key": key})
    return result["states"], result["lengths"]


def _read(path: Path, key: str) -> tuple[Tensor, Tensor] | None:
    """What was kept, if it is whole and was made of the same."""
    try:
        with safe_open(path, "pt") as file:
            if (file.metadata() or {}).get("key") != key:
                return None
            return file.get_tensor("states"), file.get_tensor("lengths")
    except (OSError, SafetensorError):
        return None

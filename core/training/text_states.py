"""Text states of every training sentence, computed once and kept beside the run."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from ..text.cache import CachedTextEncoder


def text_states(
    sentences: Sequence[str], encoder: CachedTextEncoder, folder: Path, max_text: int
) -> tuple[Tensor, Tensor]:
    """States [sum of lengths, width] fp16, end to end, and lengths [n] of all sentences.

    Kept in ``folder``/text_states.safetensors with a digest of the sentences: precompute them where
    the text encoder is, train where it is not.
    """
    path = folder / "text_states.safetensors"
    digest = hashlib.sha256("\n".join([encoder.name, *sentences]).encode()).digest()
    key = torch.tensor(list(digest), dtype=torch.uint8)
    if path.exists():
        kept = load_file(path)
        if torch.equal(kept["digest"], key):
            return kept["states"], kept["lengths"]
    states, lengths = [], []
    for at in tqdm(range(0, len(sentences), 256), desc="encoding sentences"):
        for state in encoder.load().encode(sentences[at : at + 256]):
            states.append(torch.from_numpy(state[:max_text]).half())
            lengths.append(min(len(state), max_text))
    folder.mkdir(parents=True, exist_ok=True)
    result = {"states": torch.cat(states), "lengths": torch.tensor(lengths), "digest": key}
    save_file(result, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
    return result["states"], result["lengths"]

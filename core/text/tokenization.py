"""Tokenising without padding, and batching texts of equal length."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ScaleMoGenError

_BATCH = 64


def load_tokenizer(folder: Path, max_tokens: int) -> Any:
    """The fast tokenizer of a folder, truncating and without padding."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises bare Exception for a damaged file
        raise ScaleMoGenError(
            f"{folder / 'tokenizer.json'} is damaged. Get the text encoder again."
        ) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def encode_in_equal_lengths(
    tokenizer: Any, prompts: Sequence[str], forward: Callable[[np.ndarray], np.ndarray]
) -> list[np.ndarray]:
    """Apply ``forward`` (token ids [B, L] -> states [B, L, W]) to all prompts, in their order.

    Only texts with equally many tokens share a batch: no padding, hence no attention mask, and no
    prompt's states depend on how long its neighbours are.
    """
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(prompts))]
    states: list[np.ndarray] = [np.empty(0)] * len(ids)
    for rows in _equal_length_batches([len(tokens) for tokens in ids]):
        output = forward(np.array([ids[row] for row in rows], dtype=np.int64))
        for row, state in zip(rows, output, strict=True):
            states[row] = state
    return states


def _equal_length_batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    rows_of_length: dict[int, list[int]] = defaultdict(list)
    for row, length in enumerate(lengths):
        rows_of_length[length].append(row)
    for rows in rows_of_length.values():
        for start in range(0, len(rows), _BATCH):
            yield rows[start : start + _BATCH]

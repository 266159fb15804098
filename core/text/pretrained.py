"""Pretrained text encoders, read from a local folder only."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import ScaleMoGenError
from .minilm import MiniLM
from .tokenization import encode_in_equal_lengths, load_tokenizer

#: Longest text in tokens: what the encoder was trained with; a longer prompt is cut.
MAX_TOKENS = {"minilm": 128, "t5": 512}

Network = Callable[[Tensor], Tensor]


class PretrainedEncoder:
    """States of every token of all-MiniLM-L6-v2 (384 wide) or of flan-t5's encoder (2048 wide).

    MiniLM: Wang et al. 2020, arXiv 2002.10957; [CLS] and [SEP] included, because word order matters
    more than a summary.  Flan-T5: Chung et al. 2022, arXiv 2210.11416; the end token included.
    """

    def __init__(self, name: str, folder: Path, device: torch.device | str = "cpu") -> None:
        self.name = name
        self._device = torch.device(device)
        self._tokenizer = load_tokenizer(folder, MAX_TOKENS[name])
        load = _load_t5 if name == "t5" else _load_minilm
        try:
            self._network, self.width = load(folder, self._device)
        except ScaleMoGenError:
            raise
        except Exception as error:  # the libraries' errors have no common base
            raise ScaleMoGenError(
                f"The text encoder in {folder} is damaged or of another kind. Get it again."
            ) from error

    def encode(self, prompts: Sequence[str]) -> list[np.ndarray]:
        """Token states [L, width] float32 of each prompt."""
        return encode_in_equal_lengths(self._tokenizer, prompts, self._forward)

    @torch.inference_mode()
    def _forward(self, tokens_bl: np.ndarray) -> np.ndarray:
        states = self._network(torch.from_numpy(tokens_bl).to(self._device))
        return np.asarray(states.float().cpu().numpy())


def _load_minilm(folder: Path, device: torch.device) -> tuple[Network, int]:
    network = MiniLM(folder, device)
    return network, network.width


def _load_t5(folder: Path, device: torch.device) -> tuple[Network, int]:
    """Flan-T5's encoder through the transformers library, whose import takes a second or two."""
    # Before the first import: neither the hub client nor the library may look at the network.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    try:
        from transformers import T5EncoderModel
        from transformers.utils import logging
    except ImportError as error:
        raise ScaleMoGenError(
            "This text encoder needs the package transformers. Install it and try again."
        ) from error
    # Loading bars and notes about unused heads are not for artists.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model, found = T5EncoderModel.from_pretrained(
        # use_safetensors: a pickled checkpoint beside it is never read.
        folder,
        local_files_only=True,
        use_safetensors=True,
        dtype=torch.float32,
        output_loading_info=True,
    )
    if found["missing_keys"]:
        raise ValueError("weights are missing")  # the library would fill them at random
    model = model.to(device).eval().requires_grad_(False)

    def network(ids: Tensor) -> Tensor:
        states: Tensor = model(input_ids=ids).last_hidden_state
        return states

    return network, int(model.config.hidden_size)

"""Pretrained text encoders through the transformers library, read from a local folder only."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import ScaleMoGenError
from .tokenization import encode_in_equal_lengths, load_tokenizer

#: Longest text in tokens: what the encoder was trained with; a longer prompt is cut.
MAX_TOKENS = {"minilm": 128, "t5": 512}


class PretrainedEncoder:
    """States of every token of all-MiniLM-L6-v2 (384 wide) or of flan-t5's encoder (2048 wide).

    MiniLM: Wang et al. 2020, arXiv 2002.10957; [CLS] and [SEP] included, because word order matters
    more than a summary.  Flan-T5: Chung et al. 2022, arXiv 2210.11416; the end token included.
    """

    def __init__(self, name: str, folder: Path, device: torch.device | str = "cpu") -> None:
        self.name = name
        self._device = torch.device(device)
        self._tokenizer = load_tokenizer(folder, MAX_TOKENS[name])
        try:
            model, found = _model_class(name).from_pretrained(
                # use_safetensors: a pickled checkpoint beside it is never read.
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
            if found["missing_keys"]:
                raise ValueError("weights are missing")  # the library would fill them at random
        except Exception as error:  # the library's errors have no common base
            raise ScaleMoGenError(
                f"The text encoder in {folder} is damaged or of another kind. Get it again."
            ) from error
        self._model = model.to(self._device).eval().requires_grad_(False)
        self.width: int = model.config.hidden_size

    def encode(self, prompts: Sequence[str]) -> list[np.ndarray]:
        """Token states [L, width] float32 of each prompt."""
        return encode_in_equal_lengths(self._tokenizer, prompts, self._forward)

    @torch.inference_mode()
    def _forward(self, tokens_bl: np.ndarray) -> np.ndarray:
        output = self._model(input_ids=torch.from_numpy(tokens_bl).to(self._device))
        return np.asarray(output.last_hidden_state.float().cpu().numpy())


def _model_class(name: str) -> Any:
    """The library's class; it is imported here, because that takes a second or two."""
    # Before the first import: neither the hub client nor the library may look at the network.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    try:
        from transformers.utils import logging

        # Loading bars and notes about unused heads are not for artists.
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        if name == "t5":
            from transformers import T5EncoderModel

            return T5EncoderModel
        from transformers import BertModel
    except ImportError as error:
        raise ScaleMoGenError(
            "The text encoder needs the package transformers. Install it and try again."
        ) from error
    return BertModel

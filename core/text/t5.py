"""flan-t5-xl (Chung et al. 2022, arXiv 2210.11416) for the published models: 2048-wide states."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..errors import ScaleMoGenError
from .tokenization import encode_in_equal_lengths, load_tokenizer

MAX_TOKENS = 512


class T5Encoder:
    """The encoder half of a T5 model in a folder the user names, through transformers."""

    name = "t5"

    def __init__(self, folder: Path, device: torch.device | str = "cpu") -> None:
        # Before the first import: neither the hub client nor the library may look at the network.
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["TRANSFORMERS_OFFLINE"] = "1"
        try:
            from transformers import T5EncoderModel
        except ImportError as error:
            raise ScaleMoGenError(
                "The published models need the package transformers. Install it and try again."
            ) from error
        self._device = torch.device(device)
        self._tokenizer = load_tokenizer(folder, MAX_TOKENS)
        try:
            # use_safetensors: a pickled checkpoint beside it is never read.
            model = T5EncoderModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
        except Exception as error:  # the library's errors have no common base
            raise ScaleMoGenError(
                f"The T5 text encoder in {folder} cannot be loaded. Name a folder with flan-t5-xl "
                "in safetensors form."
            ) from error
        self._model = model.to(self._device).eval().requires_grad_(False)
        self.width: int = model.config.d_model

    def encode(self, prompts: Sequence[str]) -> list[np.ndarray]:
        """Token states [L, 2048] float32 of each prompt, the end token included."""
        return encode_in_equal_lengths(self._tokenizer, prompts, self._forward)

    @torch.inference_mode()
    def _forward(self, tokens_bl: np.ndarray) -> np.ndarray:
        output = self._model(input_ids=torch.from_numpy(tokens_bl).to(self._device))
        return np.asarray(output.last_hidden_state.float().cpu().numpy())

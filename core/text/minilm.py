"""all-MiniLM-L6-v2 (Wang et al. 2020, arXiv 2002.10957): 384-wide token states."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..errors import ScaleMoGenError
from .bert import BertConfig, bert_states, tensor_shapes
from .tokenization import encode_in_equal_lengths, load_tokenizer

#: The length the sentence model was trained with; a longer prompt is cut.
MAX_TOKENS = 128


class MiniLmEncoder:
    """States of every token, [CLS] and [SEP] included: word order matters more than a summary."""

    name = "minilm"

    def __init__(self, folder: Path, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)
        self._tokenizer = load_tokenizer(folder, MAX_TOKENS)
        self._config, tensors = _load(folder)
        self._tensors = {name: tensor.to(self._device) for name, tensor in tensors.items()}
        self.width = self._config.hidden_size

    def encode(self, prompts: Sequence[str]) -> list[np.ndarray]:
        """Token states [L, 384] float32 of each prompt."""
        return encode_in_equal_lengths(self._tokenizer, prompts, self._forward)

    @torch.inference_mode()
    def _forward(self, tokens_bl: np.ndarray) -> np.ndarray:
        tokens = torch.from_numpy(tokens_bl).to(self._device)
        states = bert_states(tokens, self._tensors, self._config)
        return np.asarray(states.cpu().numpy())


def _load(folder: Path) -> tuple[BertConfig, dict[str, torch.Tensor]]:
    try:
        fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        names = [field.name for field in dataclasses.fields(BertConfig)]
        config = BertConfig(**{name: fields[name] for name in names})
        weights = load_file(folder / "model.safetensors")
        shapes = tensor_shapes(config)
        if any(tuple(weights[name].shape) != shape for name, shape in shapes.items()):
            raise ValueError("a tensor has another shape")
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ScaleMoGenError(
            f"The text encoder in {folder} is damaged or of another kind. Get it again."
        ) from error
    # Weights are packed in fp16 inside the extension; all arithmetic is fp32.
    return config, {name: weights[name].float() for name in shapes}

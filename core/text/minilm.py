"""all-MiniLM-L6-v2's network, written out: six layers of BERT without padding.

BERT: Devlin et al. 2019, arXiv 1810.04805; MiniLM: Wang et al. 2020, arXiv 2002.10957.  Written
here because importing the library that also has it takes twice as long as importing torch.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

_SETTINGS = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
}


class MiniLM:
    """Token ids [B, L] to states [B, L, width] float32; every id is a real token.

    Raises OSError, SafetensorError, KeyError, TypeError or ValueError when the folder's config.json
    and model.safetensors are missing, damaged, of another kind or do not fit each other.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        for key, value in _SETTINGS.items():
            if config.get(key, value) != value:
                raise ValueError(f"{key} is not {value}")
        self.width = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._layers = int(config["num_hidden_layers"])
        self._epsilon = float(config["layer_norm_eps"])
        if self.width % self._heads:
            raise ValueError("the width does not divide by the heads")
        shapes = _shapes(config)
        with safe_open(folder / "model.safetensors", "pt") as file:
            self._weights = {
                name: _loaded(file.get_tensor(name), name, shape).to(device)
                for name, shape in shapes.items()
            }

    @torch.inference_mode()
    def __call__(self, ids: Tensor) -> Tensor:
        words = self._weights["embeddings.word_embeddings.weight"][ids].float()
        # Token type 0 is that of a single sentence.
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        place = self._weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self._norm(words + kind + place, "embeddings.LayerNorm")
        for index in range(self._layers):
            layer = f"encoder.layer.{index}"
            query, key, value = (
                self._linear(x, f"{layer}.attention.self.{part}")
                .unflatten(-1, (self._heads, -1))
                .transpose(1, 2)
                for part in ("query", "key", "value")
            )
            seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
            x = x + self._linear(seen, f"{layer}.attention.output.dense")
            x = self._norm(x, f"{layer}.attention.output.LayerNorm")
            hidden = F.gelu(self._linear(x, f"{layer}.intermediate.dense"))
            x = x + self._linear(hidden, f"{layer}.output.dense")
            x = self._norm(x, f"{layer}.output.LayerNorm")
        return x

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return F.layer_norm(x, (self.width,), weight, bias, self._epsilon)


def _shapes(config: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that is used (the pooler is not)."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], width),
    }
    norms = ["embeddings.LayerNorm"]
    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
        for name, outputs, inputs in (
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", inner, width),
            ("output.dense", width, inner),
        ):
            shapes[f"{layer}.{name}.weight"] = (outputs, inputs)
            shapes[f"{layer}.{name}.bias"] = (outputs,)
    for name in norms:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)
    return shapes


def _loaded(tensor: Tensor, name: str, shape: tuple[int, ...]) -> Tensor:
    """A checked copy in fp32: nothing of the file stays mapped.

    The word embeddings, half of all weights, keep the type they are stored in: few rows are read.
    """
    if tuple(tensor.shape) != shape or not tensor.is_floating_point():
        raise ValueError(f"{name} has another shape or type than config.json says")
    # NaN spreads to both; ten times faster than looking at every number for itself.
    if not torch.stack(torch.aminmax(tensor)).isfinite().all():
        raise ValueError(f"{name} holds something that is no number")
    if name == "embeddings.word_embeddings.weight":
        return tensor.clone()
    return tensor.to(torch.float32, copy=True)

"""The BERT encoder (Devlin et al. 2018, arXiv 1810.04805) as one function of its tensors.

Written out because importing a library for these few matrix products takes about two seconds, most
of a cold start.  Functions instead of modules, because the tensors are only ever read: modules
would first fill 22 million numbers at random, and building them on the "meta" device instead pulls
in torch's compiler, a second of imports.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class BertConfig:
    """The fields of a published config.json that shape the network."""

    hidden_size: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    num_hidden_layers: int
    num_attention_heads: int
    layer_norm_eps: float


def tensor_shapes(config: BertConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that :func:`bert_states` reads, as published."""
    width, inner = config.hidden_size, config.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config.vocab_size, width),
        "embeddings.position_embeddings.weight": (config.max_position_embeddings, width),
        "embeddings.token_type_embeddings.weight": (2, width),
    }
    linear = {
        "attention.self.query": (width, width),
        "attention.self.key": (width, width),
        "attention.self.value": (width, width),
        "attention.output.dense": (width, width),
        "intermediate.dense": (inner, width),
        "output.dense": (width, inner),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(config.num_hidden_layers):
        for name, shape in linear.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
        norms += [f"encoder.layer.{layer}.{name}.LayerNorm" for name in _NORMALISED]
    for norm in norms:
        shapes[f"{norm}.weight"] = shapes[f"{norm}.bias"] = (width,)
    return shapes


_NORMALISED = ("attention.output", "output")


def bert_states(tokens_bl: Tensor, tensors: Mapping[str, Tensor], config: BertConfig) -> Tensor:
    """Token ids [B, L] of equally long texts -> hidden states [B, L, width] of the last layer."""

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def norm(x: Tensor, name: str) -> Tensor:
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        return F.layer_norm(x, weight.shape, weight, bias, config.layer_norm_eps)

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (config.num_attention_heads, -1)).transpose(1, 2)

    x = F.embedding(tokens_bl, tensors["embeddings.word_embeddings.weight"])
    x = x + tensors["embeddings.position_embeddings.weight"][: tokens_bl.shape[1]]
    x = x + tensors["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, "embeddings.LayerNorm")
    for index in range(config.num_hidden_layers):
        layer = f"encoder.layer.{index}"
        q, k, v = (
            heads(linear(x, f"{layer}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        mixed = linear(mixed, f"{layer}.attention.output.dense")
        x = norm(mixed + x, f"{layer}.attention.output.LayerNorm")
        inner = F.gelu(linear(x, f"{layer}.intermediate.dense"))
        x = norm(linear(inner, f"{layer}.output.dense") + x, f"{layer}.output.LayerNorm")
    return x

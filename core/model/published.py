"""The published checkpoints: names, layouts and shapes, to and from ours.

Written from the tensor lists of the published models; no published code was used.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import ScaleMoGenError
from .config import ModelConfig, Scale, TokenizerConfig, TransformerConfig
from .tokenizer import MotionTokenizer
from .transformer import NextScaleTransformer

#: (published, ours) endings inside a residual block of the tokenizer.
_CONV_NAMES = (
    ("layers.2.", "first."),
    ("layers.5.", "second."),
    ("graph_conv.linear1.", "own."),
    ("graph_conv.linear2.", "neighbours."),
    ("temp_conv.", "temporal."),
    ("skeleton_pool_vec", "logits"),
    ("skeleton_unpool", "weight"),
)
_TRANSFORMER_NAMES = (
    ("text_proj_for_sos.ca.proj", "text_pool.out"),
    ("text_proj_for_sos.ca.mat_q", "text_pool.query"),
    ("text_proj_for_sos.ca.mat_kv", "text_pool.kv"),
    ("text_proj_for_sos.ca", "text_pool"),
    ("text_proj_for_ca", "text_project"),
    ("cfg_uncond", "unconditional"),
    ("lvl_embed", "scale_embed"),
    ("word_embed", "code_embed"),
    ("shared_ada_lin.1", "modulate"),
    ("head_nm.ada_lin.1", "head_modulate"),
    ("pos_start", "start"),
)
_BLOCK_NAMES = (
    ("ada_gss", "modulation"),
    ("sa.scale_mul_1H11", "self_attention.log_scale"),
    ("sa.mat_qkv", "self_attention.qkv"),
    ("sa.proj", "self_attention.out"),
    ("sa.", "self_attention."),
    ("ca.mat_q.", "cross_attention.q."),
    ("ca.mat_kv", "cross_attention.kv"),
    ("ca.proj", "cross_attention.out"),
    ("ca.", "cross_attention."),
    ("ca_norm", "cross_norm"),
    ("ffn.fc1", "feed_forward.0"),
    ("ffn.fc2", "feed_forward.2"),
)
#: Names under which the two data sets go.
_DATASETS = {"snapmogen": "snapmogen", "humanml3d": "humanml3d", "t2m": "humanml3d"}
#: Published buffers that follow from the sizes and carry nothing.
_DERIVED = re.compile(r"adj_matrix$|lfq\.mask$|zero_k_bias$")


# --- tokenizer -----------------------------------------------------------------------------------


def tokenizer_from_published(
    published: dict[str, Tensor], model: MotionTokenizer
) -> dict[str, Tensor]:
    """Our tensors of a published tokenizer's state dict, for a model of the same sizes."""
    ours: dict[str, Tensor] = {}
    for prefix, name in (("motion_enc", "embed"), ("motion_dec", "unembed")):
        for layer in (0, 2):
            weight = torch.zeros_like(model.get_parameter(f"{name}.{layer}.weight"))
            bias = torch.zeros_like(model.get_parameter(f"{name}.{layer}.bias"))
            for joint in range(len(weight)):
                w = published[f"{prefix}.layers.{joint}.{layer}.weight"]
                b = published[f"{prefix}.layers.{joint}.{layer}.bias"]
                weight[joint, : w.shape[1], : w.shape[0]] = w.T
                bias[joint, : len(b)] = b
            ours[f"{name}.{layer}.weight"], ours[f"{name}.{layer}.bias"] = weight, bias
    for key, tensor in published.items():
        match = re.fullmatch(r"conv_(enc|dec)\.layers\.(\d+)\.(\d+)\.(.+)", key)
        if _DERIVED.search(key):
            continue
        if match:
            side, level, index, rest = match.groups()
            position = int(level) * (model.config.blocks_per_level + 1) + int(index)
            side = "down" if side == "enc" else "up"
            ours[f"{side}.{position}.{_rename(rest, _CONV_NAMES)}"] = tensor
        elif key.startswith("quantizer2d."):
            ours[key.replace("quantizer2d.", "quantizer.")] = tensor
    return ours


def tokenizer_to_published(model: MotionTokenizer) -> dict[str, Tensor]:
    """The published state dict of one of our tokenizers of published structure."""
    config = model.config
    if config.fold != 1 or config.smoothing:
        raise ScaleMoGenError("only models of the published structure can be converted back")
    published: dict[str, Tensor] = {}
    counts = model.columns.counts
    for prefix, name in (("motion_enc", "embed"), ("motion_dec", "unembed")):
        for joint, count in enumerate(counts):
            for layer in (0, 2):
                weight = model.get_parameter(f"{name}.{layer}.weight")[joint]
                bias = model.get_parameter(f"{name}.{layer}.bias")[joint]
                # Padding rows and columns of the joint's own numbers are cut off again.
                if (name, layer) == ("embed", 0):
                    weight = weight[:count]
                if (name, layer) == ("unembed", 2):
                    weight, bias = weight[:, :count], bias[:count]
                stem = f"{prefix}.layers.{joint}.{layer}"
                published[f"{stem}.weight"], published[f"{stem}.bias"] = weight.T, bias
    per_level = config.blocks_per_level + 1
    buffers = [
        (k, b) for k, b in model.named_buffers(remove_duplicate=False) if k.endswith("adjacency")
    ]
    for key, tensor in [*model.named_parameters(), *buffers]:
        match = re.fullmatch(r"(down|up)\.(\d+)\.(.+)", key)
        if match:
            side, position, rest = match.groups()
            side = "enc" if side == "down" else "dec"
            rest = rest.replace("adjacency", "adj_matrix")
            if "." in rest:
                rest = _rename(rest, [(b, a) for a, b in _CONV_NAMES[:5]])
            else:
                rest = {"logits": "skeleton_pool_vec", "weight": "skeleton_unpool"}[rest]
            level, index = divmod(int(position), per_level)
            published[f"conv_{side}.layers.{level}.{index}.{rest}"] = tensor
        elif key.startswith("quantizer.project_"):
            published[key.replace("quantizer.", "quantizer2d.")] = tensor
    published["quantizer2d.lfq.mask"] = 2 ** torch.arange(config.bits - 1, -1, -1)
    return published


# --- transformer ---------------------------------------------------------------------------------


def transformer_from_published(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our tensors of a published transformer's state dict."""
    per_chunk = 1 + max(
        int(m[1])
        for m in (re.match(r"block_chunks\.\d+\.module\.(\d+)\.", k) for k in published)
        if m
    )
    ours: dict[str, Tensor] = {}
    for key, tensor in published.items():
        if _DERIVED.search(key):
            continue
        match = re.fullmatch(r"block_chunks\.(\d+)\.module\.(\d+)\.(.+)", key)
        if match:
            index = int(match[1]) * per_chunk + int(match[2])
            name = f"blocks.{index}.{_rename(match[3], _BLOCK_NAMES, once=True)}"
        else:
            name = _rename(key, _TRANSFORMER_NAMES, once=True)
        if name == "start":
            tensor = tensor.reshape(-1)
        elif name.endswith(".modulation"):
            tensor = tensor.reshape(6, -1)
        ours[name] = tensor
    return ours


def transformer_to_published(model: NextScaleTransformer, chunks: int = 4) -> dict[str, Tensor]:
    """The published state dict of one of our transformers."""
    per_chunk = model.config.depth // chunks
    published: dict[str, Tensor] = {}
    tensor: Tensor
    for key, tensor in model.named_parameters():
        match = re.fullmatch(r"blocks\.(\d+)\.(.+)", key)
        if match:
            chunk, index = divmod(int(match[1]), per_chunk)
            rest = _rename(match[2], [(b, a) for a, b in _BLOCK_NAMES], once=True)
            name = f"block_chunks.{chunk}.module.{index}.{rest}"
        else:
            name = _rename(key, [(b, a) for a, b in _TRANSFORMER_NAMES], once=True)
        if key == "start" or key.endswith(".modulation"):
            tensor = tensor[None, None]
        published[name] = tensor
        if key.endswith("v_bias"):
            published[name.replace("v_bias", "zero_k_bias")] = torch.zeros_like(tensor)
    return published


def _rename(name: str, table: Sequence[tuple[str, str]], *, once: bool = False) -> str:
    """Replace the table's entries where they begin a part of the dotted name, each once in order.

    ``once`` stops at the first that fits: the tables of the transformer list special cases first.
    """
    for old, new in table:
        renamed = re.sub(rf"(^|\.){re.escape(old)}", rf"\g<1>{new}", name, count=1)
        if once and renamed != name:
            return renamed
        name = renamed
    return name


# --- files ---------------------------------------------------------------------------------------


def read_published(path: Path, *keys: str) -> dict[str, Tensor]:
    """The state dict under ``keys`` of a .tar or .pth file; no code in it is run."""
    try:
        data: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ScaleMoGenError(f"{path} cannot be read; name the published file") from error
    except Exception as error:
        raise ScaleMoGenError(
            f"{path} is not a checkpoint that can be loaded safely ({type(error).__name__}); "
            "download it again"
        ) from error
    for key in keys:
        if not isinstance(data, dict) or key not in data:
            raise ScaleMoGenError(f"{path} has no {'/'.join(keys)}; is it the right file?")
        data = data[key]
    if not isinstance(data, dict) or not all(isinstance(t, Tensor) for t in data.values()):
        raise ScaleMoGenError(f"{path} holds no table of tensors; is it the right file?")
    return dict(data)


def published_config(path: Path) -> ModelConfig:
    """Our configuration of a published model's ``config.json`` (see ``run.py convert --help``)."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        vq, predictor = data["vq"], data["predictor"]
        layout = _DATASETS[str(data["dataset"]).lower()]
        if vq["n_layers"] != 2:
            raise ValueError("the tokenizer must have two levels")
        generation = data.get("generation", {})
        tokenizer = TokenizerConfig(
            layout=layout,
            width=vq["latent_dim"],
            bits=vq["bsq_dim"],
            scales=tuple(
                Scale(divisor, tuple(tuple(group) for group in groups))
                for divisor, groups in vq["chain"]
            ),
            max_latents=vq["max_motion_length"] // 2 ** vq["n_layers"],
            blocks_per_level=1 + vq["n_extra_layers"],
        )
        width = predictor["embed_dim"]
        transformer = TransformerConfig(
            width=width,
            depth=predictor["depth"],
            heads=predictor["num_heads"],
            text_width=predictor["text_channels"],
            max_text=predictor["text_maxlen"],
            ffn_width=max(1, round(4 * width / 256)) * 256,
            scale_rows=15,
            text_encoder="t5",
            guidance=generation.get("cfg", 7.0),
            temperature=generation.get("tau", 1.3),
        )
    except OSError as error:
        raise ScaleMoGenError(f"{path} cannot be read; name a folder that holds it") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScaleMoGenError(f"{path} is not a model description ({error!r})") from error
    return ModelConfig(path.parent.name, tokenizer, transformer)

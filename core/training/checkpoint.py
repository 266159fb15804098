"""Resumable training states as sharded safetensors, written atomically."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import ScaleMoGenError

SHARD_BYTES = 15 * 2**20


def save_state(folder: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Replace ``folder`` by shards of ``tensors`` and ``state.json`` holding ``facts``.

    Shards stay below 16 MiB.  An interrupted save leaves the previous state in place.
    """
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    shard: dict[str, Tensor] = {}
    size = count = 0
    for name, tensor in tensors.items():
        stored = tensor.detach().to("cpu").contiguous()
        if shard and size + stored.nbytes > SHARD_BYTES:
            save_file(shard, fresh / f"{count:03}.safetensors")
            shard, size, count = {}, 0, count + 1
        shard[name] = stored
        size += stored.nbytes
    save_file(shard, fresh / f"{count:03}.safetensors")
    (fresh / "state.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """What :func:`save_state` wrote, or None when there is nothing to resume from."""
    if not folder.exists():
        # A crash between the two renames leaves the previous state under its old name.
        old = folder.with_name(folder.name + ".old")
        if not old.exists():
            return None
        old.rename(folder)
    try:
        facts = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        tensors: dict[str, Tensor] = {}
        for shard in sorted(folder.glob("*.safetensors")):
            tensors |= load_file(shard)
    except Exception as error:
        raise ScaleMoGenError(
            f"cannot resume from {folder} ({error}); delete the folder to start afresh"
        ) from error
    return tensors, facts


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: dict[int, str]) -> dict[str, Tensor]:
    """An optimizer's state by parameter name (``names`` maps id(parameter) to its name)."""
    tensors = {}
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            tensors[f"optimizer.{key}.{names[id(parameter)]}"] = torch.as_tensor(value)
    return tensors


def restore_optimizer(
    optimizer: torch.optim.Optimizer, names: dict[int, str], tensors: dict[str, Tensor]
) -> None:
    """Inverse of :func:`optimizer_tensors`."""
    by_name: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, moment, name = key.split(".", 2)
            by_name.setdefault(name, {})[moment] = value
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = by_name.get(names[id(parameter)])
            if state is not None:
                optimizer.state[parameter] = {
                    # AdamW keeps its step counter on the CPU.
                    key: value.clone() if key == "step" else value.to(parameter.device, copy=True)
                    for key, value in state.items()
                }

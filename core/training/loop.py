"""The training loop that the tokenizer and the transformer share.

One process or many (Hugging Face accelerate); mixed precision and compile where asked; EMA weights;
stops by the clock or by steps.  Everything random in step n is a function of (seed, n, process), so
that a resumed run repeats exactly what an uninterrupted one would have done.
"""

import math
import time
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn
from tqdm import tqdm

from ..errors import ScaleMoGenError
from . import report
from .checkpoint import load_state, optimizer_tensors, restore_optimizer, save_state
from .memory import keep_freed_memory
from .optimizers import build_optimizers


@dataclass(frozen=True)
class LoopConfig:
    """How long and how fast.  One of ``steps`` and ``minutes`` ends the run and sets the schedule.

    minutes: wall clock of training, summed over interruptions.
    """

    learning_rate: float
    steps: int | None = None
    minutes: float | None = None
    warmup: int = 200
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    gradient_clip: float = 1.0
    ema: float = 0.995
    seed: int = 1
    optimizer: str = "adamw"
    mixed_precision: str = "no"
    compile: bool = False
    log_every: int = 10
    checkpoint_minutes: float = 5.0
    validate_minutes: float = 10.0


class Task(ABC):
    """What is trained: a model, its batches, its loss and its validation."""

    model: Any  # an nn.Module whose own type the task knows
    name: str

    @abstractmethod
    def loss(
        self, model: nn.Module, step: int, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss and named parts of step ``step`` on a batch drawn with the global generators."""

    @abstractmethod
    def validate(self, folder: Path, step: int) -> dict[str, float]:
        """Figures on the validation split with ``self.model``'s present (EMA) weights.

        May write pictures into ``folder``.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """What a saved state must share with this task to be resumed: model and data."""

    @abstractmethod
    def to(self, device: torch.device) -> None:
        """Move the data that lives beside the model."""


def train(task: Task, config: LoopConfig, folder: Path) -> dict[str, float]:
    """Run ``task`` to its end (or resume it) in ``folder``; returns the last validation figures.

    Leaves ``state/`` (resumable), ``log.csv`` and ``curves.png``; the model ends with EMA weights.
    """
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision,
        # The tokenizer's dropped scales leave nothing unused, but dropped layers may.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    keep_freed_memory()
    model = task.model.to(accelerator.device)
    task.to(accelerator.device)
    names = {id(p): n for n, p in model.named_parameters()}
    built = build_optimizers(
        model,
        name=config.optimizer,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        betas=config.betas,
        fused=accelerator.device.type == "cuda",
    )
    step, elapsed = 0, 0.0
    resumed = load_state(folder / "state")
    if resumed is not None:
        tensors, facts = resumed
        if facts.get("fingerprint") != task.fingerprint():
            raise ScaleMoGenError(
                f"{folder} holds a training of another model or of other data; "
                "name another folder, or delete this one to start afresh"
            )
        _copy_into(model, {n: tensors[f"model.{n}"] for n in names.values()})
        for optimizer in built:
            restore_optimizer(optimizer, names, tensors)
        step, elapsed = facts["step"], facts["elapsed"]
    prepared, *optimizers = accelerator.prepare(model, *built)
    # Only now: with several processes, preparing gives all of them the first one's weights.
    ema = {n: p.detach().clone() for n, p in model.named_parameters()}
    if resumed is not None:
        ema = {n: tensors[f"ema.{n}"].to(accelerator.device, copy=True) for n in ema}
    if config.compile:
        model.compile_blocks()
    main = accelerator.is_main_process
    log = report.Log(folder, step) if main else None
    bar = tqdm(
        total=config.steps or 1000,
        disable=not main,
        desc=task.name,
        unit="step" if config.steps else "",
    )
    started = time.monotonic() - elapsed
    saved = validated = time.monotonic()

    def save() -> None:
        tensors: dict[str, Tensor] = {f"model.{n}": p for n, p in model.named_parameters()}
        tensors |= {f"ema.{n}": p for n, p in ema.items()}
        for optimizer in built:
            tensors |= optimizer_tensors(optimizer, names)
        facts = {
            "step": step,
            "elapsed": time.monotonic() - started,
            "config": asdict(config),
            "fingerprint": task.fingerprint(),
        }
        save_state(folder / "state", tensors, facts)

    def progress() -> float:
        """Share of the run that is done, the same in every process."""
        if config.steps is not None:
            return step / config.steps
        done = torch.tensor((time.monotonic() - started) / 60 / (config.minutes or 1.0))
        if accelerator.num_processes > 1:
            done = accelerator.reduce(done.to(accelerator.device), "mean").cpu()
        return float(done)

    def validate() -> dict[str, float]:
        training = {n: p.detach().clone() for n, p in model.named_parameters()}
        _copy_into(model, ema)
        model.eval()
        # Validation's many shapes are not worth compiling for.  What it draws does not matter:
        # every step is seeded anew.
        with torch.no_grad(), torch.compiler.set_stance("force_eager"):
            figures = task.validate(folder, step)
        model.train()
        _copy_into(model, training)
        if log is not None:
            log.validation(step, figures)
        return figures

    model.train()
    done = progress()
    while done < 1.0:
        torch.manual_seed(hash((config.seed, step, accelerator.process_index)) % 2**63)
        rate = _learning_rate(config, step, done)
        for group in [group for optimizer in built for group in optimizer.param_groups]:
            group["lr"] = rate
        with accelerator.autocast():
            loss, parts = task.loss(prepared, step, done)
        accelerator.backward(loss)
        norm = accelerator.clip_grad_norm_(model.parameters(), config.gradient_clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        decay = min(config.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(ema.values()), [p.detach() for p in model.parameters()], 1 - decay
            )
        done = progress()
        if log is not None:
            if step % config.log_every == 0:
                values = {k: float(v) for k, v in parts.items()}
                value = float(loss.detach())
                log.train(step, time.monotonic() - started, rate, value, float(norm), values)
                bar.set_postfix_str(f"loss {value:.4f}")
            if time.monotonic() - saved > config.checkpoint_minutes * 60:
                save()
                saved = time.monotonic()
            if time.monotonic() - validated > config.validate_minutes * 60:
                validate()
                validated = time.monotonic()
            bar.update((step if config.steps else min(1000, round(1000 * done))) - bar.n)
    accelerator.wait_for_everyone()
    bar.close()
    figures: dict[str, float] = {}
    if log is not None:
        save()
        figures = validate()
        log.close()
    _copy_into(model, ema)
    model.eval()
    accelerator.end_training()
    return figures


def _learning_rate(config: LoopConfig, step: int, progress: float) -> float:
    """Linear warm-up, then half a cosine down to 2 % of the peak."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return config.learning_rate * warm * (0.02 + 0.98 * cosine)


def _copy_into(model: nn.Module, values: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(values[name])

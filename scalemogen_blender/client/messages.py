"""What goes to the engine and what comes back, as Blender's side sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._core import editing, motion


@dataclass(frozen=True)
class Launch:
    """How the worker is started.

    python: interpreter with the engine's packages.  engine_folder: the folder that has ``core``
    in it.  model: name of a bundled model or its folder.  device: ``auto``, ``cpu``, ``cuda``,
    ``cuda:1`` or ``mps``.  idle_seconds: after this long without work the worker ends by itself
    (0: never).  cache_folder: where prompts are kept; None takes the platform's own.
    """

    python: Path
    engine_folder: Path
    model: str = "default"
    device: str = "auto"
    idle_seconds: float = 600.0
    cache_folder: Path | None = None


@dataclass(frozen=True)
class GenerateRequest:
    """One batch of motions for a prompt, one per seed.

    seconds: None lets the model choose how long the action takes.  guidance, temperature: None
    takes the model's own.  preview: whether coarse motions are wanted while it refines.
    """

    prompt: str
    seeds: tuple[int, ...]
    seconds: float | None = None
    guidance: float | None = None
    temperature: float | None = None
    cleanup: bool = True
    preview: bool = True


@dataclass(frozen=True)
class EditRequest:
    """Other motions for some joints in some frames of ``source``, one per seed.

    source: on the canonical skeleton, at any frame rate.  edit: its frames are the source's.
    Everything else as in :class:`GenerateRequest`.
    """

    source: motion.Motion
    edit: editing.Edit
    seeds: tuple[int, ...]
    guidance: float | None = None
    temperature: float | None = None
    cleanup: bool = True
    preview: bool = True

    @property
    def prompt(self) -> str:
        """What happens there; empty for an in-between."""
        return self.edit.prompt


@dataclass(frozen=True)
class SequenceRequest:
    """Prompts one after the other as one motion of any length, one per seed.

    blocks: prompts and their lengths.  Everything else as in :class:`GenerateRequest`.
    """

    blocks: tuple[editing.Block, ...]
    seeds: tuple[int, ...]
    guidance: float | None = None
    temperature: float | None = None
    cleanup: bool = True
    preview: bool = True

    @property
    def prompt(self) -> str:
        """All prompts in one."""
        return ", then ".join(block.prompt for block in self.blocks)


Request = GenerateRequest | EditRequest | SequenceRequest


@dataclass(frozen=True)
class Device:
    """A device of this machine; memory in MB, None where it is not known."""

    id: str
    name: str
    memory_mb: int | None = None


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker says of itself when it is ready.

    min_seconds, max_seconds: lengths of the clips that the loaded model can make.
    """

    engine_version: str
    python_version: str
    torch_version: str
    device: str
    devices: tuple[Device, ...]
    model: str
    min_seconds: float
    max_seconds: float


@dataclass(frozen=True)
class Ready:
    """The worker has started, loaded the model, and answers."""

    info: WorkerInfo


@dataclass(frozen=True)
class Progress:
    """``done`` of ``of`` scales are finished.

    preview: the first variation as it would look now (canonical skeleton), if one was asked for.
    """

    request: int
    done: int
    of: int
    preview: motion.Motion | None = None


@dataclass(frozen=True)
class Finished:
    """The motions of a request, one per seed, on the canonical skeleton.

    settings: what they were really made with: prompt, seconds, guidance, temperature, cleanup,
    model, device, engine (version); of an edit ``edit`` (core/editing/wire.py) in place of
    ``seconds``; of a sequence also ``blocks``, a list of {prompt, first, last}: the frames of the
    motions that each block fills, which is all of them.  timings: milliseconds by stage.
    edited: of an edit, the motions once more, with what was asked and what was done.
    """

    request: int
    motions: tuple[motion.Motion, ...]
    seeds: tuple[int, ...]
    settings: dict[str, Any]
    timings: dict[str, Any] = field(default_factory=dict)
    edited: tuple[editing.Edited, ...] = ()


@dataclass(frozen=True)
class Failed:
    """A request that cannot be carried out; the worker goes on.

    message: one line with the remedy.  details: a traceback for the log, where it is a fault of
    ours.
    """

    request: int
    message: str
    details: str = ""


@dataclass(frozen=True)
class Cancelled:
    """A request that the artist has called off; nothing more will come of it."""

    request: int


@dataclass(frozen=True)
class Asleep:
    """The worker has ended by itself after being idle; the next request starts it again."""


@dataclass(frozen=True)
class Died:
    """The worker is gone, or was ended because it did not keep to the protocol.

    message: one line with the remedy.  requests: what it was working on and is lost.
    log: the last lines it wrote.  repair: whether repairing the runtime is what would help.
    """

    message: str
    requests: tuple[int, ...]
    log: tuple[str, ...]
    repair: bool = False


Event = Ready | Progress | Finished | Failed | Cancelled | Asleep | Died

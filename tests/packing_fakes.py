"""A checkout whose zip is small: the real add-on and engine, a tiny model and text encoder."""

import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from core import __version__
from launcher import ROOT
from packing.archive import zip_bytes
from packing.contents import encoder_entries, project_files

LICENCES = ROOT / "assets" / "licences"


def tiny_checkout(root: Path) -> Path:
    """Copy the checkout's extension parts to ``root``, with a tiny model as the only one."""
    without = shutil.ignore_patterns("__pycache__", "models", "text_encoder")
    for folder in ("scalemogen_blender", "core", "assets"):
        shutil.copytree(ROOT / folder, root / folder, ignore=without)
    for name in ("blender_manifest.toml", "LICENSE"):
        shutil.copy(ROOT / name, root / name)
    model = root / "assets" / "models" / "tiny"
    model.mkdir(parents=True)
    for name in ("tokenizer.safetensors", "transformer.safetensors"):
        save_file({"weight": np.ones((2, 3), np.float16)}, model / name)
    for name in ("config.json", "checksums.json"):
        (model / name).write_text("{}")
    (model / "model_card.md").write_text("# tiny\n")
    (model / "LICENSE.md").write_text("CC0\n")
    list_models(root, {"model": "tiny"})
    return root


def list_models(checkout: Path, content: object) -> None:
    """Write the checkout's list of models that ship."""
    (checkout / "assets" / "models" / "default.json").write_text(json.dumps(content))


def set_version(checkout: Path, version: str) -> None:
    """Make the checkout another version."""
    for name in ("blender_manifest.toml", "core/__init__.py"):
        path = checkout / name
        text = path.read_text(encoding="utf-8")
        assert f'"{__version__}"' in text
        path.write_text(text.replace(f'"{__version__}"', f'"{version}"'), encoding="utf-8")


def tiny_encoder(folder: Path) -> Path:
    """A text encoder folder with two tensors."""
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    tensors = {
        "weight": np.linspace(-3, 3, 101, dtype=np.float32),
        "position_ids": np.arange(512, dtype=np.int64),
    }
    save_file(tensors, folder / "model.safetensors")
    return folder


def entries_of(checkout: Path, encoder: Path) -> dict[str, bytes]:
    """Archive name → bytes of the checkout's zip."""
    files = {name: path.read_bytes() for name, path in project_files(checkout).items()}
    return files | encoder_entries(encoder, LICENCES)


def zip_of(checkout: Path, encoder: Path) -> bytes:
    """The checkout's zip."""
    return zip_bytes(entries_of(checkout, encoder))

"""The house rules on who may import what, read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import ROOT

CORE = sorted((ROOT / "core").rglob("*.py"))
ADDON = sorted((ROOT / "scalemogen_blender").rglob("*.py"))
LAUNCHER = sorted((ROOT / "launcher").rglob("*.py"))
BEFORE_PACKAGES = [
    *sorted((ROOT / "core" / "runtime").rglob("*.py")),
    *(ROOT / "core" / f"{name}.py" for name in ("__init__", "errors", "paths")),
]
WITH_TORCH = ("model", "training", "evaluation", "text", "engine", "editor")


def imported(path: Path) -> Iterator[str]:
    """Top-level names of all absolute imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def imported_modules(path: Path) -> Iterator[str]:
    """Full names of the modules that are imported absolutely."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_engine_is_free_of_blender_and_importable_from_anywhere(path: Path) -> None:
    found = set(imported(path))
    assert not found & {"bpy", "mathutils", "scalemogen_blender", "cli"}
    assert "core" not in found, "inside core imports are relative: core is packed in the add-on"


@pytest.mark.parametrize("path", ADDON, ids=name)
def test_the_add_on_is_free_of_torch(path: Path) -> None:
    found = set(imported(path))
    assert not found & {"torch", "transformers", "safetensors", "accelerate"}
    assert "scalemogen_blender" not in found, "installed, the package has another name"
    assert path.name == "_core.py" or "core" not in found, "core comes through ._core"


@pytest.mark.parametrize("path", [ROOT / "run.py", *LAUNCHER], ids=name)
def test_the_launcher_needs_the_standard_library_only(path: Path) -> None:
    assert set(imported(path)) <= sys.stdlib_module_names | {"launcher", "core"}
    for module in imported_modules(path):
        assert not module.startswith("core") or module.startswith("core.runtime."), module


@pytest.mark.parametrize("path", BEFORE_PACKAGES, ids=name)
def test_what_runs_before_there_are_packages_needs_none(path: Path) -> None:
    """core.runtime, and whatever of core it imports."""
    assert set(imported(path)) <= sys.stdlib_module_names
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 2:
            assert node.module in ("errors", "paths"), node.module


def test_what_blender_imports_of_core_works_without_torch() -> None:
    """Everything outside what needs torch, in a process that has no torch."""
    modules = []
    for path in CORE:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if len(parts) == 1 or parts[1] not in WITH_TORCH:
            modules.append(".".join(parts).removesuffix(".__init__"))
    assert "core.skeleton" in modules
    source = "\n".join(
        [
            "import importlib, sys",
            "for name in ('torch', 'transformers', 'safetensors', 'accelerate'):",
            "    sys.modules[name] = None  # importing it fails",
            f"for name in {modules!r}:",
            "    importlib.import_module(name)",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

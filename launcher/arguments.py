"""What the launcher reads from the command line; everything else is the command's own."""

from __future__ import annotations

import json
from collections.abc import Sequence

from . import ROOT, SetupError

BLENDER_WHEELS = ROOT / "requirements" / "bpy.json"

_BLENDER_OUTPUTS = ("--fbx", "--glb", "--blend")
_MAY_NEED_BPY = ("generate", "batch", "edit", "retarget")
#: Motions in these files are read by Blender.
_BLENDER_SOURCES = (".fbx", ".glb", ".gltf", ".blend")


def blender_wheels() -> tuple[str, dict[str, str]]:
    """Return the default Blender ("5.0") and the bpy version of every one ({"5.0": "5.0.1", …})."""
    table = json.loads(BLENDER_WHEELS.read_text(encoding="utf-8"))
    return table["default"], table["wheels"]


def split_blender(argv: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take ``--blender VERSION`` out of the command line.

    It may stand before or after the command. After ``python`` everything is left alone.

    Returns:
        The version as in ``requirements/bpy.json`` ("4.5"; None without one), and the rest.

    Raises:
        SetupError: the version is missing or is none of those.
    """
    _, wheels = blender_wheels()
    version: str | None = None
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if rest and rest[0] == "python":
            rest.append(word)
        elif word == "--blender" or word.startswith("--blender="):
            version = word.partition("=")[2] if "=" in word else next(words, "")
            if version not in wheels:
                choices = ", ".join(wheels)
                raise SetupError(
                    f"--blender {version}: choose one of {choices}.".replace("  ", " ")
                )
        else:
            rest.append(word)
    return version, rest


def needs_bpy(argv: Sequence[str]) -> bool:
    """Whether the command line (without ``--blender``) needs Blender's Python module.

    Only scene files are Blender's work: a rig matters to them alone, so the outputs decide, and the
    motion that ``retarget`` and ``edit`` read; ``rigs`` and ``benchmark --bake`` measure there.
    """
    if not argv or "--help" in argv or "-h" in argv:
        return False
    if argv[0] in ("test", "setup"):
        return True
    if argv[0] == "rigs":
        return "--numpy" not in argv
    if argv[0] == "benchmark":
        return "--bake" in argv
    if argv[0] not in _MAY_NEED_BPY:
        return False
    if argv[0] in ("retarget", "edit") and any(
        word.lower().endswith(_BLENDER_SOURCES) and not word.startswith("--")
        for place, word in enumerate(argv)
        if argv[place - 1] != "--rig"
    ):
        return True
    return any(word.partition("=")[0] in _BLENDER_OUTPUTS for word in argv)

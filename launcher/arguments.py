"""What the launcher reads from the command line; everything else is the command's own."""

from __future__ import annotations

import json
from collections.abc import Sequence

from . import ROOT, SetupError

BLENDER_WHEELS = ROOT / "requirements" / "bpy.json"

COMMANDS = {
    "generate": "text to motion: onto a rig, into FBX, GLB, blend or BVH files",
    "batch": "many prompts from a file, the model loaded once",
    "retarget": "a motion file onto a rig",
    "train": "train the tokenizer or the transformer",
    "evaluate": "reconstruction error and samples of trained weights",
    "import-motion": "a folder of BVH files with captions into a data set to train on",
    "convert": "published checkpoints into safetensors",
    "parity": "compare the engine with a folder of expected results",
    "benchmark": "milliseconds per stage, peak memory, cold start",
    "setup": "only make the environment, with Blender's Python module",
    "test": "lint, types and tests (with arguments: pytest with these)",
    "python": "any Python command line in the environment",
}
USAGE = "\n".join(
    [
        "usage: python3 run.py [--blender 4.2|4.5|5.0] COMMAND …",
        "",
        "Makes the environment .venv if it is missing, then runs the command in it.",
        "",
        *(f"  {name:<14} {what}" for name, what in COMMANDS.items()),
        "",
        "python3 run.py COMMAND --help tells a command's options.",
    ]
)

_BLENDER_OUTPUTS = ("--fbx", "--glb", "--blend")
_MAY_NEED_BPY = ("generate", "batch", "retarget")


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

    Text to motion itself does not; scene files and rigs do, except rigs in BVH files.
    """
    if not argv or "--help" in argv or "-h" in argv:
        return False
    if argv[0] in ("test", "setup"):
        return True
    if argv[0] not in _MAY_NEED_BPY:
        return False
    for index, word in enumerate(argv):
        option, equals, value = word.partition("=")
        if option in _BLENDER_OUTPUTS:
            return True
        if option == "--rig":
            rig = value if equals else "".join(argv[index + 1 : index + 2])
            if rig != "mannequin" and not rig.lower().endswith(".bvh"):
                return True
    return False

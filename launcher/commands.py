"""The commands of ``run.py`` and their usage: the one list that launcher and ``cli`` go by."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: Carried out by ``cli``, inside the environment: "import-motion" by ``cli/import_motion.py``.
CLI_COMMANDS = {
    "generate": "text to motion: onto a rig, into FBX, GLB, blend or BVH files",
    "edit": "some bones in some frames of any motion, by text, and nothing else",
    "batch": "many prompts from a file, the model loaded once",
    "retarget": "a motion file onto a rig",
    "rigs": "how well motions arrive on rigs of every naming scheme: table, contact sheets",
    "train": "train the tokenizer or the transformer",
    "evaluate": "reconstruction error and samples of trained weights",
    "import-motion": "a folder of BVH files with captions into a data set to train on",
    "convert": "published checkpoints into safetensors",
    "parity": "compare the engine with a folder of expected results",
    "benchmark": "milliseconds per stage, peak memory, cold start",
}
#: Carried out by the launcher itself.
LAUNCHER_COMMANDS = {
    "setup": "only make the environment, with Blender's Python module",
    "test": "lint, types and tests (with arguments: pytest with these)",
    "python": "any Python command line in the environment",
}
COMMANDS = CLI_COMMANDS | LAUNCHER_COMMANDS

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


def unknown_command(name: str, known: Iterable[str] = COMMANDS) -> str:
    """Return the message about a command that does not exist, with the nearest of ``known``."""
    near = difflib.get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]}?" if near else "python3 run.py --help lists them."
    return f"there is no command {name!r}. {hint}"

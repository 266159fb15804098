"""The launcher's one path from the command line to the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from . import SetupError
from .arguments import blender_wheels, needs_bpy, split_blender
from .assembly import ensure
from .checks import run_checks
from .commands import COMMANDS, USAGE, unknown_command
from .environment import Environment, child_environment, default_environment


def main(argv: Sequence[str]) -> int:
    """Run the command line; return the exit code (2: something the user can put right)."""
    try:
        return _run(argv)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has gone (`… --help | head`)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
        return 1
    except OSError as error:  # a disk that fills up while the log is written, and the like
        print(f"error: {error}. Put that right and start again; it goes on.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. Starting again goes on from here.", file=sys.stderr)
        return 130


def _run(argv: Sequence[str]) -> int:
    chosen, rest = split_blender(argv)
    if not rest or rest[0] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if rest else sys.stderr)
        return 0 if rest else 2
    command, *arguments = rest
    if command not in COMMANDS:
        raise SetupError(unknown_command(command))
    # A plain Python command line gets a Blender only where it asks for one.
    wants_bpy = needs_bpy(rest) or (command == "python" and chosen is not None)
    blender = (chosen or blender_wheels()[0]) if wants_bpy else None
    environment = default_environment()
    ensure(environment, blender)
    if command == "setup":
        return 0
    if command == "test":
        variables = child_environment(environment, blender)
        return run_checks(environment.python, variables, arguments)
    # -P: a folder named core or cli where the user stands must not come before ours.
    words = arguments if command == "python" else ["-P", "-m", "cli", *rest]
    return become(environment, words, blender)


def become(environment: Environment, words: Sequence[str], blender: str | None = None) -> int:
    """Replace this process by the environment's Python with ``words`` as its command line.

    Returns:
        The exit code, on Windows: replacing a process there would detach it from the console.
    """
    line = [str(environment.python), *words]
    variables = child_environment(environment, blender)
    if os.name != "nt":
        os.execve(line[0], line, variables)
    return subprocess.run(line, env=variables, check=False).returncode

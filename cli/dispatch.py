"""From the command line's words to the command's module, and from errors to exit codes."""

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from core.errors import ScaleMoGenError

#: Command -> (module, one line of help).  A module has ``add_arguments(parser)`` and ``run(args)``
#: and imports what is slow only inside ``run``.
COMMANDS = {
    "generate": ("cli.generate", "text to motion: onto a rig, into FBX, GLB, blend or BVH files"),
    "batch": ("cli.batch", "many prompts from a file, the model loaded once"),
    "retarget": ("cli.retarget", "a motion file onto a rig"),
    "train": ("cli.train", "train the tokenizer or the transformer"),
    "evaluate": ("cli.evaluate", "reconstruction error and samples of trained weights"),
    "import-motion": ("cli.import_motion", "a folder of BVH files with captions into a data set"),
    "convert": ("cli.convert", "published checkpoints into safetensors"),
    "parity": ("cli.parity", "compare the engine with a folder of expected results"),
    "benchmark": ("cli.benchmark", "milliseconds per stage, peak memory, cold start"),
    "test": ("cli.test", "lint, types and tests (with arguments: pytest with these)"),
}

#: Commands whose words, options included, are another program's.
PASSED_ON = ("test",)

EXIT_USER = 2  # something the user can put right
EXIT_INTERRUPTED = 130  # as shells report an interrupt


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, without the whole usage in front of it."""

    def error(self, message: str) -> NoReturn:
        raise ScaleMoGenError(f"{message}. '{self.prog} --help' tells the options")


def usage() -> str:
    """The list of commands."""
    lines = ["usage: python3 run.py COMMAND …", ""]
    lines += [f"  {name:<14} {about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join([*lines, "", "python3 run.py COMMAND --help tells a command's options."])


def main(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code; errors are one line on stderr."""
    try:
        return _run(argv)
    except ScaleMoGenError as error:
        print(f"error: {' '.join(str(error).split()).rstrip('.')}.", file=sys.stderr)
        return EXIT_USER
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`… --json | head`); nothing is left to say to anyone.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
        return 1
    except OSError as error:
        # Disk full, read-only, gone: wherever it happens, it is the user's to put right.
        where = f" ({error.filename})" if error.filename else ""
        print(f"error: {error.strerror or error}{where}.", file=sys.stderr)
        return EXIT_USER


def _run(argv: Sequence[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(usage(), file=sys.stdout if argv else sys.stderr)
        return 0 if argv else EXIT_USER
    name, *words = argv
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"Did you mean {near[0]}?" if near else "python3 run.py --help lists them"
        raise ScaleMoGenError(f"there is no command '{name}'. {hint}")
    module_name, about = COMMANDS[name]
    module = importlib.import_module(module_name)
    parser = Parser(prog=f"python3 run.py {name}", description=about, allow_abbrev=False)
    module.add_arguments(parser)
    if name in PASSED_ON:
        words = ["--", *words]
    return int(module.run(parser.parse_args(words)))


def leave(code: int) -> NoReturn:
    """End the process.

    Where Blender's module is loaded, its own clean-up at exit may hang, so it is not waited for.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (BrokenPipeError, ValueError):
        code = code or 1
    if "bpy" in sys.modules:
        os._exit(code)
    sys.exit(code)

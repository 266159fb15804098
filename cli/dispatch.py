"""From the command line's words to the command's module, and from errors to exit codes."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from core.errors import ScaleMoGenError
from launcher.commands import CLI_COMMANDS, USAGE, unknown_command

EXIT_USER = 2  # something the user can put right
EXIT_INTERRUPTED = 130  # as shells report an interrupt


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line, without the whole usage in front of it."""

    def error(self, message: str) -> NoReturn:
        raise ScaleMoGenError(f"{message}. '{self.prog} --help' tells the options")


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
    except MemoryError:
        print("error: out of memory; ask for fewer variations or seconds.", file=sys.stderr)
        return EXIT_USER
    except OSError as error:
        # Disk full, read-only, gone: wherever it happens, it is the user's to put right.
        where = f" ({error.filename})" if error.filename else ""
        print(f"error: {error.strerror or error}{where}.", file=sys.stderr)
        return EXIT_USER


def _run(argv: Sequence[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if argv else sys.stderr)
        return 0 if argv else EXIT_USER
    name, *words = argv
    if name not in CLI_COMMANDS:
        raise ScaleMoGenError(unknown_command(name, CLI_COMMANDS))
    # A command's module has ``add_arguments(parser)`` and ``run(args)``, and imports what is slow
    # only inside ``run``.
    module = importlib.import_module(f"cli.{name.replace('-', '_')}")
    parser = Parser(
        prog=f"python3 run.py {name}", description=CLI_COMMANDS[name], allow_abbrev=False
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(words)))


def leave(code: int) -> NoReturn:
    """End the process.

    Where Blender's module is loaded, its own clean-up at exit may hang, so it is not waited for.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        code = code or 1
    if "bpy" in sys.modules:
        from .blender import clean_up

        clean_up()
        os._exit(code)
    sys.exit(code)

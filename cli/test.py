"""``test``: what the continuous integration runs."""

import argparse
import os
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("pytest", nargs="*", help="arguments for pytest")


def run(args: argparse.Namespace) -> int:
    """Run the checks; the first failure decides the exit code."""
    from launcher.checks import run_checks

    return run_checks(Path(sys.executable), os.environ, args.pytest)

"""What ``run.py test`` runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import ROOT

LINT = {
    "ruff check": ["ruff", "check", "--quiet", "."],
    "ruff format --check": ["ruff", "format", "--check", "--quiet", "."],
    "mypy": ["mypy", "--no-error-summary"],
}


def run_checks(python: Path, variables: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Lint, check the types of ``core``, then run pytest; its closing line comes last.

    Args:
        python: the environment's interpreter.
        variables: environment variables of the checks.
        arguments: for pytest; where there are any, only pytest runs.

    Returns:
        The exit code: pytest's own, or 1 where pytest passes but a check before it did not.
    """
    failed = []
    for name, command in ({} if arguments else LINT).items():
        print(f"{name} …", flush=True)
        if _run(python, command, variables):
            failed.append(name)
            print(f"{name}: FAILED (see above)", flush=True)
    code = _run(python, ["pytest", *arguments], variables)
    if failed:
        print(f"Not clean: {', '.join(failed)} (above the tests).", file=sys.stderr, flush=True)
    return code or int(bool(failed))


def _run(python: Path, module: Sequence[str], variables: Mapping[str, str]) -> int:
    return subprocess.run([python, "-m", *module], cwd=ROOT, env=variables, check=False).returncode

"""Fresh processes that measure: a JSON request in, a JSON answer out."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.errors import ScaleMoGenError
from core.paths import ROOT

#: Whatever multiplies matrices below torch and numpy reads one of these when it is loaded.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def ask(request: dict[str, Any], threads: int) -> dict[str, Any]:
    """The answer of a worker process with so many CPU threads; its complaint becomes ours."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            **os.environ,
            **dict.fromkeys(_THREAD_VARIABLES, str(threads)),
            "PYTHONPATH": os.pathsep.join(paths),
            # An empty cache of prompt states, so that the text encoder really works.
            "SCALEMOGEN_CACHE": str(Path(scratch) / "cache"),
        }
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "cli.benchmark.worker"],
            input=json.dumps(request | {"spawned": time.time()}),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        reason = " ".join(ended.stderr.split())[-300:] or "perhaps the memory was not enough"
        raise ScaleMoGenError(
            f"a measuring process ended with code {ended.returncode}: {reason}; "
            "narrow the benchmark down with --lengths, --variations or --without-published"
        ) from None
    if "error" in answer:
        raise ScaleMoGenError(answer["error"])
    return answer

"""Command line of the worker; what may go wrong before anything is imported is kept small."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from ..paths import ROOT
from .loading import load
from .parent import end_with
from .server import Server
from .streams import take_streams


def main() -> None:
    """Serve until told to stop, out of work for long, or alone; never returns."""
    source, sink = take_streams()
    args = _arguments()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    if args.cache_folder is not None:
        os.environ["SCALEMOGEN_CACHE"] = str(args.cache_folder)
    _prefer_installed_packages()
    end_with(args.parent)
    Server(source, sink, lambda: load(args.model, args.device), args.idle_seconds).run()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m core.worker", description=__doc__)
    parser.add_argument("--model", default="default", help="name of a bundled model, or a folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument("--idle-seconds", type=float, default=0.0, help="0: stays for ever")
    parser.add_argument("--cache-folder", type=Path, help="where prompts are kept")
    parser.add_argument("--parent", type=int, help="process without which this one is useless")
    return parser.parse_args()


def _prefer_installed_packages() -> None:
    """Look for packages in the engine's folder last: in the extension it holds other modules too.

    They would hide those of the same name that torch needs.  ``core`` itself is imported already.
    """
    same = [entry for entry in sys.path if entry and Path(entry).resolve() == ROOT]
    sys.path[:] = [entry for entry in sys.path if entry not in same] + same[:1]


if __name__ == "__main__":
    main()

"""Where the packed data set is."""

import argparse
import os
from pathlib import Path

from core.dataset_format import CAPTIONS_FILE
from core.errors import ScaleMoGenError
from core.paths import ROOT


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """``--data``."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="packed data set (default: $SCALEMOGEN_DATA, else ../shared/data/motion)",
    )


def data_folder(named: Path | None) -> Path:
    """The folder named, or the default one; ScaleMoGenError when it holds no data set."""
    if named is not None:
        places = [named]
    else:
        places = [ROOT.parent / "shared" / "data" / "motion"]
        if os.environ.get("SCALEMOGEN_DATA"):
            places.insert(0, Path(os.environ["SCALEMOGEN_DATA"]))
    for place in places:
        if (place / CAPTIONS_FILE).is_file():
            return place
    raise ScaleMoGenError(f"no data set found; name the folder with {CAPTIONS_FILE} with --data")

"""When the add-on goes, rigs get back what is theirs."""

import sys
import traceback

from . import preview


def register() -> None:
    """Nothing to do: previews that were saved with a file go on."""


def unregister() -> None:
    """End all previews, while there still is somebody who knows how."""
    try:
        preview.stop_all()
    except Exception:  # a file that is in no state for it must not keep the add-on from going
        traceback.print_exc(file=sys.stderr)

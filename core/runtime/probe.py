"""What a Python can do for the engine, told as one JSON line.

Runs as a file inside the Python in question: ``python -I -c BOOT probe.py FOLDER``, where BOOT is
:data:`BOOT` and FOLDER has ``core`` in it.  The second line on stdout is a JSON object: packages
(name to version), missing (name to why), build, engine (its version, or ""), problem (why the
engine does not start), devices (id, name, memory_mb).
"""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

NEEDED = ("torch", "numpy", "safetensors", "tokenizers")
OLDEST, NEWEST = (3, 11), (3, 14)
#: Any Python can read this; it goes on with the file only where that can be read, too.
BOOT = (
    "import sys; v = sys.version_info; sys.stdout.write('[%d, %d, %d]\\n' % tuple(v[:3])); "
    "sys.stdout.flush()\n"
    "if v[:2] >= (3, 11):\n"
    "    import runpy; path = sys.argv[1]; del sys.argv[0]; runpy.run_path(path, None, '__main__')"
)


def main() -> None:
    """Print what is found."""
    # Nobody would hear the answer any more once whoever asked is gone.
    runpy.run_path(str(Path(__file__).with_name("child.py")))["watch_lifeline"]()
    # Libraries print as they like; our line has stdout for itself.
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(findings(sys.argv[1])), file=out, flush=True)


def findings(engine_folder: str) -> dict[str, Any]:
    """Return what this Python has; see above."""
    modules: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name in NEEDED:
        try:
            modules[name] = importlib.import_module(name)
        except Exception as error:  # a library that does not load raises what it likes
            missing[name] = _one_line(error)
    found: dict[str, Any] = {
        "packages": {name: getattr(module, "__version__", "") for name, module in modules.items()},
        "missing": missing,
        "build": "",
        "engine": "",
        "problem": "",
        "devices": [],
    }
    if "torch" in modules:
        found["build"] = _build(modules["torch"])
    sys.path.append(engine_folder)  # last: nothing of ours may come before the libraries
    if not missing:
        try:
            found["devices"] = importlib.import_module("core.worker.devices").found_devices()
            modules["torch"].from_numpy(modules["numpy"].zeros(3)).sum().item()
            importlib.import_module("core.engine")
            found["engine"] = importlib.import_module("core").__version__
        except Exception as error:
            found["problem"] = _one_line(error)
    return found


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _build(torch: Any) -> str:
    if torch.version.cuda:
        return "cuda"
    if getattr(torch.version, "hip", None):
        return "rocm"
    return "metal" if torch.backends.mps.is_built() else "cpu"


if __name__ == "__main__":
    main()

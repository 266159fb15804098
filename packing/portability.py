"""Names in the zip that would not survive Windows, macOS or the engine's Python."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection
from pathlib import PurePosixPath

#: Where Windows puts an extension. The profile's folder may be a domain account's: 20 characters,
#: a dot and 15 of the domain. A repository's folder is named by the artist.
WINDOWS_FOLDER = (
    "C:\\Users\\" + "u" * 36 + "\\AppData\\Roaming\\Blender Foundation\\Blender\\5.2\\extensions\\"
    "self_hosted_repository\\scalemogen\\"
)
_PATH_AT_MOST = 259
#: What Python adds to a module's name while it writes byte code.
_BYTE_CODE = len("__pycache__\\" + ".cpython-314.pyc.140234567890123") - len(".py")
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"
}
_FORBIDDEN = set('<>:"\\|?*') | {chr(code) for code in range(32)}
#: The worker has the add-on's folder on its path: nothing at its top may hide these.
_ENGINE_PACKAGES = """
    torch torchgen functorch triton numpy scipy sympy mpmath networkx jinja2 markupsafe fsspec
    filelock typing_extensions setuptools pkg_resources safetensors tokenizers transformers
    huggingface_hub hf_xet httpx httpcore anyio sniffio h11 regex tqdm yaml requests urllib3 idna
    certifi charset_normalizer packaging einops accelerate psutil pip cuda nvidia typer click
""".split()
_NEWER_STANDARD_LIBRARY = ["annotationlib", "compression", "pathlib", "_zstd"]
_TAKEN = frozenset([*sys.stdlib_module_names, *_NEWER_STANDARD_LIBRARY, *_ENGINE_PACKAGES])


def windows_length(name: str) -> int:
    """Return how long the path of an archive name becomes on Windows, byte code included."""
    byte_code = _BYTE_CODE if name.endswith(".py") else 0
    return len(WINDOWS_FOLDER) + len(name) + byte_code


def name_problems(names: Collection[str]) -> list[str]:
    """Return what other systems would not bear in an extension's file names, in words."""
    problems = []
    for name in names:
        if windows_length(name) > _PATH_AT_MOST:
            problems.append(f"{name} makes a path of {windows_length(name)} characters on Windows")
        for part in name.split("/"):
            if part.split(".")[0].rstrip(" ").lower() in _DEVICES:
                problems.append(f"{name}: {part} is a device on Windows")
            if part != part.rstrip(". ") or not part:
                problems.append(f"{name}: {part!r} ends in a dot or a space, or is empty")
            if not part.isascii() or set(part) & _FORBIDDEN:
                problems.append(f"{name}: not every system can write {part!r}")
    # A folder counts, too: Core/x.py and core/y.py land in one folder on Windows and macOS.
    files = [PurePosixPath(name) for name in names]
    paths = {str(path) for file in files for path in (file, *file.parents)}
    folded = Counter(path.lower() for path in paths)
    problems += [f"{name} exists in two spellings" for name, times in folded.items() if times > 1]
    for top in sorted({file.parts[0] for file in files}):
        module = top.removesuffix(".py")
        if module.lower() in _TAKEN:
            problems.append(f"{top} hides the module {module} from the engine")
    return problems

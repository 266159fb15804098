"""The zip: the same bytes for the same contents, and a look at what is in it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from .contents import SUFFIXES
from .portability import name_problems

MEGABYTES_AT_MOST = 120
_TIME = (1980, 1, 1, 0, 0, 0)  # the zip format's first moment
_PLAIN_FILE = 0o100644 << 16
_UNIX = 3
_LINK = 0o120000
_FILE_TYPE = 0o170000


def zip_bytes(entries: Mapping[str, bytes]) -> bytes:
    """Return a zip of the entries: sorted names, fixed times and permissions.

    Weights are stored, not deflated: they hardly shrink, and read faster.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(entries.items()):
            info = zipfile.ZipInfo(name, _TIME)
            info.external_attr = _PLAIN_FILE
            info.create_system = _UNIX
            weights = name.endswith(".safetensors")
            info.compress_type = zipfile.ZIP_STORED if weights else zipfile.ZIP_DEFLATED
            archive.writestr(info, content, compresslevel=9)
    return buffer.getvalue()


def archive_problems(content: bytes) -> list[str]:
    """Return what is wrong with an extension's zip, in words; empty when nothing is."""
    problems = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        links = [i for i in archive.infolist() if (i.external_attr >> 16) & _FILE_TYPE == _LINK]
    problems += [f"{info.filename} is a symbolic link" for info in links]
    problems += name_problems(names)
    for name in names:
        path = PurePosixPath(name)
        allowed = path.suffix in SUFFIXES or name == "LICENSE"
        hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
        if not allowed or hidden or path.is_absolute():
            problems.append(f"{name} has no place in an extension")
    wanted = ("blender_manifest.toml", "__init__.py", "LICENSE", "core/__init__.py")
    problems += [f"{name} is missing" for name in wanted if name not in names]
    megabytes = len(content) / 1e6
    if megabytes > MEGABYTES_AT_MOST:
        problems.append(f"it has {megabytes:.0f} MB, at most {MEGABYTES_AT_MOST} are wanted")
    return problems

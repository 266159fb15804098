"""Writing files so that a target is either the old file or the complete new one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import ScaleMoGenError


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """A temporary path beside ``path`` (same suffix) that replaces it when the block succeeds.

    Whatever happens inside, no half-written target and no temporary file stays behind.  An OSError
    becomes a ScaleMoGenError that names the target and a remedy.
    """
    path = Path(path).resolve()  # a link stays one: what it points at is replaced
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp makes files that only their owner can read.
        temporary.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise ScaleMoGenError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Choose a writable folder with free space."
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's mask for new files, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write ``data`` through :func:`replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def make_folder(folder: Path | str) -> None:
    """Make a folder and those above it; ScaleMoGenError when that is not possible."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScaleMoGenError(
            f"Cannot make the folder {folder}: {error.strerror or error}. Choose another."
        ) from error


def check_writable(path: Path | str) -> None:
    """ScaleMoGenError unless a file can be made at ``path``; leaves nothing behind.

    For use before long work, so that an unwritable target is known at once.
    """
    path = Path(path)
    if path.is_dir():
        raise ScaleMoGenError(f"{path} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise ScaleMoGenError(f"There is no folder {path.parent}. Make it first.")
    try:
        # With the very name of the later temporary file: names, too, can be too long.
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        ):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "the file is write-protected")
    except OSError as error:
        raise ScaleMoGenError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Choose a writable folder with free space."
        ) from error

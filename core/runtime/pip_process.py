"""Run pip: its output into a log, what it fetches counted, its failures put into words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ScaleMoGenError

_CHILD = Path(__file__).with_name("child.py")
_UNITS = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_FETCHED = re.compile(r"\s*(Downloading|Using cached) (\S+) \(([\d.]+) (bytes|kB|MB|GB)\)")
_LOCAL = re.compile(r"\s*Processing (.+\.(?:whl|tar\.gz|zip))(?: \(from .*\))?$")
# Settings that would send the packages to another place than the environment.
_ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_REPORT")


@dataclass
class Traffic:
    """Bytes that pip fetched over the network, and bytes it had (its cache, local folders)."""

    downloaded: int = 0
    reused: int = 0

    def read(self, line: str) -> tuple[str, int] | None:
        """Count one line of pip's output; return the file it names and its bytes, if any."""
        if fetched := _FETCHED.match(line):
            how, name, number, unit = fetched.groups()
            size = round(float(number) * _UNITS[unit])
            if how == "Downloading":
                self.downloaded += size
            else:
                self.reused += size
            return name.rpartition("/")[2], size
        if local := _LOCAL.match(line):
            path = Path(local[1])
            size = path.stat().st_size if path.is_file() else 0
            self.reused += size
            return path.name, size
        return None

    def __str__(self) -> str:
        reused = f" ({self.reused / 1e6:.0f} MB more were already here)" if self.reused else ""
        return f"{self.downloaded / 1e6:.0f} MB downloaded{reused}"


class PipError(ScaleMoGenError):
    """pip could not do it; ``remedy`` is the likeliest one, ``words`` are pip's last ones."""

    def __init__(self, what: str, remedy: str, log: Path, words: Sequence[str]) -> None:
        self.what, self.remedy, self.log, self.words = what, remedy, log, tuple(words)
        super().__init__(f"{what} could not be installed. {remedy}")

    @property
    def is_conflict(self) -> bool:
        """Whether packages that were asked for do not go together."""
        words = " ".join(self.words)
        return "conflict" in words or "ResolutionImpossible" in words


def run_pip(
    python: Path,
    arguments: Sequence[str],
    *,
    what: str,
    scratch: Path,
    log: Path,
    on_line: Callable[[str], None],
    pip_folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    space_remedy: str = "Free some space and start again.",
) -> None:
    """Run ``pip ARGUMENTS`` with ``python``; it ends when this process does, however that ends.

    Args:
        python: the interpreter that installs into its own environment.
        arguments: pip's command and what follows.
        what: name of what is installed, for messages.
        scratch: folder for downloads under way, emptied before and removed after (so that a
            small /tmp does not matter, and nothing is left elsewhere).
        log: file that receives all output, at its end.
        on_line: told every line of output.
        pip_folder: folder with pip's code; None takes the interpreter's own pip.
        variables: environment variables on top of this process's.
        space_remedy: what to do where the disk is full.

    Raises:
        PipError: pip failed, or cannot be started.
        OSError: scratch or log cannot be written.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    words = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command = [str(python), "-I", "-X", "utf8", str(_CHILD), str(pip_folder or ""), "pip"]
    command += [arguments[0], *words, *arguments[1:]]
    lines: list[str] = []
    with log.open("a", encoding="utf-8") as file:
        print(f"\n$ pip {' '.join(arguments)}", file=file, flush=True)
        try:
            pip = subprocess.Popen(
                command,
                env=_environment(scratch) | dict(variables or {}),
                stdin=subprocess.PIPE,  # its end is what tells pip that we are gone
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            words = [f"{python}: {error.strerror}"]
            raise PipError(what, "Remove the environment and start again.", log, words) from error
        try:
            assert pip.stdout is not None
            for line in pip.stdout:
                file.write(line)
                file.flush()
                lines.append(line.rstrip())
                on_line(line)
            code = pip.wait()
        finally:
            if pip.poll() is None:
                pip.kill()
                pip.wait()
            for stream in (pip.stdin, pip.stdout):
                if stream is not None:
                    stream.close()
    shutil.rmtree(scratch, ignore_errors=True)
    if code:
        errors = [line for line in lines if line.startswith("ERROR")][-4:] or lines[-4:]
        raise PipError(what, _remedy("\n".join(lines), space_remedy), log, errors)


def _environment(scratch: Path) -> dict[str, str]:
    away = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__", *_ELSEWHERE)
    environment = {key: value for key, value in os.environ.items() if key not in away}
    environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    return environment | {"PIP_USER": "0", "PIP_NO_WARN_SCRIPT_LOCATION": "1"}


def _remedy(text: str, space_remedy: str) -> str:
    """Return the likeliest remedy for pip's words."""
    if "No space left" in text or "not enough space" in text:
        return f"The disk is full. {space_remedy}"
    if "No matching distribution" in text and "Retrying" not in text:
        return (
            "pip's package index has no file of that version for this system and Python; "
            "see the log, and pip's own settings (pip config list)."
        )
    if "Permission denied" in text or "Access is denied" in text:
        return "A file is write-protected or in use: close what uses it, then start again."
    return "Check the network and pip's own settings (pip config list), then start again."

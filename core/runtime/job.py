"""What is to be installed and from where, and what that means for pip."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import ScaleMoGenError
from .pip_process import PipError
from .system import platform_name

SPACE_REMEDY = "Free some space, or choose an Install Folder on another disk."


@dataclass(frozen=True)
class Job:
    """What is to be installed.

    root: the runtime folder.  wheels: folder of wheels ("": from the package index).  index:
    address of a package index ("": pip's own settings); only_index: ask no other.  build_index,
    version: as in :class:`.builds.Build`.  download, disk: MB that are expected.  anew: leave a
    complete runtime and make another beside it, for another build of torch.  thorough: compare
    the checksum of every file.  offline: no index is asked; only what is there is put right.
    """

    root: str
    wheels: str = ""
    index: str = ""
    only_index: bool = False
    build_index: str = ""
    version: str = ""
    download: int = 230
    disk: int = 950
    offline: bool = False
    anew: bool = False
    thorough: bool = False

    @property
    def asks_an_index(self) -> bool:
        """Whether anything may come over the network."""
        return not (self.wheels or self.offline)

    def sources(self, scratch: Path) -> list[str]:
        """Where packages come from, as pip's options.

        Addresses go into a file in ``scratch``: they may hold a password, which others would see
        in a list of processes, and which has no place in the log.
        """
        if self.wheels:
            return ["--no-index", "--find-links", self.wheels]
        if self.offline:
            return ["--no-index"]
        lines = self.addresses()
        if not lines:
            return []
        file = scratch / "index.txt"
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return ["-r", str(file)]

    def addresses(self) -> list[str]:
        """Package indexes, as lines of a requirements file."""
        lines = []
        if self.index:
            option = "--index-url" if self.only_index else "--extra-index-url"
            lines.append(f"{option} {self.index}")
        if self.build_index and not self.only_index:
            lines.append(f"--extra-index-url {self.build_index}")
        return lines

    def variables(self) -> dict[str, str]:
        """Without an index no setting of pip's may lead to the network either."""
        if self.asks_an_index:
            return {}
        return {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}

    def explained(self, error: PipError) -> ScaleMoGenError:
        """What pip's failure means for this job."""
        words = " ".join(error.words)
        if "No matching distribution" not in words or self.asks_an_index:
            return error
        if self.offline:
            return ScaleMoGenError(
                "Packages are missing or damaged, and online access is off. Switch it on (System, "
                "Network, Allow Online Access) or choose a Wheels Folder, then repair again."
            )
        found = re.findall(r"No matching distribution found for ([^ ;(]+)", words)
        names = ", ".join(dict.fromkeys(found)) or "a package"
        version = "{}.{}".format(*sys.version_info[:2])
        return ScaleMoGenError(
            f"{self.wheels} has no wheel of {names} for Python {version} on {platform_name()}. "
            "Add it to the folder, then install again."
        )

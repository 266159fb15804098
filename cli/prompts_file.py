"""The batch command's file of prompts: one ``id<TAB>seconds<TAB>prompt`` a line."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import ScaleMoGenError

from . import values

#: Ids become file names, so no separators, no leading dot, nothing that a shell would interpret.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class PromptLine:
    """One job of a batch."""

    line: int
    id: str
    seconds: float
    prompt: str


def read_prompts(path: Path) -> list[PromptLine]:
    """All jobs of a file; ScaleMoGenError naming the line if any of them is wrong.

    Empty lines and lines that begin with # are skipped.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ScaleMoGenError(f"cannot read {path}: {error.strerror}; check its name") from error
    except UnicodeDecodeError as error:
        raise ScaleMoGenError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    jobs: list[PromptLine] = []
    lines_of_ids: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            job = _parse(number, line)
            # Two ids that differ in case alone are one file on many file systems.
            first = lines_of_ids.setdefault(job.id.lower(), number)
            if first != number:
                raise argparse.ArgumentTypeError(
                    f"the id '{job.id}' is already used in line {first}; ids have to differ"
                )
        except argparse.ArgumentTypeError as error:
            raise ScaleMoGenError(f"{path}:{number}: {error}") from error
        jobs.append(job)
    if not jobs:
        raise ScaleMoGenError(f"{path} holds no prompts; write id<TAB>seconds<TAB>prompt lines")
    return jobs


def _parse(number: int, line: str) -> PromptLine:
    fields = line.split("\t", 2)
    if len(fields) != 3:
        raise argparse.ArgumentTypeError(
            f"expected id<TAB>seconds<TAB>prompt, found {len(fields)} of 3 fields"
        )
    name = fields[0].strip()
    if not _ID.fullmatch(name):
        raise argparse.ArgumentTypeError(
            f"the id '{name}' cannot be a file name; use letters, digits, '.', '_' and '-'"
        )
    return PromptLine(number, name, values.seconds(fields[1].strip()), values.prompt(fields[2]))


def shard(jobs: list[PromptLine], index: int, count: int) -> list[PromptLine]:
    """Every ``count``-th job, beginning with the ``index``-th (from 1)."""
    return jobs[index - 1 :: count]


def shard_option(text: str) -> tuple[int, int]:
    """An argparse type: ``I/N`` with 1 <= I <= N."""
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"'{text}' is not I/N with I from 1 to N, such as 2/8")
    return int(match[1]), int(match[2])

"""A folder of captioned BVH files as a data set in the packed format.

Captions lie beside the files: either ``NAME.txt`` next to ``NAME.bvh``, one caption a line, or one
``captions.tsv`` in the folder with lines ``path<TAB>caption`` (the path relative to the folder,
with or without ``.bvh``; several lines may name the same file).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .bvh import read_bvh
from .dataset_format import (
    CAPTIONS_FILE,
    PackedClip,
    read_captions,
    write_captions,
    write_pack,
)
from .errors import ScaleMoGenError
from .files import make_folder
from .import_motion import canonical_motion, fault, training_clips

CAPTIONS_TABLE = "captions.tsv"


@dataclass
class ImportResult:
    """What an import wrote, and which files or clips it left out, with the reason."""

    pack: Path
    clips: int = 0
    seconds: float = 0.0
    left_out: list[tuple[str, str]] = field(default_factory=list)


def import_folder(
    folder: Path,
    out: Path,
    *,
    source: str,
    licence: str = "unknown",
    validation_share: float = 0.05,
    rest_frame: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportResult:
    """Write ``SOURCE.npz.xz`` and its rows of ``captions.jsonl`` into ``out``.

    Rows of other sources in an existing captions file stay.  A file that cannot be used is left out
    and reported; ScaleMoGenError when captions are missing or nothing is left.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".bvh")
    if not files:
        raise ScaleMoGenError(f"There are no .bvh files in {folder}. Name a folder that has some.")
    captions = find_captions(folder, files)
    result = ImportResult(out / f"{source}.npz.xz")
    clips: list[PackedClip] = []
    rows: list[dict[str, Any]] = []
    for done, path in enumerate(files):
        progress(done, len(files))
        take = path.relative_to(folder).with_suffix("").as_posix()
        split = split_of(f"{source}/{take}", validation_share)
        try:
            motion = canonical_motion(read_bvh(path), path.name, rest_frame)
        except ScaleMoGenError as error:
            result.left_out.append((take, str(error)))
            continue
        pieces = list(training_clips(motion))
        if not pieces:
            result.left_out.append((take, "it is shorter than 0.6 seconds"))
        for start, clip in pieces:
            clip_id = f"{source}/{take}#{start}"
            if (reason := fault(clip)) is not None:
                result.left_out.append((clip_id, reason))
                continue
            clips.append(PackedClip.from_motion(clip_id, clip))
            rows.append(
                {
                    "clip": clip_id,
                    "file": result.pack.name,
                    "source": source,
                    "trial": take,
                    "licence": licence,
                    "start_s": round(start / clip.fps, 4),
                    "end_s": round(start / clip.fps + min(clip.seconds, motion.seconds), 4),
                    "frames": clip.frame_count,
                    "captions": captions[path],
                    "caption_source": "user",
                    "scope": "clip" if len(pieces) == 1 else "trial",
                    "split": split,
                }
            )
            result.seconds += clip.seconds
    progress(len(files), len(files))
    if not clips:
        name, reason = result.left_out[0]
        raise ScaleMoGenError(f"No motion in {folder} can be used; the first, {name}: {reason}")
    if validation_share > 0:
        _hold_one_take_back(rows)
    result.clips = len(clips)
    _write(out, result.pack, clips, rows, source)
    return result


def _hold_one_take_back(rows: list[dict[str, Any]]) -> None:
    """Training needs clips to validate on: in a small folder the share may have caught none."""
    takes = sorted({row["trial"] for row in rows})
    if len(takes) > 1 and all(row["split"] == "train" for row in rows):
        for row in rows:
            if row["trial"] == takes[-1]:
                row["split"] = "val"


def _write(
    out: Path, pack: Path, clips: list[PackedClip], rows: list[dict[str, Any]], source: str
) -> None:
    make_folder(out)
    table = out / CAPTIONS_FILE
    others = (
        [row for row in read_captions(table) if row.get("source") != source]
        if (table.exists())
        else []
    )
    write_pack(pack, clips)
    write_captions(table, [*others, *rows])


def find_captions(folder: Path, files: list[Path]) -> dict[Path, list[str]]:
    """Captions of every file; ScaleMoGenError if one has none or a table line is wrong."""
    captions: dict[Path, list[str]] = {path: [] for path in files}
    by_name = {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}
    table = folder / CAPTIONS_TABLE
    if table.is_file():
        for number, line in enumerate(_lines(table), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            name, tab, caption = line.partition("\t")
            name = name.strip().replace("\\", "/")
            name = name[:-4] if name.lower().endswith(".bvh") else name
            if not tab or not caption.strip():
                raise ScaleMoGenError(f"{table}:{number}: write path<TAB>caption.")
            if name not in by_name:
                raise ScaleMoGenError(f"{table}:{number}: there is no file {name}.bvh here.")
            captions[by_name[name]].append(" ".join(caption.split()))
    for path in files:
        beside = path.with_suffix(".txt")
        if beside.is_file():
            captions[path] += [" ".join(line.split()) for line in _lines(beside) if line.strip()]
    without = [path for path in files if not captions[path]]
    if without:
        raise ScaleMoGenError(
            f"{len(without)} of {len(files)} files have no caption, for example {without[0]}. "
            f"Write {without[0].with_suffix('.txt').name} beside it, or a {CAPTIONS_TABLE}."
        )
    return captions


def split_of(take: str, validation_share: float) -> str:
    """``train`` or ``val`` by a checksum of the take: windows of one take never straddle both."""
    fraction = int(hashlib.sha256(take.encode()).hexdigest()[:8], 16) / 0x1_0000_0000
    return "val" if fraction < validation_share else "train"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScaleMoGenError(f"Cannot read {path}: {error}. Save it as UTF-8 text.") from error

"""The training corpus: clips with captions, mirroring, and how often each clip is drawn."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..dataset_format import CAPTIONS_FILE, read_captions, read_pack
from ..errors import ScaleMoGenError
from ..motion import Motion
from ..skeleton import canonical

_SWAPS = {
    "left": "right",
    "leftward": "rightward",
    "leftwards": "rightwards",
    "leftmost": "rightmost",
    "left-hand": "right-hand",
    "left-handed": "right-handed",
    "left-footed": "right-footed",
    "left-footer": "right-footer",
    "left-hander": "right-hander",
    "lefty": "righty",
    "counterclockwise": "clockwise",
}
_SWAPS |= {b: a for a, b in _SWAPS.items()} | {"anticlockwise": "clockwise"}
_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")

#: Drawn this much less often: the caption tells of a whole take, the figure is a cartoon.
TRIAL_WEIGHT, STYLISED_WEIGHT = 0.4, 0.4


@dataclass(frozen=True)
class Clip:
    """A captioned clip; ``captions`` are its own, ``paraphrases`` more ways of saying the same."""

    clip_id: str
    motion: Motion
    captions: tuple[str, ...]
    paraphrases: tuple[str, ...]
    row: dict[str, Any]


def mirror_text(text: str) -> str:
    """The sentence with left and right swapped, whole (hyphenated) words only, case kept."""

    def swap(match: re.Match[str]) -> str:
        word = match.group()
        other = _SWAPS.get(word.lower())
        if other is None:
            return word
        return other.capitalize() if word[0].isupper() else other

    return _WORD.sub(swap, text)


def mirror_joints() -> list[int]:
    """For every canonical joint the index of its counterpart on the other side."""
    names = canonical().joint_names
    return [names.index(mirror_name(name)) for name in names]


def mirror_name(name: str) -> str:
    """``left_knee`` for ``right_knee`` and the reverse; other names unchanged."""
    if name.startswith("left_"):
        return "right_" + name[5:]
    return "left_" + name[6:] if name.startswith("right_") else name


def mirror_motion(motion: Motion) -> Motion:
    """The motion of the mirror image (x negated, sides swapped) on the symmetric skeleton."""
    contacts = motion.contacts
    return replace(
        motion,
        rotations=motion.rotations[:, mirror_joints()] * [1.0, 1.0, -1.0, -1.0],
        root_positions=motion.root_positions * [-1.0, 1.0, 1.0],
        contacts=None if contacts is None else contacts[:, [2, 3, 0, 1]],
    )


def load_corpus(folder: Path, split: str, without: Iterable[str] = ()) -> list[Clip]:
    """All clips of a split ("train", "val"), leaving out the files named in ``without``.

    Raises ScaleMoGenError when the folder is not a packed data set or holds no such clip.
    """
    everything = read_captions(folder / CAPTIONS_FILE)
    for number, row in enumerate(everything, start=1):
        if not all(row.get(field) for field in ("clip", "file", "source", "captions", "split")):
            raise ScaleMoGenError(
                f"{folder / CAPTIONS_FILE}:{number}: a field of the row is missing"
            )
    leave_out = {name.removesuffix(".npz.xz") for name in without}
    known = {row["file"].removesuffix(".npz.xz") for row in everything}
    if unknown := sorted(leave_out - known):
        raise ScaleMoGenError(
            f"there is no source {unknown[0]!r} to leave out; there are {', '.join(sorted(known))}"
        )
    rows = [
        row
        for row in everything
        if row["split"] == split and row["file"].removesuffix(".npz.xz") not in leave_out
    ]
    paraphrases = _Paraphrases(folder / "paraphrases.jsonl")
    packs = {name: read_pack(folder / name) for name in sorted({row["file"] for row in rows})}
    if not rows:
        raise ScaleMoGenError(
            f"{folder} has no clips of the split {split!r}; name a folder with {CAPTIONS_FILE}"
        )
    missing = [row["clip"] for row in rows if row["clip"] not in packs[row["file"]].clip_ids]
    if missing:
        raise ScaleMoGenError(
            f"{CAPTIONS_FILE} names the clip {missing[0]!r}, which its file lacks; import it again"
        )
    return [
        Clip(
            clip_id=row["clip"],
            motion=packs[row["file"]][row["clip"]].motion(),
            captions=tuple(row["captions"]),
            paraphrases=paraphrases.of(row),
            row=row,
        )
        for row in rows
    ]


class _Paraphrases:
    """The paraphrase bank, looked up by sentence or by (source, label, style)."""

    def __init__(self, path: Path) -> None:
        self._by_sentence: dict[str, list[str]] = {}
        self._by_class: dict[tuple[str, ...], list[str]] = {}
        for concept in read_captions(path) if path.exists() else ():
            match = concept["match"]
            if "sentence" in match:
                self._by_sentence[match["sentence"]] = concept["captions"]
            else:
                key = (match["source"], match["label"], match["style"])
                self._by_class[key] = concept["captions"]

    def of(self, row: dict[str, Any]) -> tuple[str, ...]:
        found = dict.fromkeys(
            sentence
            for caption in row["captions"]
            for sentence in self._by_sentence.get(caption, ())
        )
        key = (row["source"], row.get("label", ""), row.get("style", ""))
        found |= dict.fromkeys(self._by_class.get(key, ()))
        return tuple(found)


def caption_trust(clip: Clip) -> float:
    """How much the clip's caption and figure are worth: 1, or less where either is weak."""
    trial = TRIAL_WEIGHT if clip.row.get("scope") == "trial" else 1.0
    return trial * (STYLISED_WEIGHT if clip.row.get("stylised") else 1.0)


def clip_weights(clips: list[Clip]) -> np.ndarray:
    """Probability of drawing each clip [n]: rare actions more often than their share.

    A clip's class is its label, or else its first caption; classes are drawn in proportion to the
    square root of their clips' number, so that 25 Bandai actions do not drown the others.
    """
    classes = [
        f"{clip.row['source']}/{clip.row.get('label') or clip.captions[0]}" for clip in clips
    ]
    sizes = Counter(classes)
    weights = np.array([sizes[name] ** -0.5 for name in classes])
    weights *= [caption_trust(clip) for clip in clips]
    return weights / weights.sum()


def describe(clips: list[Clip]) -> dict[str, dict[str, float]]:
    """Clips and hours per source, for logs and model cards."""
    table: dict[str, dict[str, float]] = defaultdict(lambda: {"clips": 0, "hours": 0.0})
    for clip in clips:
        entry = table[clip.row["file"].removesuffix(".npz.xz")]
        entry["clips"] += 1
        entry["hours"] += clip.motion.seconds / 3600
    return dict(table)

"""The bones of a naming scheme, read from its text file.

A file has a head of ``key: value`` lines (title, proportions, axes, roll, placement, origin, rest,
arms, connected) and, after ``bones:``, one bone a line, indented below its parent:

    Name = slot          the right bone for a slot
    Name ? slot          would do for the slot just as well
    Name ~ place         a bone that no slot wants

``{Left|Right}`` in a name makes it and everything below twice, left then right.  A place is a
landmark (see :mod:`.body`), or a point on the way to another, ``shoulder>elbow:0.5``, and may be
moved by ``+x,y,z`` metres (x outwards).  ``%fingers`` makes the chains of the fingers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from .body import FINGERS

FOLDER = Path(__file__).parent / "schemes"
_ALTERNATIVES = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
_BONE = re.compile(r"(?P<name>.+?) (?P<kind>[=?~]) (?P<place>\S+)(?: \+(?P<offset>\S+))?")
_CENTRE_SLOTS = ("pelvis", "spine", "neck", "head")
_SIDE_SLOTS = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")


@dataclass(frozen=True)
class Bone:
    """A bone of a tree.

    parent: index, -1 for roots.  slot: what it plays, "" for helpers; ``exact`` is False for bones
    that would do as well.  start, end, share: it begins so far from one landmark to another.
    offset: metres from there, x outwards.  side: left, right or "".
    """

    name: str
    parent: int
    slot: str
    exact: bool
    start: str
    end: str
    share: float
    offset: tuple[float, float, float]
    side: str


@dataclass(frozen=True)
class Scheme:
    """A naming scheme with its usual build: what :mod:`.build` makes rigs of.

    axes: along (Y along the bone), unreal (X along it, mirrored sides), world, scattered.
    roll: degrees that ``along`` axes are rolled.  arms: degrees below the horizontal in an A-pose.
    placement: unit and up axis of the armature; origin: floor or hips.
    rest: the pose its rigs usually rest in.  connected: bones hang on their parents' tails.
    """

    name: str
    title: str
    bones: tuple[Bone, ...]
    proportions: str = "adult"
    axes: str = "along"
    roll: float = 0.0
    placement: str = "blender"
    origin: str = "floor"
    rest: str = "T"
    arms: float = 45.0
    connected: bool = False


@cache
def schemes() -> tuple[Scheme, ...]:
    """All schemes, by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.txt")))


@cache
def scheme(name: str) -> Scheme:
    """The scheme of a name; KeyError if there is none."""
    return {each.name: each for each in schemes()}[name]


def _read(path: Path) -> Scheme:
    lines = path.read_text(encoding="utf-8").splitlines()
    start = lines.index("bones:")
    head = dict(line.split(": ", 1) for line in lines[:start])
    usual = Scheme(path.stem, head["title"], tuple(_bones(lines[start + 1 :])))
    for key, value in head.items():
        usual = _with_setting(usual, key, value)
    return usual


def _with_setting(usual: Scheme, key: str, value: str) -> Scheme:
    if key in ("roll", "arms"):
        return replace(usual, **{key: float(value)})  # type: ignore[arg-type]
    if key == "connected":
        return replace(usual, connected=value == "yes")
    return replace(usual, **{key: value})  # type: ignore[arg-type]


def _bones(lines: list[str]) -> list[Bone]:
    found: list[Bone] = []
    above: list[tuple[int, int]] = []  # indentation and index of the open bones
    for indent, text, side in _expanded([line for line in lines if line.strip()]):
        while above and above[-1][0] >= indent:
            above.pop()
        parent = above[-1][1] if above else -1
        match = _BONE.fullmatch(text)
        if match is None:
            raise ValueError(f"no bone: {text!r}")
        above.append((indent, len(found)))
        found.append(_bone(match, parent, side))
    return found


def _bone(match: re.Match[str], parent: int, side: str) -> Bone:
    place, kind = match["place"], match["kind"]
    slot = ""
    if kind != "~":
        slot = f"{side}_{place}" if side and place in _SIDE_SLOTS else place
        part = slot.removeprefix("left_").removeprefix("right_")
        if slot not in _CENTRE_SLOTS and part not in _SIDE_SLOTS:
            raise ValueError(f"no slot: {place!r}")
        place = slot
    start, _, rest = place.partition(">")
    end, _, share = rest.partition(":")
    x, y, z = (float(number) for number in (match["offset"] or "0,0,0").split(","))
    return Bone(
        name=match["name"],
        parent=parent,
        slot=slot,
        exact=kind == "=",
        start=start,
        end=end,
        share=float(share or 0.0),
        offset=(x, y, z),
        side=side,
    )


def _expanded(lines: list[str], side: str = "") -> Iterator[tuple[int, str, str]]:
    """Indentation, text and side of every bone, mirrored subtrees and fingers written out."""
    at = 0
    while at < len(lines):
        line = lines[at]
        indent = len(line) - len(line.lstrip(" "))
        end = at + 1
        while end < len(lines) and len(lines[end]) - len(lines[end].lstrip(" ")) > indent:
            end += 1
        block = lines[at:end]
        if not side and _ALTERNATIVES.search(line):
            for number, each in enumerate(("left", "right"), start=1):
                own = [_ALTERNATIVES.sub(rf"\{number}", text) for text in block]
                yield from _expanded(own, each)
        elif line.strip().startswith("%fingers"):
            yield from _fingers(indent, line.strip(), side)
        else:
            yield indent, line.strip(), side
            yield from _expanded(block[1:], side)
        at = end


def _fingers(indent: int, line: str, side: str) -> Iterator[tuple[int, str, str]]:
    """``%fingers Name<f><n> : names of the fingers : names of their bones [: first landmark]``.

    A finger that is not called like one says which it is: ``2=index``.
    """
    parts = [part.strip() for part in line.removeprefix("%fingers").split(" : ")]
    pattern, fingers, numbers = parts[0], parts[1].split(), parts[2].split()
    first = int(parts[3]) if len(parts) > 3 else 1
    for finger in fingers:
        called, _, landmark = finger.partition("=")
        landmark = landmark or _finger(called)
        for step, number in enumerate(numbers):
            name = pattern.replace("<f>", called).replace("<n>", number)
            yield indent + step, f"{name} ~ {landmark}{first + step}", side


def _finger(called: str) -> str:
    other = {"mid": "middle", "little": "pinky"}.get(called.lower(), called.lower())
    if other not in FINGERS:
        raise ValueError(f"no finger: {called!r}")
    return other


def without(bones: tuple[Bone, ...], gone: set[int], with_children: bool) -> tuple[Bone, ...]:
    """The tree without some bones; their children go, too, or hang on the bone above."""
    dropped = set(gone)
    if with_children:
        for index, bone in enumerate(bones):
            if bone.parent in dropped:
                dropped.add(index)
    kept = [index for index in range(len(bones)) if index not in dropped]
    place = {old: new for new, old in enumerate(kept)}
    result = []
    for old in kept:
        parent = bones[old].parent
        while parent in dropped:
            parent = bones[parent].parent
        result.append(replace(bones[old], parent=place.get(parent, -1)))
    return tuple(result)

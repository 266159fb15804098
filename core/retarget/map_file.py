"""Bone maps as JSON files that artists save, load and hand to each other."""

import json
from pathlib import Path

from .. import files
from ..errors import ScaleMoGenError
from .bone_map import BY_WORDS, BoneMap
from .slots import SLOTS

FORMAT = "scalemogen rig map"
VERSION = 1
#: No map is larger; a file that is will not be read at all.
_MOST_BYTES = 1_000_000
#: Letters of a word that is no joint in the message about it.
_MOST_SHOWN = 40


def to_json(bone_map: BoneMap) -> str:
    """The map as JSON text; slots without a bone are left out."""
    head = {"format": FORMAT, "version": VERSION, "scheme": bone_map.scheme}
    lines = [f" {_text(key)}: {_text(value)}," for key, value in head.items()]
    bones = [
        f"  {_text(slot)}: {_text(list(bone_map.bones[slot]))}"
        for slot in SLOTS
        if bone_map.bones.get(slot)
    ]
    return "\n".join(["{", *lines, ' "bones": {', ",\n".join(bones), " }", "}", ""])


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def from_json(text: str, source: str = "The file") -> BoneMap:
    """The map of a JSON text; ScaleMoGenError with ``source`` in it when it is none."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScaleMoGenError(
            f"{source} is not JSON or is damaged; choose a file that Save Bone Map has written."
        ) from error
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise ScaleMoGenError(
            f"{source} is no bone map; choose a file that Save Bone Map has written."
        )
    version = table.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ScaleMoGenError(f"{source} has no valid version number; save the bone map again.")
    if version > VERSION:
        raise ScaleMoGenError(
            f"{source} was made by a newer version of the add-on; update the add-on."
        )
    return BoneMap(_scheme(table), _bones(table, source))


def save(path: Path | str, bone_map: BoneMap) -> None:
    """Write a map; the file is complete or untouched. ScaleMoGenError if it cannot be written."""
    files.write_bytes(path, to_json(bone_map).encode("utf-8"))


def load(path: Path | str) -> BoneMap:
    """Read a map; ScaleMoGenError when there is none in the file."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ScaleMoGenError(
                f"{path.name} is too large for a bone map; choose a file that Save Bone Map "
                "has written."
            )
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ScaleMoGenError(
            f"Cannot read {path}: {error.strerror or error}. Choose another file."
        ) from error
    except UnicodeDecodeError as error:
        raise ScaleMoGenError(
            f"{path.name} is not JSON or is damaged; choose a file that Save Bone Map has written."
        ) from error
    return from_json(text, path.name)


def _scheme(table: dict) -> str:
    scheme = table.get("scheme", BY_WORDS)
    return scheme if isinstance(scheme, str) else BY_WORDS


def _bones(table: dict, source: str) -> dict[str, tuple[str, ...]]:
    bones = table.get("bones")
    if not isinstance(bones, dict) or not bones:
        raise ScaleMoGenError(f"{source} maps no bones; save the bone map again.")
    found = {}
    for slot, chain in bones.items():
        if slot not in SLOTS:
            shown = ascii(slot[:_MOST_SHOWN])  # a file may say anything, at any length
            raise ScaleMoGenError(
                f"{source} names {shown}, which is no joint; the joints are {', '.join(SLOTS)}."
            )
        if not isinstance(chain, list) or not all(isinstance(b, str) and b for b in chain):
            raise ScaleMoGenError(f"{source} has no list of bone names for '{slot}'.")
        if chain:
            found[slot] = tuple(chain)
    if not found:
        raise ScaleMoGenError(f"{source} maps no bones; save the bone map again.")
    return {slot: found[slot] for slot in SLOTS if slot in found}

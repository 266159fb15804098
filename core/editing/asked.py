"""What somebody asked to edit in words: body parts, or bones by their names."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ScaleMoGenError
from ..skeleton import BODY_PARTS

#: Stands for all body parts.
ALL = "all"
#: Before a bone's name that is the name of a body part, too.
BONE = "bone:"
#: Before a body part's name where bones are named, too, and one may be called so.
PART = "part:"


@dataclass(frozen=True)
class Asked:
    """Body parts, in their order, and names of bones as the rig has them."""

    parts: tuple[str, ...]
    bones: tuple[str, ...]


def asked(words: Sequence[str], bone_names: Sequence[str], rig_name: str) -> Asked:
    """What the words mean on a rig.

    ``left arm`` and ``Left-Arm`` are ``left_arm``; a body part goes before a bone of that name, for
    which ``bone:spine`` stands.  Bones are found without their prefix ("mixamorig:") and in small
    letters, too, where only one is meant.  ScaleMoGenError with the nearest names for a word that
    is neither.
    """
    parts: set[str] = set()
    bones: dict[str, None] = {}
    for word in words:
        part = "_".join(word.lower().replace("-", " ").replace("_", " ").split())
        if word.startswith(BONE) and word not in bone_names:
            bones[_bone(word.removeprefix(BONE), bone_names, rig_name)] = None
        elif part == ALL:
            parts.update(BODY_PARTS)
        elif part in BODY_PARTS:
            parts.add(part)
        else:
            bones[_bone(word, bone_names, rig_name)] = None
    return Asked(tuple(part for part in BODY_PARTS if part in parts), tuple(bones))


def _bone(word: str, bone_names: Sequence[str], rig_name: str) -> str:
    def plain(name: str) -> str:
        return name.rpartition(":")[2].lower()

    if word in bone_names:
        return word
    meant = [name for name in bone_names if name.lower() == word.lower()]
    meant = meant or [name for name in bone_names if plain(name) == plain(word)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise ScaleMoGenError(
            f"'{word}' may be any of {', '.join(meant)}; write the bone's whole name."
        )
    known = {plain(name): name for name in (*bone_names, *BODY_PARTS)}
    near = [known[name] for name in difflib.get_close_matches(plain(word), known, 4, 0.5)]
    hint = f"Near it are {', '.join(near)}" if near else f"It has {_some(bone_names)}"
    raise ScaleMoGenError(
        f"'{rig_name}' has no bone '{word}', and it is no body part. {hint}; body parts are "
        f"{', '.join(BODY_PARTS)}, {ALL}."
    )


def _some(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

"""What a bone's name says: body words, side and number, whatever the naming scheme."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SIDES = {
    "left": "left", "l": "left", "lft": "left", "lf": "left",
    "right": "right", "r": "right", "rgt": "right", "rt": "right",
}  # fmt: skip

_NAMESPACE = re.compile(r"^.*[:|]")
_MIXAMO = re.compile(r"^mixamorig\d*[:_ .]?", re.IGNORECASE)
# Runs of digits, of capitals before a capitalised word (LHip -> L Hip), and of words.
_TOKEN = re.compile(r"\d+|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


@dataclass(frozen=True)
class NameParts:
    """``LeftUpLeg`` is word "upleg", side "left"; ``spine_03`` is word "spine", number 3."""

    word: str
    side: str
    number: int | None


def without_namespace(name: str) -> str:
    """``mixamorig7:Hips`` and ``Character|Hips`` are ``Hips``."""
    stripped = _NAMESPACE.sub("", name) or name
    return _MIXAMO.sub("", stripped) or stripped


def comparable(name: str) -> str:
    """Lower case without namespace, every separator an underscore: for exact comparison."""
    return re.sub(r"[\W_]+", "_", without_namespace(name).strip()).strip("_").lower()


def tokens(name: str) -> list[str]:
    """Lower-case words, side letters and numbers of a name, in order."""
    return [token.lower() for token in _TOKEN.findall(without_namespace(name))]


def shared_prefix(names: Sequence[str], share: float = 0.7) -> tuple[str, ...]:
    """Leading tokens that at least ``share`` of the names have in common (``CC_Base_``)."""
    split = [tokens(name) for name in names]
    prefix: tuple[str, ...] = ()
    while split:
        following = Counter(s[len(prefix)] for s in split if len(s) > len(prefix) + 1
                            and tuple(s[: len(prefix)]) == prefix)  # fmt: skip
        if not following:
            break
        token, count = following.most_common(1)[0]
        if count < share * len(split) or token in _SIDES:
            break
        prefix += (token,)
    return prefix if len(names) > 3 else ()


def parse(name: str, prefix: tuple[str, ...] = (), noise: Iterable[str] = ()) -> NameParts:
    """Parts of one name; ``prefix`` tokens are dropped in front and ``noise`` tokens anywhere."""
    found = tokens(name)
    if tuple(found[: len(prefix)]) == prefix and len(found) > len(prefix):
        found = found[len(prefix) :]
    side, number, words = "", None, []
    ignored = set(noise)
    for token in found:
        if token in _SIDES and not side:
            side = _SIDES[token]
        elif token.isdigit():
            number = int(token)
        elif token not in ignored:
            words.append(token)
    return NameParts("".join(words), side, number)

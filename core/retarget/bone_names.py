"""What a bone's name says: body words, side and number, whatever the naming scheme."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .vocabulary import SIDE_WORDS, split_word, vocabulary

_NAMESPACE = re.compile(r"^.*[:|]")
# Runs of digits, of capitals before a capitalised word (LHip -> L Hip), and of words.
_TOKEN = re.compile(r"\d+|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
#: Blender cuts names to so many bytes.
_LONGEST_NAME = 63
#: Files may have names of any length; what comes later in them is not read.
_MOST_LETTERS = 256
#: A name that has words besides those of a body part is this much less likely to mean it.
_UNKNOWN_WORDS = 0.35
#: A word that this share of all names has, but at least so many names, says nothing.
_COMMON_SHARE, _COMMON_COUNT = 0.15, 6
_CACHED_NAMES = 8192


@dataclass(frozen=True)
class NameParts:
    """``LeftUpLeg`` has the words ("up", "leg"), the side "left".

    meanings: body part → strength of the name for it (up to 3), lowered for helper bones.
    unknown: words that the vocabulary does not have.  suitability: 0 to 1, how much the name
    leaves it possible that the bone is a joint at all (an eyebrow or an IK target is none).
    """

    words: tuple[str, ...]
    side: str
    numbers: tuple[int, ...]
    meanings: Mapping[str, float]
    unknown: tuple[str, ...]
    suitability: float = 1.0


def without_namespace(name: str) -> str:
    """``mixamorig7:Hips``, ``Character|Hips`` and ``CC_Base_Hips`` are ``Hips``."""
    stripped = (_NAMESPACE.sub("", name) or name)[:_MOST_LETTERS]
    prefix = vocabulary().prefix
    while (shorter := prefix.sub("", stripped)) and shorter != stripped:
        stripped = shorter
    return stripped


@lru_cache(maxsize=_CACHED_NAMES)
def comparable(name: str) -> str:
    """Lower case without namespace, every separator an underscore: for exact comparison."""
    plain = unicodedata.normalize("NFKC", without_namespace(name))
    return re.sub(r"[\W_]+", "_", plain.strip()).strip("_").lower()


@lru_cache(maxsize=_CACHED_NAMES)
def tokens(name: str) -> tuple[str, ...]:
    """Lower-case words, side letters and numbers of a name, in order."""
    plain = vocabulary().translated(unicodedata.normalize("NFKC", without_namespace(name)))
    found: list[str] = []
    for token in _TOKEN.findall(plain):
        found += split_word(token.lower())
    if len(name.encode()) >= _LONGEST_NAME and found:
        found[-1] = _completed(found[-1])
    return tuple(found)


def _completed(word: str) -> str:
    """A word that was cut off, as far as only one is known to begin like that."""
    if len(word) < 3 or vocabulary().is_known(word):
        return word
    body = {w for words in vocabulary().meanings for w in words if w.startswith(word)}
    return min(body, key=lambda w: (len(w), w)) if body else word


def shared_prefix(names: Sequence[str], share: float = 0.7) -> str:
    """Comparable beginning, up to a separator, that ``share`` of the names have in common."""
    split = [comparable(name).split("_") for name in names]
    prefix: list[str] = []
    while split:
        depth = len(prefix)
        following = Counter(s[depth] for s in split if len(s) > depth + 1 and s[:depth] == prefix)
        if not following:
            break
        token, count = following.most_common(1)[0]
        if count < share * len(split) or token in SIDE_WORDS or vocabulary().meaning([token]):
            break
        prefix.append(token)
    return "_".join([*prefix, ""]) if prefix and len(names) > 3 else ""


@lru_cache(maxsize=_CACHED_NAMES)
def parse(name: str, ignored: frozenset[str] = frozenset()) -> NameParts:
    """Parts of one name; ``ignored`` words say nothing in this rig."""
    table = vocabulary()
    side, numbers, words, unknown = "", [], [], []
    helper = 1.0
    for token in tokens(name):
        if token in SIDE_WORDS and not side:
            side = SIDE_WORDS[token]
        elif token.isdigit():
            numbers.append(int(token[:9]))
        elif token in table.noise or token in ignored:
            continue
        elif token in table.pieces and token not in table.helpers:
            words.append(token)
        elif token in table.helpers:
            helper *= table.helpers[token]
        elif len(token) > 1 and token not in SIDE_WORDS:
            unknown.append(token)
    meanings, suitability = table.meaning(words), helper
    if not meanings:
        is_other = any(word in table.others for word in words)
        body = [word for word in words if word not in table.others]
        # "foot" twice (FootFoot), or words that name no part together: the last one alone
        meanings = table.meaning(dict.fromkeys(body)) or table.meaning(body[-1:])
        helper *= 0.0 if is_other else _UNKNOWN_WORDS if len(set(body)) > 1 else 1.0
        suitability *= 0.0 if is_other else _UNKNOWN_WORDS if body and not meanings else 1.0
    if unknown:
        helper *= _UNKNOWN_WORDS
    lowered = {part: strength * helper for part, strength in meanings.items() if helper > 0.0}
    return NameParts(tuple(words), side, tuple(numbers), lowered, tuple(unknown), suitability)


def parse_all(names: Sequence[str]) -> list[NameParts]:
    """Parts of a rig's names; unknown words that many of them share say nothing."""
    found = [parse(name) for name in names]
    count = Counter(word for part in found for word in set(part.unknown))
    least = max(_COMMON_COUNT, _COMMON_SHARE * len(names))
    common = frozenset(word for word, number in count.items() if number >= least)
    if not common:
        return found
    return [
        parse(name, common) if common.intersection(part.unknown) else part
        for name, part in zip(names, found, strict=True)
    ]

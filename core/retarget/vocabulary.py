"""The words that bone names are made of (assets/rig_maps/vocabulary.json)."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from ..paths import ASSETS

RIG_MAPS = ASSETS / "rig_maps"

SIDE_WORDS = {
    "left": "left", "l": "left", "lft": "left", "lf": "left", "lt": "left",
    "right": "right", "r": "right", "rgt": "right", "rt": "right", "rh": "right",
}  # fmt: skip

#: Joined words are only taken apart into pieces of at least so many letters.
_SHORTEST_PIECE = 3
_SHORT_PIECES = frozenset({"up", "lo"})
#: Longer words than Blender's names are not taken apart: the ways to do so double with every piece.
_LONGEST_WORD = 63


@dataclass(frozen=True)
class Vocabulary:
    """What words mean; see the file's own "about".

    meanings: sorted words of a body part → part → strength.  pieces: words that longer ones are
    made of.  translations: longest first.
    """

    noise: frozenset[str]
    helpers: Mapping[str, float]
    others: frozenset[str]
    meanings: Mapping[tuple[str, ...], Mapping[str, float]]
    pieces: frozenset[str]
    prefix: re.Pattern[str]
    translations: tuple[tuple[str, str], ...]

    def meaning(self, words: Iterable[str]) -> Mapping[str, float]:
        """Parts that the words (in any order) name together, with the strength of each."""
        return self.meanings.get(tuple(sorted(words)), {})

    def is_known(self, word: str) -> bool:
        return word in self.pieces or word in SIDE_WORDS or word in self.noise

    def translated(self, name: str) -> str:
        """A name with its Japanese, Chinese and Korean parts in English."""
        if name.isascii():
            return name
        for foreign, english in self.translations:
            if foreign in name:
                name = name.replace(foreign, f" {english} ")
        return name


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary, read once."""
    table = json.loads((RIG_MAPS / "vocabulary.json").read_text(encoding="utf-8"))
    meanings: dict[tuple[str, ...], dict[str, float]] = {}
    for part, words in table["words"].items():
        for joined, strength in words.items():
            meanings.setdefault(tuple(sorted(joined.split())), {})[part] = float(strength)
    body = {word for words in meanings for word in words}
    known = body | set(table["helpers"]) | set(table["others"]) | set(table["noise"])
    translations = table["east_asian"]
    return Vocabulary(
        noise=frozenset(table["noise"]),
        helpers=table["helpers"],
        others=frozenset(table["others"]),
        meanings=meanings,
        pieces=frozenset(w for w in known if len(w) >= _SHORTEST_PIECE or w in body),
        prefix=re.compile(rf"^(?:{'|'.join(table['prefixes'])})[:_ .|-]+", re.IGNORECASE),
        translations=tuple(sorted(translations.items(), key=lambda item: -len(item[0]))),
    )


@cache
def split_word(word: str) -> tuple[str, ...]:
    """A joined word in known pieces (``lthighbend`` is l, thigh, bend); itself if it has none."""
    table = vocabulary()
    if not 2 * _SHORTEST_PIECE - 2 <= len(word) <= _LONGEST_WORD or table.is_known(word):
        return (word,)
    pieces = _pieces(word, 0, table)
    return pieces or (word,)


def _pieces(word: str, start: int, table: Vocabulary) -> tuple[str, ...]:
    """Fewest known pieces that make up the rest of a word; empty if there are none."""
    if start == len(word):
        return ()
    best: tuple[str, ...] = ()
    for end in range(len(word), start, -1):
        piece = word[start:end]
        if not _is_piece(piece, start, end == len(word), table):
            continue
        rest = _pieces(word, end, table)
        if end < len(word) and not rest:
            continue
        if not best or len(rest) + 1 < len(best):
            best = (piece, *rest)
    return best


def _is_piece(piece: str, start: int, last: bool, table: Vocabulary) -> bool:
    if piece in {"l", "r"}:
        return start == 0 or last
    if len(piece) < _SHORTEST_PIECE:
        return piece in _SHORT_PIECES
    return piece in table.pieces or piece in SIDE_WORDS

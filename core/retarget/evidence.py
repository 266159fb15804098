"""How sure each joint of a bone map is, and why, in words that an artist reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .bone_names import NameParts
from .slots import ARM, LEG, plain_name, side_and_part

#: Below this confidence the artist is asked to check a joint.
DOUBT_LIMIT = 0.5

_EXACT = 0.98
#: A name's confidence from its strength (up to 3 for the usual word).
_NAME_LEAST, _NAME_GAIN = 0.35, 0.2
#: Where only the shape speaks: at least, and more for a shape that is surely a body.
_SHAPE_LEAST, _SHAPE_GAIN = 0.3, 0.4
_SIDE_BY_SHAPE = 0.9
_OTHER_BY_SHAPE = 0.8
_ORDINALS = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Evidence:
    """confidence: 0 to 1.  reason: a short sentence without full stop."""

    confidence: float
    reason: str


CORRECTED = Evidence(1.0, "Picked by you")


def loaded(title: str) -> Evidence:
    """Of a joint that a map in the artist's folder names."""
    return Evidence(1.0, f"From your bone map '{title}'")


def exact(title: str) -> Evidence:
    """Of a bone that is called as in a known scheme."""
    return Evidence(_EXACT, f"Named as in {title}")


def by_name(
    slot: str, strength: float, part: NameParts, side_by_shape: bool, elsewhere: bool
) -> Evidence:
    """Of a bone whose name has the right words.

    side_by_shape: the name says no side.  elsewhere: the shape would have another bone.
    """
    side, _ = side_and_part(slot)
    confidence = min(_NAME_LEAST + _NAME_GAIN * strength, 0.95)
    said = f"Name says '{' '.join(part.words)}'"
    if side and not side_by_shape:
        said += f", {side}"
    elif side:
        confidence *= _SIDE_BY_SHAPE
        said += f"; its place says {side}"
    said += f"; {_place(slot)}"
    if elsewhere:
        confidence *= _OTHER_BY_SHAPE
        said += ", but another bone's place would suit as well"
    return Evidence(round(confidence, 3), said)


def by_shape(slot: str, quality: float, side_quality: float, side_said: bool) -> Evidence:
    """Of a bone that only its place speaks for; side_said: at least its name says the side."""
    side = side_and_part(slot)[0]
    confidence = _SHAPE_LEAST + _SHAPE_GAIN * quality
    if side and not side_said:
        confidence *= 0.5 + 0.5 * side_quality
    reason = f"Only by its place: {_ordinal_place(slot)}"
    if side_said:
        reason = f"Name says {side}; its place: {_ordinal_place(slot)}"
    elif side and side_quality < 0.5:
        reason += "; left and right are a guess"
    return Evidence(round(confidence, 3), reason)


def between(slot: str) -> Evidence:
    """Of trunk bones that no name speaks for, but what is above and below them."""
    return Evidence(0.6, f"Only by its place: {_ordinal_place(slot)}")


def weakened(evidence: Evidence, factor: float, reason: str) -> Evidence:
    """Evidence that something else speaks against; never sure any more."""
    lower = min(evidence.confidence * factor, 0.9 * DOUBT_LIMIT)
    return Evidence(round(lower, 3), f"{evidence.reason}, but {reason}")


def _place(slot: str) -> str:
    """Where a joint is in the body."""
    part = side_and_part(slot)[1]
    if slot == "pelvis":
        return "the legs hang on it"
    if slot == "spine":
        return "between hips and chest"
    if slot == "neck":
        return "between chest and head"
    if slot == "head":
        return "above the chest"
    limb = LEG if part in LEG else ARM
    place = limb.index(part)
    above = ("hips" if limb is LEG else "chest") if place == 0 else plain_name(limb[place - 1])
    return f"hangs below the {above}"


def _ordinal_place(slot: str) -> str:
    side, part = side_and_part(slot)
    if slot == "pelvis":
        return "where the legs meet"
    if slot == "spine":
        return "between hips and arms"
    if slot == "neck":
        return "between arms and head"
    if slot == "head":
        return "on top, above the arms"
    if part == "collar":
        return f"before the {side} arm"
    limb = LEG if part in LEG else ARM[1:]
    place = limb.index(part)
    if part == "wrist":
        return f"end of the {side} arm"
    if part == "foot":
        return f"in front of the {side} foot"
    return f"{_ORDINALS[place]} bone of the {side} {'leg' if limb is LEG else 'arm'}"


def doubtful(evidence: Mapping[str, Evidence], slots: Sequence[str]) -> tuple[str, ...]:
    """The slots that the artist should check."""
    return tuple(
        slot for slot in slots if slot in evidence and evidence[slot].confidence < DOUBT_LIMIT
    )

"""More ways to say a caption: other people do it, at some place or time that does not matter.

An artist writes "a pirate climbs the rope at dawn"; the captions say "a person climbs".  The model
has to learn which words tell the motion.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .corpus import Clip

_SUBJECT = re.compile(
    r"^(?:(?:a|the) (?:person|man|woman|guy|girl|figure|character|human)|someone|somebody)\b"
)

PEOPLE = tuple(
    """
a worker|a nurse|a sailor|a farmer|a scientist|a businesswoman|a businessman|a pirate|a wizard
a witch|a robot|a knight|a monk|a cowboy|a student|a chef|a prince|a princess|a king|a queen
a detective|a spy|a pilot|a doctor|a teacher|a policeman|a firefighter|a mechanic|a villager
a shopkeeper|a merchant|a hunter|a clown|my grandfather|his grandmother|her mother|a father
an uncle|an aunt|a neighbour|a colleague|a stranger|a passer-by|the hero|a heroine|the villain
a warrior|a traveller|a hiker|an astronaut|an actor|an actress|a gentleman|a schoolboy|a soldier
a visitor|a customer|a musician|the boss|a secretary|a carpenter|a fisherman|a gardener
a tall man|a small woman|a grown-up
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

CIRCUMSTANCES = tuple(
    """
in the garden|in the street|at home|in the morning|on a stage|in front of the house|at work
in a quiet room|after lunch|in the yard|in the hall|by the river|near the door|on a rainy day
before breakfast|in the middle of the room|during the break|at the station|on the beach|at night
in the forest|on the roof|while the others watch|in an empty street|under the trees|at the market
next to the car|in front of a camera|outside the school|on the platform|in the kitchen|at the party
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


def reworded(sentence: str, random: np.random.Generator) -> str | None:
    """The sentence with another subject, half of the times at some place; None without one."""
    if not _SUBJECT.match(sentence):
        return None
    other = _SUBJECT.sub(_pick(PEOPLE, random), sentence)
    chance = random.random()
    if chance < 0.3:
        return f"{other} {_pick(CIRCUMSTANCES, random)}"
    if chance < 0.5:
        return f"{_pick(CIRCUMSTANCES, random)}, {other}"
    return other


def with_other_wording(clip: Clip, count: int, random: np.random.Generator) -> Clip:
    """The clip with ``count`` reworded sentences of its own added to its paraphrases."""
    sentences = [s for s in (*clip.captions, *clip.paraphrases) if _SUBJECT.match(s)]
    if not sentences:
        return clip
    made = [reworded(_pick(sentences, random), random) for _ in range(count)]
    more = tuple(dict.fromkeys(sentence for sentence in made if sentence is not None))
    return replace(clip, paraphrases=(*clip.paraphrases, *more))


def _pick(options: Sequence[str], random: np.random.Generator) -> str:
    return options[int(random.integers(len(options)))]

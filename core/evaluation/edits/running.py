"""All probes through an editor, in several ways, and the same asked for from scratch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...editing.edit import Edited
from ...editor import Editor
from ...engine import Engine
from ...errors import ScaleMoGenError
from ...model.masked import Rule
from ...motion import Motion
from ..many import Wish, generate_many
from .probes import Probe
from .smoothness import border_jumps, changed_outside, distance_inside, sliding
from .view import View

#: Which words an edit is given: what happens in the range, what the whole clip shows then, or what
#: it showed before (a control: how often does making anew alone pass for success?).
WORDINGS = ("prompt", "sentence", "source")


@dataclass(frozen=True)
class Way:
    """A way of editing that is compared with others."""

    name: str
    rule: Rule = "composite"
    keep: float = 0.0
    words: str = "prompt"

    def prompt_for(self, probe: Probe) -> str:
        """The prompt that a probe's edit is given."""
        told = {"prompt": probe.prompt, "sentence": probe.sentence, "source": probe.of.prompt}
        return told[self.words]


EDIT = Way("composite, keep 0")
WAYS = (
    EDIT,
    Way("whole tokens, keep 0", rule="whole_tokens"),
    Way("composite, keep 0.4", keep=0.4),
    Way("composite, keep 0.8", keep=0.8),
    Way("composite, prompt of the whole clip", words="sentence"),
    Way("composite, prompt of the source", words="source"),
)


@dataclass
class Outcome:
    """What came of a probe on one source in one way, for every seed.

    values: the judge's measure; source: the same of the unedited source.  distance: cm inside.
    outside: the greatest change where there must be none.  jumps, own: velocity jumps at the
    borders, and elsewhere, m/s.  above: share of each edit's border frames that jump more than 99 %
    of the same motion's other frames do.  slid, slid_before: cm/s.
    """

    probe: Probe
    origin: str
    way: str
    source: float
    values: np.ndarray
    passed: np.ndarray
    distance: np.ndarray = field(default_factory=lambda: np.zeros(0))
    outside: float = 0.0
    jumps: np.ndarray = field(default_factory=lambda: np.zeros(0))
    own: np.ndarray = field(default_factory=lambda: np.zeros(0))
    above: list[float] = field(default_factory=list)
    slid: np.ndarray = field(default_factory=lambda: np.zeros(0))
    slid_before: float = float("nan")
    motions: list[Motion] = field(default_factory=list)
    milliseconds: float = float("nan")


Watch = Callable[[str], object]


def edit_probes(
    editor: Editor,
    probes: Sequence[Probe],
    motions: Mapping[str, Motion],
    origin: str,
    ways: Sequence[Way],
    seeds: Sequence[int],
    watch: Watch = lambda what: None,
) -> list[Outcome]:
    """Every probe whose source is among ``motions``, in every way.

    ScaleMoGenError when an edit changes anything outside its joints and frames.
    """
    outcomes = []
    for probe in probes:
        if probe.source not in motions:
            continue
        source = motions[probe.source].resampled(probe.fps)
        for way in ways:
            outcomes.append(_edited(editor, probe, source, origin, way, seeds))
            watch(probe.name)
    return outcomes


def _edited(
    editor: Editor, probe: Probe, source: Motion, origin: str, way: Way, seeds: Sequence[int]
) -> Outcome:
    edit = probe.edit_of(source, way.keep, way.prompt_for(probe))
    made = editor.edit(source, edit, seeds, rule=way.rule)
    first, last = probe.range_of(source)
    values = np.array([probe.judge.measure(View(e.motion, first, last)) for e in made.edited])
    outside = max(changed_outside(source, e) for e in made.edited)
    if outside > 0.0:
        raise ScaleMoGenError(f"'{probe.name}' ({origin}, {way.name}) changed what is outside")
    pairs = [border_jumps(e, source.frame_count) for e in made.edited]
    jumps, own = zip(*pairs, strict=True)
    return Outcome(
        probe,
        origin,
        way.name,
        _source_value(probe, source),
        values,
        values >= probe.judge.least,
        distance=np.array([distance_inside(source, e) for e in made.edited]),
        outside=outside,
        jumps=np.concatenate(jumps),
        own=np.concatenate(own),
        above=[float(np.mean(j > np.percentile(o, 99))) for j, o in pairs if len(j)],
        slid=np.array([sliding(e.motion, first, last) for e in made.edited]),
        slid_before=float("nan") if probe.extend else sliding(source, first, last),
        motions=[e.motion for e in made.edited],
        milliseconds=made.timings["total_ms"],
    )


def _source_value(probe: Probe, source: Motion) -> float:
    """The judge's value of the unedited motion; of the last seconds where it is to be extended."""
    first, last = probe.range_of(source)
    if first >= source.frame_count:
        first, last = source.frame_count - (last - first + 1), source.frame_count - 1
    return probe.judge.measure(View(source, first, last))


def from_scratch(
    engine: Engine, probes: Sequence[Probe], seeds: Sequence[int]
) -> list[tuple[Outcome, np.ndarray]]:
    """Every probe's whole sentence generated as a clip of its own, as long as the source.

    Judged by the best stretch of the range's length, wherever it is: a sentence cannot say when.
    With each outcome comes [seeds] bool, whether the clip also still is the source's motion.
    """
    wishes = [
        Wish(probe.sentence, probe.of.seconds + probe.extend, seed)
        for probe in probes
        for seed in seeds
    ]
    made = iter(generate_many(engine, wishes))
    results = []
    for probe in probes:
        motions = [next(made) for _ in seeds]
        views = [View(motion) for motion in motions]
        seconds = probe.extend or _seconds(probe)
        frames = round(seconds * engine.fps)
        values = np.array([probe.judge.best(view, frames) for view in views])
        goes_on = np.array([probe.of.goes_on.passes(view) for view in views])
        passed = values >= probe.judge.least
        outcome = Outcome(
            probe, "generated", "from scratch", float("nan"), values, passed, motions=motions
        )
        results.append((outcome, goes_on))
    return results


def _seconds(probe: Probe) -> float:
    if probe.end is not None:
        return probe.end - probe.start
    return -probe.start if probe.start < 0 else probe.of.seconds - probe.start


def bare_source(outcome: Outcome) -> bool:
    """Whether the unedited source passes: then the probe proves nothing there."""
    return outcome.source >= outcome.probe.judge.least


__all__ = [
    "EDIT",
    "WAYS",
    "Edited",
    "Outcome",
    "Way",
    "bare_source",
    "edit_probes",
    "from_scratch",
]

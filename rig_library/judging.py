"""A rig put through motions and measured: one row of the table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.cleanup import find_contacts
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.retarget import BoneMap, RestRig, RetargetOptions
from core.retarget.options import Controls

from . import measures
from .body import RestPose
from .build import accepted, build, rest_turns, truth
from .figures import motion_figure, rig_figure
from .measures import Figure
from .posing import Posed, Subject
from .variation import USUAL, Variation

#: Directions are measured without the corrections that bend limbs on purpose.
PLAIN = RetargetOptions(feet="NEVER", keep_hands=False)
CORRECTED = RetargetOptions()


@dataclass(frozen=True)
class Targets:
    """What a row must stay below."""

    direction: float = 1.0  # degrees
    trunk: float = 1.0
    hip_height: float = 1.0  # per cent of the leg
    foot_height: float = 1.0
    sliding: float = 1.0  # cm/s
    hyperextension: float = 1.0  # degrees
    hands: float = 2.0  # per cent of the arm


TARGETS = Targets()


@dataclass(frozen=True)
class Row:
    """One rig in one rest pose under all motions; measures as in :mod:`.measures`.

    mapped: canonical joints that have a bone, of ``joints`` that the rig has bones for; wrong:
    slots with a bone that is not theirs.  Sliding is a pair: mean, and 95 per cent are below.
    turns: how far hips, head, hands or feet are turned off; a rest pose does not tell exactly how
    its limbs are twisted, so this has no target.
    time: seconds of mapping and transfer per second of motion.
    error: why the rig could not be used at all.
    """

    scheme: str
    rest_pose: str
    mapped: int = 0
    joints: int = 0
    wrong: tuple[str, ...] = ()
    direction: float = np.nan
    direction_mean: float = np.nan
    trunk: float = np.nan
    turns: float = np.nan
    hip_height: float = np.nan
    foot_height: float = np.nan
    foot_height_mean: float = np.nan
    sliding_before: tuple[float, float] = (np.nan, np.nan)
    sliding: tuple[float, float] = (np.nan, np.nan)
    hyperextension: float = np.nan
    hands: float = np.nan
    time: float = np.nan
    error: str = ""
    limbs: Mapping[str, float] = field(default_factory=dict)

    def missed(self, targets: Targets = TARGETS) -> tuple[str, ...]:
        """Names of the measures that are not below their target."""
        measured = {
            "direction": self.direction,
            "trunk": self.trunk,
            "hip_height": self.hip_height,
            "foot_height": self.foot_height,
            "sliding": self.sliding[0],
            "hyperextension": self.hyperextension,
            "hands": self.hands,
        }
        found = [
            name
            for name, value in measured.items()
            if not value < getattr(targets, name) and not (name == "hands" and np.isnan(value))
        ]
        return ("mapping", *found) if self.wrong or self.mapped < self.joints else tuple(found)


@dataclass(frozen=True)
class Judgement:
    """A row of the table and what a picture of it needs: the rig and its corrected poses."""

    row: Row
    rest: RestRig
    right: Mapping[str, tuple[str, ...]]
    takes: tuple[Posed, ...] = ()


def judge(
    scheme_name: str,
    rest_pose: RestPose,
    motions: Sequence[Motion],
    subject_of: Callable[[RestRig], Subject],
    variation: Variation = USUAL,
) -> Judgement:
    """Put a rig of a scheme through motions; a rig that is refused gives a row with the error."""
    rest = build(scheme_name, rest_pose, variation=variation)
    right = truth(scheme_name, variation)
    try:
        subject = subject_of(rest)
    except ScaleMoGenError as error:
        row = Row(scheme_name, rest_pose, joints=_joint_count(right), error=str(error))
        return Judgement(row, rest, right)
    judged = judge_subject(
        scheme_name,
        rest_pose,
        rest,
        right,
        subject,
        motions,
        rested=rest_turns(scheme_name, rest_pose),
    )
    wrong = wrong_slots(subject.bone_map, accepted(scheme_name, variation))
    return replace(judged, row=replace(judged.row, wrong=wrong))


def judge_subject(
    name: str,
    rest_pose: str,
    rest: RestRig,
    right: Mapping[str, tuple[str, ...]],
    subject: Subject,
    motions: Sequence[Motion],
    *,
    rested: Mapping[str, np.ndarray] | None = None,
    controls: Controls = "FK",
) -> Judgement:
    """Put a mapped rig through motions and measure the bones of ``right`` (slot -> bones).

    ``rested`` as in :func:`.figures.rig_figure`, turns are not measured without; ``controls`` is
    what a control rig is driven by.
    """
    taken = subject.mapping_seconds
    gathered, takes = _Gathered(), []
    for motion in motions:
        source = motion_figure(motion)
        planted = find_contacts(motion).planted
        figures = []
        for options in (PLAIN, CORRECTED):
            posed = subject.posed(motion, replace(options, controls=controls))
            figure = rig_figure(rest, right, posed, rested)
            if rested is None:  # nobody knows how such a rig would be turned in a T-pose
                figure = replace(figure, turns={})
            figures.append(measures.aligned(figure))
        takes.append(posed)
        taken += posed.seconds
        gathered.add(source, figures[0], figures[1], planted, motion.fps)
    row = gathered.row(
        name,
        rest_pose,
        mapped=_joint_count(subject.bone_map.bones),
        joints=_joint_count(right),
        wrong=(),
        time=taken / sum(motion.seconds for motion in motions),
    )
    return Judgement(row, rest, right, tuple(takes))


def own_sliding(motion: Motion) -> tuple[float, float]:
    """How fast a motion's own standing feet slide, cm/s: the mean, and what 95 % are below."""
    figure = motion_figure(motion)
    planted = find_contacts(motion).planted
    return _mean_and_most(measures.sliding(figure, planted, motion.fps, figure.leg))


def _mean_and_most(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return np.nan, np.nan
    return float(values.mean()), float(np.percentile(values, 95))


def wrong_slots(bone_map: BoneMap, right: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Slots that were given a bone which is none of theirs."""
    return tuple(
        slot
        for slot, chain in bone_map.bones.items()
        if not set(chain) <= right.get(slot, frozenset())
    )


def _joint_count(slots: Mapping[str, object]) -> int:
    """Canonical joints with a bone; the spine's bones stand for three."""
    return len(slots) + (2 if "spine" in slots else 0)


class _Gathered:
    """Measures of several motions, before they become one number each."""

    def __init__(self) -> None:
        self.values: dict[str, list[np.ndarray]] = {}

    def add(
        self, source: Figure, plain: Figure, corrected: Figure, planted: np.ndarray, fps: float
    ) -> None:
        for limb, errors in measures.direction_errors(source, plain).items():
            self._put("trunk" if limb == "trunk" else "direction", errors)
            self._put(f"limb {limb}", errors)
        for slot, errors in measures.turn_errors(source, plain).items():
            self._put("turns", errors)
            self._put(f"turn {slot}", errors)
        self._put("hip_height", measures.hip_height_error(source, plain))
        self._put("foot_height", measures.foot_height_error(source, corrected, planted))
        self._put("before", measures.sliding(plain, planted, fps, source.leg))
        self._put("sliding", measures.sliding(corrected, planted, fps, source.leg))
        self._put("hyperextension", measures.hyperextension(source, corrected))
        self._put("hands", measures.hands_error(source, corrected))

    def _put(self, name: str, values: np.ndarray) -> None:
        self.values.setdefault(name, []).append(values)

    def _all(self, name: str) -> np.ndarray:
        return np.concatenate(self.values.get(name, [np.zeros(0)]))

    def _worst(self, name: str) -> float:
        values = self._all(name)
        return float(values.max()) if len(values) else np.nan

    def _mean(self, name: str) -> float:
        values = self._all(name)
        return float(values.mean()) if len(values) else np.nan

    def _speeds(self, name: str) -> tuple[float, float]:
        return _mean_and_most(self._all(name))

    def row(
        self,
        scheme_name: str,
        rest_pose: str,
        mapped: int,
        joints: int,
        wrong: tuple[str, ...],
        time: float,
    ) -> Row:
        limbs = {
            name.removeprefix("limb ").removeprefix("turn "): self._worst(name)
            for name in self.values
            if name.startswith(("limb ", "turn "))
        }
        return Row(
            scheme=scheme_name,
            rest_pose=rest_pose,
            mapped=mapped,
            joints=joints,
            wrong=wrong,
            direction=self._worst("direction"),
            direction_mean=self._mean("direction"),
            trunk=self._worst("trunk"),
            turns=self._worst("turns"),
            hip_height=self._worst("hip_height"),
            foot_height=self._worst("foot_height"),
            foot_height_mean=self._mean("foot_height"),
            sliding_before=self._speeds("before"),
            sliding=self._speeds("sliding"),
            hyperextension=self._worst("hyperextension"),
            hands=self._worst("hands"),
            time=time,
            limbs=limbs,
        )

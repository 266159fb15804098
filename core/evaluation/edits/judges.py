"""Geometric judges: one number per motion and range that says whether a prompt was followed.

Every judge has a measure (larger is more so) and the least value that counts as success.  They
look at joints only; heights and lengths are metres on the canonical skeleton, whose arm is 0.52 m
and whose legs are 0.83 m long, so one number suits every source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .view import STANDING, View

_ARM = 0.52


@dataclass(frozen=True)
class Judge:
    """``measure`` of the range has to be ``least`` or more; ``says`` what it is, in words."""

    name: str
    says: str
    measure: Callable[[View], float]
    least: float

    def passes(self, view: View) -> bool:
        """Whether the frames of the view do what is asked."""
        return self.measure(view) >= self.least

    def best(self, view: View, frames: int, step: int = 2) -> float:
        """The best value over all ranges of so many frames: nobody knows when it happens."""
        count = view.motion.frame_count
        starts = range(0, max(1, count - frames + 1), step)
        return max(self.measure(view.part(s, min(s + frames, count) - 1)) for s in starts)


# --- arms ----------------------------------------------------------------------------------------


def hand_above_shoulder(side: str) -> Judge:
    """One hand is up for a good part of the range."""

    def measure(view: View) -> float:
        return _share(view.of(f"{side}_wrist", f"{side}_shoulder")[:, 1] > 0.0)

    says = f"share of frames with the {side} wrist above its shoulder"
    return Judge(f"{side} hand up", says, measure, 0.3)


def both_hands_above_shoulders() -> Judge:
    """Both hands are up at once."""

    def measure(view: View) -> float:
        return _share(_up(view, "left") & _up(view, "right"))

    return Judge("hands up", "share of frames with both wrists above the shoulders", measure, 0.3)


def waves(side: str) -> Judge:
    """A raised hand goes to and fro; a bent arm that swings does so less."""

    def measure(view: View) -> float:
        hand = view.of(f"{side}_wrist", f"{side}_elbow")
        raised = hand[:, 1] > 0.05
        return float(max(_swings(hand[raised, axis], 0.05) for axis in (0, 2)))

    says = f"swings of 5 cm or more of the {side} wrist about its elbow while it is 5 cm above it"
    return Judge(f"{side} wave", says, measure, 3.0)


def punches(side: str) -> Judge:
    """An arm shoots out at the height of the shoulder."""

    def measure(view: View) -> float:
        reach = view.of(f"{side}_wrist", f"{side}_shoulder")
        level = np.abs(reach[:, 1]) < 0.25
        return _greatest(np.where(level, np.hypot(reach[:, 0], reach[:, 2]), 0.0))

    says = f"furthest level reach of the {side} wrist from its shoulder (m)"
    return Judge(f"{side} punch", says, measure, 0.36)


def points(side: str) -> Judge:
    """An arm is held out in front."""

    def measure(view: View) -> float:
        reach = view.of(f"{side}_wrist", f"{side}_shoulder")
        return _share((reach[:, 2] > 0.28) & (reach[:, 1] > -0.35))

    says = f"share of frames with the {side} wrist 28 cm or more in front of its shoulder, not low"
    return Judge(f"{side} arm points", says, measure, 0.2)


def hand_at_head(side: str) -> Judge:
    """A hand is held to head or mouth."""

    def measure(view: View) -> float:
        away = np.linalg.norm(view.of(f"{side}_wrist", "head") - [0.0, 0.07, 0.0], axis=-1)
        return _share(away < 0.27)

    says = f"share of frames with the {side} wrist within 27 cm of the middle of the head"
    return Judge(f"{side} hand at the head", says, measure, 0.25)


def claps() -> Judge:
    """The hands meet again and again."""

    def measure(view: View) -> float:
        apart = np.linalg.norm(view.of("left_wrist", "right_wrist"), axis=-1)
        ahead = np.minimum(view.of("left_wrist")[:, 2], view.of("right_wrist")[:, 2])
        near = np.where(ahead > 0.1, apart, 1.0)
        return float(_dips(near, 0.25, 0.03))

    says = "times that the wrists come within 25 cm of each other in front of the body"
    return Judge("claps", says, measure, 2.0)


def hands_on_hips() -> Judge:
    """Both hands rest at the waist."""

    def measure(view: View) -> float:
        good = np.ones(len(view.heading), dtype=bool)
        for side, out in (("left", 1.0), ("right", -1.0)):
            shoulder = view.of(f"{side}_wrist", f"{side}_shoulder")
            bent = np.linalg.norm(shoulder, axis=-1) < 0.85 * _ARM
            low = np.linalg.norm(view.of(f"{side}_wrist") - [out * 0.16, 0.08, 0.0], axis=-1) < 0.22
            good &= bent & low & (out * view.of(f"{side}_elbow", f"{side}_wrist")[:, 0] > 0.05)
        return _share(good)

    says = "share of frames with bent arms, both wrists within 22 cm of the waist, elbows out"
    return Judge("hands on hips", says, measure, 0.3)


def t_pose() -> Judge:
    """Both arms are held out to the sides."""

    def measure(view: View) -> float:
        good = np.ones(len(view.heading), dtype=bool)
        for side, out in (("left", 1.0), ("right", -1.0)):
            reach = view.of(f"{side}_wrist", f"{side}_shoulder")
            good &= (out * reach[:, 0] > 0.38) & (np.abs(reach[:, 1]) < 0.2)
        return _share(good)

    says = "share of frames with both wrists 38 cm or more to the side, near shoulder height"
    return Judge("arms spread", says, measure, 0.25)


def reaches_down(side: str) -> Judge:
    """A hand goes down to the floor."""

    def measure(view: View) -> float:
        return STANDING - float(view.height(f"{side}_wrist").min())

    return Judge("reaches down", f"lowest {side} wrist under hip height (m)", measure, 0.5)


# --- head and trunk ------------------------------------------------------------------------------


def looks_left() -> Judge:
    """The head turns, the chest does not go with it."""

    def measure(view: View) -> float:
        look, chest = view.forward("head"), view.forward("spine3")
        turned = np.arctan2(look[:, 0], look[:, 2]) - np.arctan2(chest[:, 0], chest[:, 2])
        return _greatest(np.degrees(turned))

    return Judge("looks left", "how far the head turns left of the chest (degrees)", measure, 25.0)


def nods() -> Judge:
    """The head goes up and down."""

    def measure(view: View) -> float:
        look = view.forward("head")
        return float(_swings(np.degrees(np.arcsin(np.clip(look[:, 1], -1, 1))), 8.0))

    return Judge("nods", "swings of the head up or down by 8 degrees or more", measure, 3.0)


def bows() -> Judge:
    """The trunk bends forward."""

    def measure(view: View) -> float:
        trunk = view.of("neck")
        return _greatest(np.degrees(np.arctan2(trunk[:, 2], trunk[:, 1])))

    return Judge("bows", "how far the trunk leans forward (degrees)", measure, 35.0)


# --- legs and the whole body ---------------------------------------------------------------------


def kicks(*sides: str) -> Judge:
    """A foot is high in front of the body."""

    def measure(view: View) -> float:
        best = 0.0
        for side in sides:
            ahead = view.of(f"{side}_ankle")[:, 2] > 0.2
            best = max(best, float(np.max(np.where(ahead, view.height(f"{side}_ankle"), 0.0))))
        return best

    who = " or ".join(sides)
    says = f"greatest height of the {who} ankle while it is 20 cm or more in front of the hips (m)"
    return Judge("kicks", says, measure, 0.4)


def knee_up(side: str) -> Judge:
    """A knee is lifted."""

    def measure(view: View) -> float:
        return _greatest(view.of(f"{side}_knee", f"{side}_hip")[:, 1])

    says = f"height of the {side} knee from its hip (m; -0.41 is a straight leg)"
    return Judge(f"{side} knee up", says, measure, -0.15)


def lower_hips(least: float, name: str) -> Judge:
    """The hips go down for a moment."""

    def measure(view: View) -> float:
        return STANDING - float(np.sort(view.height("pelvis"))[: _few(view)].mean())

    return Judge(name, "how far the hips go down (m)", measure, least)


def ends_low(least: float = 0.25) -> Judge:
    """The hips are down when the range ends."""

    def measure(view: View) -> float:
        height = view.height("pelvis")
        return STANDING - float(height[-max(1, len(height) // 4) :].mean())

    says = "how far down the hips are over the last quarter of the range (m)"
    return Judge("sits at the end", says, measure, least)


def goes_low() -> Judge:
    """The hips stay low."""

    def measure(view: View) -> float:
        height = view.height("pelvis")
        quarter = len(height) // 4
        return STANDING - float(height[quarter : len(height) - quarter].mean())

    says = "how far down the hips are over the middle half of the range (m)"
    return Judge("crouches", says, measure, 0.15)


def jumps() -> Judge:
    """Both feet leave the floor."""

    def measure(view: View) -> float:
        return _greatest(np.minimum(view.height("left_foot"), view.height("right_foot")))

    return Judge("jumps", "height of the lower toe joint (m; it rests at 0.02)", measure, 0.15)


def turns(degrees: float = 120.0) -> Judge:
    """The whole body faces another way."""

    def measure(view: View) -> float:
        return float(np.degrees(np.abs(view.heading - view.heading[0]).max()))

    return Judge("turns around", "how far the body turns from where it faced (degrees)", measure,
                 degrees)  # fmt: skip


def steps_aside(sign: float) -> Judge:
    """The hips move to the side (+1 left, -1 right)."""

    def measure(view: View) -> float:
        return float((sign * view.path()[:, 0]).max())

    side = "left" if sign > 0 else "right"
    return Judge(f"steps {side}", f"way of the hips to the {side} (m)", measure, 0.25)


def marches() -> Judge:
    """Both knees are lifted in turn."""

    def measure(view: View) -> float:
        lifts = []
        for side in ("left", "right"):
            knee = view.of(f"{side}_knee", f"{side}_hip")[:, 1]
            lifts.append(_dips(-knee, 0.33, 0.05))
        return float(min(lifts))

    says = "lifts of either knee to 33 cm below the hips or higher, of the leg that has fewer"
    return Judge("marches", says, measure, 1.0)


def stands_still() -> Judge:
    """The hips rest for a third of a second."""

    def measure(view: View) -> float:
        speed = np.linalg.norm(np.diff(view.path(), axis=0), axis=-1) * view.fps
        return -_slowest(speed, view)

    says = "slowest third of a second of the hips over the floor (m/s, negative)"
    return Judge("stops", says, measure, -0.2)


def lies() -> Judge:
    """The body lies."""
    return lower_hips(0.6, "lies down")


def runs() -> Judge:
    """The hips are faster than in a walk."""

    def measure(view: View) -> float:
        speed = np.linalg.norm(np.diff(view.path(), axis=0), axis=-1) * view.fps
        return float(np.sort(speed)[-max(1, len(speed) // 3) :].mean())

    return Judge("runs", "speed of the hips over the floor, fastest third (m/s)", measure, 1.9)


# --- what goes on around it ----------------------------------------------------------------------


def travels(least: float) -> Judge:
    """Goes on through the world."""

    def measure(view: View) -> float:
        steps = np.linalg.norm(np.diff(view.path(), axis=0), axis=-1)
        return float(steps.sum() / max(len(steps), 1) * view.fps)

    return Judge("travels", "mean speed of the hips over the floor (m/s)", measure, least)


def stays() -> Judge:
    """Stays about where it was."""

    def measure(view: View) -> float:
        return -float(np.linalg.norm(view.path(), axis=-1).max())

    return Judge("stays", "way of the hips over the floor (m, negative)", measure, -0.6)


# --- parts ---------------------------------------------------------------------------------------


def _up(view: View, side: str) -> np.ndarray:
    return view.of(f"{side}_wrist", f"{side}_shoulder")[:, 1] > 0.0


def _share(good: np.ndarray) -> float:
    return float(good.mean())


def _few(view: View) -> int:
    """A tenth of a second of frames: what a single wild frame does is not success."""
    return max(1, round(0.1 * view.fps))


def _greatest(values: np.ndarray) -> float:
    """Mean of the three largest values: what a single wild frame does is not success."""
    return float(np.sort(values)[-3:].mean())


def _slowest(speed: np.ndarray, view: View) -> float:
    count = min(len(speed), max(1, round(view.fps / 3)))
    return float(np.convolve(speed, np.ones(count) / count, "valid").min())


def _swings(values: np.ndarray, least: float) -> int:
    """Moves by ``least`` or more from one extreme to the next, up and down counted alike."""
    if not len(values):
        return 0
    count, direction = 0, 0  # up is 1, down is -1
    low = high = float(values[0])
    for value in map(float, values):
        # An extreme is only looked for on the way to it.
        high = max(high, value) if direction >= 0 else high
        low = min(low, value) if direction <= 0 else low
        if direction <= 0 and value - low >= least:
            count, direction, high = count + 1, 1, value
        elif direction >= 0 and high - value >= least:
            count, direction, low = count + 1, -1, value
    return count


def _dips(values: np.ndarray, below: float, depth: float) -> int:
    """Times that values come below a bound; in between they have to rise ``depth`` above it."""
    count, down = 0, False
    for value in map(float, values):
        if not down and value < below:
            count, down = count + 1, True
        elif down and value > below + depth:
            down = False
    return count

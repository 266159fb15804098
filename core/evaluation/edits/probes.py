"""The probes: what is edited, where, with which words, and how the result is judged."""

from __future__ import annotations

from dataclasses import dataclass

from ...editing.edit import Edit, Later, joints_of
from ...motion import Motion
from ...skeleton import BODY_PARTS
from . import judges
from .judges import Judge
from .sources import SOURCES, Source

_ARMS = ("left_arm", "right_arm")
_LEGS = ("root", "left_leg", "right_leg")


@dataclass(frozen=True)
class Probe:
    """An edit of ``source`` (a name in SOURCES) and its judge.

    start, end: seconds; an end of None is the motion's own, and a negative start counts from it.
    extend: seconds beyond the motion's end that are edited instead.
    prompt: what happens in the range; sentence: what the whole clip shows then, for a motion that
    is generated from scratch.
    fps: the frame rate at which the motion is edited.
    """

    name: str
    source: str
    start: float
    end: float | None
    parts: tuple[str, ...]
    prompt: str
    sentence: str
    judge: Judge
    later: Later = "PATH"
    fps: float = 30.0
    extend: float = 0.0

    @property
    def of(self) -> Source:
        """What is edited."""
        return SOURCES[self.source]

    @property
    def kind(self) -> str:
        """How much of the body is edited, for the table."""
        if len(self.parts) == len(BODY_PARTS):
            return "whole body"
        return "single part" if len(self.parts) == 1 else "several parts"

    def range_of(self, motion: Motion) -> tuple[int, int]:
        """First and last frame of the range in a motion."""
        count, fps = motion.frame_count, motion.fps
        if self.extend:
            return count, count + round(self.extend * fps) - 1
        first = round(self.start * fps)
        first = first + count if first < 0 else first
        last = count - 1 if self.end is None else round(self.end * fps) - 1
        return first, min(last, count - 1)

    def edit_of(self, motion: Motion, keep: float = 0.0, prompt: str | None = None) -> Edit:
        """The edit of a motion, with another prompt or more of what was there if asked."""
        first, last = self.range_of(motion)
        return Edit(
            joints_of(self.parts),
            first,
            last,
            prompt=self.prompt if prompt is None else prompt,
            keep=keep,
            later=self.later,
        )


def _one_limb() -> list[Probe]:
    left, right, head = ("left_arm",), ("right_arm",), ("head",)
    return [
        Probe("raise left arm, walking", "walk", 1.5, 3.5, left,
              "a person raises the left hand",
              "a person walks forward and raises the left hand",
              judges.hand_above_shoulder("left")),
        Probe("raise right arm, 0.7 s", "stand", 2.0, 2.7, right,
              "a person raises the right hand",
              "a person stands and raises the right hand",
              judges.hand_above_shoulder("right")),
        Probe("raise left arm, 4 s", "circle", 1.0, 5.0, left,
              "a person raises the left hand",
              "a person walks in a circle and raises the left hand",
              judges.hand_above_shoulder("left")),
        Probe("wave, jogging", "jog", 1.0, 3.5, right,
              "a person waves with the right hand",
              "a person jogs forward and waves with the right hand",
              judges.waves("right"), fps=24.0),
        Probe("wave, standing", "stand", 1.5, 4.0, left,
              "a person waves with the left hand",
              "a person stands and waves with the left hand",
              judges.waves("left")),
        Probe("jab, 0.7 s", "stand", 2.0, 2.7, right,
              "a person jabs with the right fist",
              "a person stands and jabs with the right fist",
              judges.punches("right")),
        Probe("point, walking", "walk", 2.0, 4.0, right,
              "a person points forward with the right hand",
              "a person walks forward and points forward with the right hand",
              judges.points("right"), fps=60.0),
        Probe("scratch head", "stand", 1.5, 4.0, left,
              "a person scratches the head with the left hand",
              "a person stands and scratches the head with the left hand",
              judges.hand_at_head("left")),
        Probe("salute, walking", "walk", 1.5, 3.5, right,
              "a person salutes with the right hand",
              "a person walks forward and salutes with the right hand",
              judges.hand_at_head("right")),
        Probe("drink, standing", "stand", 1.0, 4.5, right,
              "a person drinks from a bottle",
              "a person stands and drinks from a bottle",
              judges.hand_at_head("right")),
        Probe("look left, walking", "walk", 2.0, 3.5, head,
              "a person looks to the left",
              "a person walks forward and looks to the left",
              judges.looks_left()),
        Probe("nod", "stand", 2.0, 4.0, head,
              "a person nods", "a person stands and nods",
              judges.nods()),
        Probe("kick with one leg, standing", "stand", 2.0, 3.5, ("left_leg",),
              "a person kicks forward with the left foot",
              "a person stands and kicks forward with the left foot",
              judges.kicks("left")),
    ]  # fmt: skip


def _several_parts() -> list[Probe]:
    return [
        Probe("raise both arms, walking", "walk", 1.5, 4.0, _ARMS,
              "a person raises both hands",
              "a person walks forward and raises both hands",
              judges.both_hands_above_shoulders()),
        Probe("clap, walking", "walk", 1.5, 4.0, _ARMS,
              "a person claps the hands",
              "a person walks forward and claps the hands",
              judges.claps()),
        Probe("hands on hips", "stand", 1.5, 4.5, _ARMS,
              "a person stands with the hands on the hips",
              "a person stands with the hands on the hips",
              judges.hands_on_hips()),
        Probe("arms outstretched", "stand", 1.5, 4.0, _ARMS,
              "a person balances with outstretched arms",
              "a person stands and balances with outstretched arms",
              judges.t_pose()),
        Probe("bow, upper body", "stand", 1.5, 3.5, ("spine", *_ARMS, "head"),
              "a person bows", "a person stands and bows",
              judges.bows()),
        Probe("squat, lower body", "stand", 1.5, 4.0, (*_LEGS, "spine"),
              "a person does a squat", "a person stands and does a squat",
              judges.lower_hips(0.25, "squats")),
        Probe("kick in the middle of a walk", "walk", 2.0, 3.5, (*_LEGS, "spine"),
              "a person kicks forward with the left foot",
              "a person walks forward and kicks forward with the left foot",
              judges.kicks("left"), later="OFFSET"),
        Probe("elbow to knee", "stand", 1.5, 3.5, (*_LEGS, "spine", "left_arm"),
              "a person touches the left elbow to the right knee",
              "a person stands and touches the left elbow to the right knee",
              judges.knee_up("right")),
    ]  # fmt: skip


def _whole_body() -> list[Probe]:
    body = BODY_PARTS
    return [
        Probe("sit at the end", "walk", -2.5, None, body,
              "a person sits down", "a person walks forward and sits down",
              judges.ends_low()),
        Probe("bow at the end", "walk", -2.0, None, body,
              "a person bows", "a person walks forward and bows",
              judges.bows()),
        Probe("lie down at the end", "stand", -3.5, None, body,
              "a person lies down on the floor",
              "a person stands and lies down on the floor",
              judges.lies()),
        Probe("turn around", "walk", 1.5, 4.0, body,
              "a person walks forward and turns around to the left",
              "a person walks forward and turns around to the left",
              judges.turns(), later="OFFSET"),
        Probe("jump, walking", "walk", 2.0, 3.5, body,
              "a person jumps forward", "a person walks forward and jumps",
              judges.jumps(), later="OFFSET"),
        Probe("jump, standing", "stand", 2.0, 4.0, body,
              "a person jumps", "a person stands and jumps",
              judges.jumps()),
        Probe("crouch, walking, 4 s", "circle", 1.0, 5.0, body,
              "a person crouches and walks forward",
              "a person walks in a circle and crouches",
              judges.goes_low(), later="OFFSET"),
        Probe("march in place", "stand", 1.5, 4.5, body,
              "a person steps in place", "a person stands and steps in place",
              judges.marches()),
        Probe("step sideways", "stand", 1.5, 3.5, body,
              "a person takes a step sideways to the left",
              "a person stands and takes a step sideways to the left",
              judges.steps_aside(1.0), later="OFFSET"),
        Probe("run in the middle of a walk", "walk", 1.5, 4.0, body,
              "a person runs forward", "a person walks forward and runs",
              judges.runs(), later="OFFSET"),
        Probe("stop", "jog", 2.0, 4.5, body,
              "a person stands still", "a person jogs forward and stops",
              judges.stands_still(), later="OFFSET"),
        Probe("pick up", "walk", 1.5, 4.5, body,
              "a person picks something up from the floor",
              "a person walks forward and picks something up from the floor",
              judges.reaches_down("right"), later="OFFSET"),
        Probe("kick at the start", "stand", 0.0, 1.5, body,
              "a person kicks forward with the left foot",
              "a person kicks forward with the left foot and stands",
              judges.kicks("left")),
        Probe("jump past the end", "walk", 0.0, None, body,
              "a person jumps", "a person walks forward and jumps",
              judges.jumps(), extend=2.0),
    ]  # fmt: skip


PROBES: tuple[Probe, ...] = (*_one_limb(), *_several_parts(), *_whole_body())

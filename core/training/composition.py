"""Two clips made into one: the arms of one on the walk of another, or one after the other.

The data hold many gestures and many gaits, but few sentences that ask for both.  The joined clip
carries the joined sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..features.heading import heading_angles, yaw_quaternion
from ..motion import Motion
from ..rotations import quaternion_multiply, quaternion_rotate, slerp
from .corpus import Clip

ARMS = {
    side: tuple(f"{side}_{joint}" for joint in ("collar", "shoulder", "elbow", "wrist"))
    for side in ("left", "right")
}
#: m/s: a root faster than this walks; one slower than that stands.
WALKING_SPEED, STANDING_SPEED = 0.5, 0.12
#: m: a wrist that covers more than this about its mean place, seen from the chest, gestures.
GESTURE_SIZE = 0.09
#: m: mean distance of the joints (root and heading taken out) over which a seam still looks alive.
SEAM_DISTANCE = 0.3
BLEND_FRAMES = 8

_SUBJECT = re.compile(r"^(?:a person|someone|somebody|the person) (?=[a-z]+s\b|is )")
_GERUND = re.compile(r"^[a-z]+ing\b")
_GAIT = re.compile(r"\b(?:walk|run|jog|sneak|stroll|strid|strut|march|pac(?:e|ing)|step)")
#: Said of a walk these would be wrong; and of a gait with a task for the arms there is no room.
_STANDS = re.compile(r"\b(?:stand|idl|still|in place|on the spot)")
_BUSY = re.compile(r"\b(?:sword|kick|ball|shoot|attack|jump|punch|dribbl|carr|push|pull|climb)")


@dataclass(frozen=True)
class Pairing:
    """Which clips to join: ``sequences`` and ``layered`` are how many of each are made."""

    sequences: int
    layered: int
    longest_seconds: float = 10.0


def compose(
    clips: Sequence[Clip], weights: np.ndarray, pairing: Pairing, random: np.random.Generator
) -> tuple[list[Clip], list[Clip]]:
    """(clips in sequence, gestures laid over gaits), drawn in proportion to ``weights`` [n]."""
    says = np.array(
        [bool(verb_phrases(clip)) and clip.row.get("scope") != "trial" for clip in clips]
    )
    chance = weights * says
    if not (chance > 0).any():
        return [], []
    sequences = _sequences(clips, chance, pairing, random)
    walks = chance * [_plain_gait(clip) and walks_upright(clip.motion) for clip in clips]
    arms = [gesturing_arms(clip.motion) for clip in clips]
    gestures = chance * [bool(a) for a in arms]
    layered: list[Clip] = []
    if (walks > 0).any() and (gestures > 0).any():
        for _ in range(pairing.layered):
            below = clips[random.choice(len(clips), p=walks / walks.sum())]
            index = random.choice(len(clips), p=gestures / gestures.sum())
            above = clips[index]
            motion = layer_arms(below.motion, above.motion, arms[index], random)
            layered.append(_joined(below, above, motion, _together(below, above, random)))
    return sequences, layered


# --- sentences -----------------------------------------------------------------------------------


def verb_phrases(clip: Clip) -> list[str]:
    """What the clip's sentences say of "a person", without the subject: "walks forward"."""
    sentences = (*clip.captions, *clip.paraphrases)
    return [s[match.end() :] for s in sentences if (match := _SUBJECT.match(s))]


def _plain_gait(clip: Clip) -> bool:
    return all(_GAIT.search(s) and not _BUSY.search(s) for s in clip.captions)


def _on_the_move(phrases: Sequence[str]) -> list[str]:
    """Those that can be said of someone who walks; all when there is none."""
    return [p for p in phrases if not _STANDS.search(p)] or list(phrases)


def _pick(options: Sequence[str], random: np.random.Generator) -> str:
    return options[int(random.integers(len(options)))]


def _in_sequence(first: Clip, second: Clip, random: np.random.Generator) -> tuple[str, ...]:
    """Four sentences that tell of both, one after the other."""
    forms = (
        "a person {}, then {}",
        "a person {} and then {}",
        "a person {}, and after that {}",
        "a person {} and {}",
        "someone {}, and afterwards the person {}",
    )
    return tuple(
        forms[form].format(_pick(verb_phrases(first), random), _pick(verb_phrases(second), random))
        for form in random.permutation(len(forms))[:4]
    )


def _together(below: Clip, above: Clip, random: np.random.Generator) -> tuple[str, ...]:
    """Four sentences that tell of both at the same time."""
    gerunds = _on_the_move([s for s in above.paraphrases if _GERUND.match(s)])
    phrases = _on_the_move(verb_phrases(above))
    made = []
    for turn in range(4):
        a, b = _pick(verb_phrases(below), random), _pick(phrases, random)
        if gerunds and turn % 2 == 0:
            made.append(f"a person {a} while {_pick(gerunds, random)}")
        elif turn == 1:
            made.append(f"a person {a} and {b}")
        elif turn == 2:
            made.append(f"a person {a} and at the same time {b}")
        else:
            made.append(f"someone {b} and {a}")
    return tuple(made)


def _joined(first: Clip, second: Clip, motion: Motion, captions: tuple[str, ...]) -> Clip:
    row = {**first.row, "label": "", "scope": "clip"}
    return Clip(f"{first.clip_id}+{second.clip_id}", motion, captions, (), row)


# --- one after the other -------------------------------------------------------------------------


def _sequences(
    clips: Sequence[Clip], chance: np.ndarray, pairing: Pairing, random: np.random.Generator
) -> list[Clip]:
    """Pairs whose poses at the seam are near enough, together within the longest clip."""
    starts = np.stack([_pose(clip.motion, 0) for clip in clips])
    seconds = np.array([clip.motion.seconds for clip in clips])
    made: list[Clip] = []
    for _ in range(4 * pairing.sequences):
        if len(made) == pairing.sequences:
            break
        first = clips[random.choice(len(clips), p=chance / chance.sum())]
        if first.motion.seconds > 0.6 * pairing.longest_seconds:
            keep = int(random.uniform(1.5, 4.0) * first.motion.fps)
            first = replace(first, motion=first.motion.at_frames(slice(0, keep)))
        near = np.linalg.norm(starts - _pose(first.motion, -1), axis=-1).mean(-1) < SEAM_DISTANCE
        fits = seconds + first.motion.seconds + 0.5 < pairing.longest_seconds
        odds = chance * near * fits
        if not (odds > 0).any():
            continue
        second = clips[random.choice(len(clips), p=odds / odds.sum())]
        motion = one_after_other(first.motion, second.motion)
        made.append(_joined(first, second, motion, _in_sequence(first, second, random)))
    return made


def _pose(motion: Motion, frame: int) -> np.ndarray:
    """Joint positions [J, 3] of a frame in its heading frame, the root's x and z taken out."""
    window = motion.at_frames(slice(0, 6) if frame == 0 else slice(-6, None))
    positions = window.positions()
    turn = yaw_quaternion(heading_angles(positions, motion.skeleton, 1.0)[frame])
    pose: np.ndarray = positions[frame] - window.root_positions[frame] * [1.0, 0.0, 1.0]
    return quaternion_rotate(turn, pose)


def one_after_other(first: Motion, second: Motion) -> Motion:
    """``second`` turned and moved to go on from the end of ``first``, over a blended seam."""
    fps = first.fps
    turn = _heading(second, 0) - _heading(first, -1)
    rotation = yaw_quaternion(np.array(turn))
    rotations = second.rotations.copy()
    rotations[:, 0] = quaternion_multiply(rotation, rotations[:, 0])
    roots = quaternion_rotate(
        rotation, second.root_positions - second.root_positions[0] * [1, 0, 1]
    )
    distance = np.linalg.norm(_pose(first, -1) - _pose(second, 0), axis=-1).mean()
    seam = int(np.clip(round((0.15 + 1.2 * distance) * fps), 5, 16))
    t = (np.arange(1, seam + 1) / (seam + 1))[:, None]
    eased = t * t * (3 - 2 * t)
    # The root goes on at the mean of the speeds before and after the seam.
    steps = np.stack(
        [np.diff(first.root_positions[-4:], axis=0).mean(0), np.diff(roots[:4], axis=0).mean(0)]
    )
    travel = steps.mean(0) * [1.0, 0.0, 1.0] * (seam + 1)
    last = first.root_positions[-1]
    roots = roots + last * [1.0, 0.0, 1.0] + travel
    bridge_roots = last * (1 - t) + roots[0] * t
    bridge = slerp(
        np.repeat(first.rotations[-1:], seam, 0), np.repeat(rotations[:1], seam, 0), eased
    )
    return Motion(
        first.skeleton,
        np.concatenate([first.rotations, bridge, rotations]),
        np.concatenate([first.root_positions, bridge_roots, roots]),
        fps,
    )


def _heading(motion: Motion, frame: int) -> float:
    return float(heading_angles(motion.positions(), motion.skeleton, 2.0)[frame])


# --- at the same time ----------------------------------------------------------------------------


def walks_upright(motion: Motion) -> bool:
    """Whether the root covers ground all along, at standing height."""
    steps = np.diff(motion.root_positions[:, [0, 2]], axis=0)
    speed = np.linalg.norm(steps, axis=-1) * motion.fps
    height = motion.root_positions[:, 1]
    return bool(speed.mean() > WALKING_SPEED and height.min() > 0.7 and np.ptp(height) < 0.25)


def gesturing_arms(motion: Motion) -> tuple[str, ...]:
    """The sides whose hand moves about while root and feet stay where they are; none otherwise."""
    skeleton, positions = motion.skeleton, motion.positions()
    low = positions[:, [skeleton.index(name) for name in ("pelvis", "left_ankle", "right_ankle")]]
    speed = np.linalg.norm(np.diff(low, axis=0), axis=-1) * motion.fps
    if speed.mean() > STANDING_SPEED or motion.root_positions[:, 1].min() < 0.75:
        return ()
    globals_ = motion.global_rotations()[:, skeleton.index("spine3")]
    inverse = globals_ * [1.0, -1.0, -1.0, -1.0]
    upright = quaternion_rotate(globals_, np.array([0.0, 1.0, 0.0]))
    if np.linalg.norm(upright - upright.mean(0), axis=-1).max() > 0.25:
        return ()  # a bow is more than its arms
    sides = []
    for side in ARMS:
        wrist = positions[:, skeleton.index(f"{side}_wrist")]
        seen = quaternion_rotate(inverse, wrist - positions[:, skeleton.index("spine3")])
        if np.linalg.norm(seen - seen.mean(0), axis=-1).mean() > GESTURE_SIZE:
            sides.append(side)
    return tuple(sides)


def layer_arms(
    below: Motion, above: Motion, sides: Sequence[str], random: np.random.Generator
) -> Motion:
    """``below`` with the arms of ``above`` laid over it from its start or somewhat later."""
    frames = below.frame_count
    start = 0
    if above.frame_count < frames:
        start = int(random.integers(frames - above.frame_count + 1))
    end = min(frames, start + above.frame_count)
    ramp_in = np.ones(frames) if start == 0 else _ramp(np.arange(frames) - start)
    ramp_out = np.ones(frames) if end == frames else _ramp(end - 1 - np.arange(frames))
    weight = np.minimum(ramp_in, ramp_out)
    source = np.clip(np.arange(frames) - start, 0, above.frame_count - 1)
    joints = [below.skeleton.index(name) for side in sides for name in ARMS[side]]
    rotations = below.rotations.copy()
    for joint in joints:
        rotations[:, joint] = slerp(rotations[:, joint], above.rotations[source, joint], weight)
    return replace(below, rotations=rotations, contacts=None)


def _ramp(frames: np.ndarray) -> np.ndarray:
    """0 below, 1 from BLEND_FRAMES on, smooth between."""
    t = np.clip(frames / BLEND_FRAMES, 0.0, 1.0)
    return t * t * (3 - 2 * t)

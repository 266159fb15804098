"""What the model made goes into the source: the asked joints in the asked frames, and nothing else.

What is outside stays to the bit; numpy only.
"""

from dataclasses import replace

import numpy as np

from ..cleanup import clean_up, find_contacts, legs_of, within_limits, without_jitter
from ..errors import ScaleMoGenError
from ..motion import Motion
from .alignment import (
    extended,
    floor_difference,
    half_turns,
    heading,
    held_until,
    turned_and_moved,
)
from .body_borders import under_parents
from .borders import (
    blend_frames,
    path_through,
    rotations_through,
    usual_path_jumps,
    usual_turn_jumps,
)
from .edit import Edit, Edited, Offset, Report
from .legs import Stretch, kept, locked
from .roots import followed

#: Looked at beyond either border: two frames tell place and speed.
_BESIDE = 2
#: Jumps of velocity that look like none, however still a motion is otherwise: rad/s, m/s.
_TURN_JUMP, _PATH_JUMP = 0.5, 0.1
#: Joints that carry nothing further away than this (m) may turn as if they did.
_LEAST_LEVER = 0.1


def compose(
    source: Motion, made: Motion, at: int, edit: Edit, report: Report, cleanup: bool = True
) -> Edited:
    """The source with the edit's joints and frames taken from what was made.

    made: at the source's frame rate, on its skeleton, with its floor at height zero; its frame 0 is
    the source's frame ``at``, and it covers the range.  It may stand and face anywhere, go on
    beyond the source's end, and should show some frames around the range.
    report: comes back with the joints that follow so that standing feet stay.
    cleanup: jitter, joint limits and sliding feet are seen to, inside the range only.

    Joints whose parents are not edited keep the direction that they were given in the world, seen
    in the body's heading.  ScaleMoGenError where the edit's range is beyond the source; ValueError
    where ``made`` does not cover it.
    """
    _check(source, made, at, edit)
    total = max(source.frame_count, edit.last + 1)
    borders = (edit.first > 0, edit.last < source.frame_count - 1)
    low = max(0, min(at, edit.first - _BESIDE))
    high = min(total - 1, max(at + made.frame_count - 1, edit.last + _BESIDE))
    made = made.at_frames(slice(max(0, low - at), max(0, high + 1 - at)))
    at = max(at, low)
    edits_root = "pelvis" in edit.joints
    made, planted = _cleaned(made, edits_root, cleanup)
    before, after = at - low, high + 1 - at - made.frame_count
    made = extended(made, before, after)
    planted = np.pad(planted, ((before, after), (0, 0)), mode="edge")

    whole = held_until(source, total)
    old = whole.at_frames(slice(low, high + 1))
    first, last = edit.first - low, edit.last - low
    frames = np.arange(old.frame_count)
    inside = (frames >= first) & (frames <= last)
    seen = (frames >= before) & (frames < old.frame_count - after)
    outside = ~inside & seen & (frames + low < source.frame_count)
    floor = floor_difference(old, made, outside)
    made = turned_and_moved(made, 0.0, np.array([0.0, floor, 0.0]))

    offset = Offset()
    if edits_root:
        path = followed(old, made, first, last, borders, edit.later)
        made, turns, offset = path.made, path.turns, path.offset
        if edit.later == "OFFSET" and borders[1]:
            whole = _carried_on(whole, edit.last + 1, offset)
            old = whole.at_frames(slice(low, high + 1))
    else:
        turns = half_turns(heading(old) - heading(made))
        turns = np.unwrap(turns)
    new = under_parents(old, made, turns, edit)
    put = replace(new, contacts=None)
    new = replace(_through_borders(source, old, put, first, last, edit, borders), contacts=None)
    new, adjusted = _on_feet(old, put, new, inside, planted, floor, edit, cleanup)
    motion = _written(source, whole, new, low, edit, adjusted, planted)
    return Edited(motion, replace(report, adjusted=adjusted), offset)


def _check(source: Motion, made: Motion, at: int, edit: Edit) -> None:
    if edit.first > source.frame_count:
        raise ScaleMoGenError(
            f"The range begins at frame {edit.first}, but the motion has only "
            f"{source.frame_count} frames; begin at its end or before."
        )
    if not source.frame_count:
        raise ScaleMoGenError("The motion has no frames; there is nothing to edit.")
    if at > edit.first or at + made.frame_count <= edit.last:
        raise ValueError(
            f"frames {at} to {at + made.frame_count - 1} were made, which do not cover "
            f"{edit.first} to {edit.last}"
        )
    if made.fps != source.fps:
        raise ValueError(f"made at {made.fps:g} frames a second, the source has {source.fps:g}")


def _cleaned(made: Motion, edits_root: bool, cleanup: bool) -> tuple[Motion, np.ndarray]:
    """What was made, cleaned up on its own, and which of its feet stand [T, 4]."""
    if cleanup and edits_root:
        made = clean_up(made)
    elif cleanup:
        made = without_jitter(within_limits(made))
    if cleanup and edits_root and made.contacts is not None:
        return made, made.contacts > 0.5
    return made, find_contacts(made).planted


def _carried_on(motion: Motion, start: int, offset: Offset) -> Motion:
    """The motion, from a frame on turned and moved."""
    later = turned_and_moved(motion.at_frames(slice(start, None)), offset.turn, offset.shift)
    rotations, root = motion.rotations.copy(), motion.root_positions.copy()
    rotations[start:, 0], root[start:] = later.rotations[:, 0], later.root_positions
    return replace(motion, rotations=rotations, root_positions=root)


def _through_borders(
    source: Motion,
    old: Motion,
    new: Motion,
    first: int,
    last: int,
    edit: Edit,
    borders: tuple[bool, bool],
) -> Motion:
    """The new motion within the range, the old one outside, the one going into the other."""
    part = slice(first, last + 1)
    edited = [old.skeleton.index(name) for name in edit.joints]
    frames = blend_frames(edit, old.fps)
    rotations, root = old.rotations.copy(), old.root_positions.copy()
    usual = _usual_jumps(source)[edited]
    through = rotations_through(
        old.rotations[:, edited],
        new.rotations[:, edited],
        first,
        last,
        frames,
        borders,
        usual,
    )
    rotations[part, edited] = through[part]
    if "pelvis" in edit.joints:
        jump = max(float(usual_path_jumps(source.root_positions[:, None])[0]), _PATH_JUMP / old.fps)
        path = path_through(
            old.root_positions, new.root_positions, first, last, frames, borders, jump
        )
        root[part] = path[part]
    return replace(old, rotations=rotations, root_positions=root)


def _usual_jumps(source: Motion) -> np.ndarray:
    """The jump [J] of each joint's angular velocity that looks usual in a motion, per frame.

    Neither the joint nor what it carries furthest away may jump more than usual: a wrist may shake
    while its hand goes a smooth way.  Of pelvis and legs, which have to come to their standing feet
    soon, only the joint itself counts.
    """
    skeleton, rest = source.skeleton, source.skeleton.rest_positions
    turns = np.maximum(usual_turn_jumps(source.rotations), _TURN_JUMP / source.fps)
    paths = np.maximum(usual_path_jumps(source.positions()), _PATH_JUMP / source.fps)
    ends, levers = np.arange(skeleton.joint_count), np.zeros(skeleton.joint_count)
    for joint in reversed(range(1, skeleton.joint_count)):
        end, above = ends[joint], skeleton.parents[joint]
        lever = float(np.linalg.norm(rest[end] - rest[above]))
        if lever > levers[above]:
            ends[above], levers[above] = end, lever
    usual = np.minimum(turns, paths[ends] / np.maximum(levers, _LEAST_LEVER))
    quick = [0, *(j for leg in legs_of(skeleton) for j in (leg.hip, leg.knee, leg.ankle, leg.toe))]
    usual[quick] = turns[quick]
    return usual


def _on_feet(
    old: Motion,
    put: Motion,
    new: Motion,
    inside: np.ndarray,
    planted: np.ndarray,
    floor: float,
    edit: Edit,
    cleanup: bool,
) -> tuple[Motion, tuple[str, ...]]:
    """The new motion with standing feet, and the joints that were not asked for and turn for it.

    put: the new motion before its borders were blended; its feet stand where they shall.
    """
    names, edits_root = old.skeleton.joint_names, "pelvis" in edit.joints
    own, others = [], []
    for leg in legs_of(old.skeleton):
        asked = [names[joint] in edit.joints for joint in (leg.hip, leg.knee, leg.ankle)]
        if all(asked):
            own.append(leg)
        elif edits_root and edit.keep_feet:
            others.append(leg)
    if not cleanup:
        own = []
    if not own and not others:
        return new, ()
    down, near = np.array([0.0, -floor, 0.0]), blend_frames(edit, old.fps)[1]
    low_old, low_new = turned_and_moved(old, 0.0, down), turned_and_moved(new, 0.0, down)
    stood = find_contacts(replace(low_old, contacts=None)).planted
    moved = low_new
    if others:
        moved = kept(Stretch(moved, inside, stood, near), low_old, others)
    if own:
        standing = np.where(inside[:, None], planted, stood)
        low_put = turned_and_moved(put, 0.0, down)
        moved = locked(Stretch(moved, inside, standing, near), low_put, planted, own)
    changed = np.any(moved.rotations != low_new.rotations, axis=(0, 2))
    adjusted = tuple(name for j, name in enumerate(names) if changed[j] and name not in edit.joints)
    rotations = np.where(changed[:, None], moved.rotations, new.rotations)
    return replace(new, rotations=rotations), adjusted


def _written(
    source: Motion,
    whole: Motion,
    new: Motion,
    low: int,
    edit: Edit,
    adjusted: tuple[str, ...],
    planted: np.ndarray,
) -> Motion:
    """The whole motion with the new frames and joints in it."""
    part, near = slice(edit.first, edit.last + 1), slice(edit.first - low, edit.last + 1 - low)
    joints = [source.skeleton.index(name) for name in (*edit.joints, *adjusted)]
    rotations, root = whole.rotations.copy(), whole.root_positions.copy()
    for joint in joints:
        values = new.rotations[near, joint]
        beside = rotations[max(edit.first - 1, 0), joint]
        rotations[part, joint] = _same_signs(values, beside)
    if "pelvis" in edit.joints:
        root[part] = new.root_positions[near]
    contacts = whole.contacts
    if contacts is not None and set(edit.parts) & {"left_leg", "right_leg", "root"}:
        contacts = contacts.copy()
        contacts[part] = planted[near]
    return replace(whole, rotations=rotations, root_positions=root, contacts=contacts)


def _same_signs(rotations: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Quaternions [T, 4] with signs that go on from one frame to the next, from ``beside`` on."""
    follow = np.concatenate([beside[None], rotations])
    dots = np.sum(follow[1:] * follow[:-1], axis=-1)
    signs = np.cumprod(np.where(dots < 0, -1.0, 1.0))
    continuous: np.ndarray = rotations * signs[:, None]
    return continuous

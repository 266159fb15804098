"""What fewer keys do to hands and feet: errors add up from the hips to the toes.

A foot that stands still has to stay put, however large the tolerance of a single bone is. So the
ends of the limbs are placed by forward kinematics, and where one that stands still would move by
more than the tolerance, the bones above it are held more strictly there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..rotations import quaternion_multiply, quaternion_rotate
from .reducing import Reduced, Tolerance, reduce
from .tracks import Part, Track

_IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
#: What is slower than this share of the body's height in a second stands still.
_STILL = 0.06
#: ... for as long as this (seconds).
_STILL_FOR = 0.1
#: Millimetres a second by which fewer keys may move what stands still, for a body of 1.7 metres,
#: besides half of what it moves anyway.
_SLIDE = 20.0
_HEIGHT = 1700.0
_ROUNDS = 20
_MOST_STRICT = 2.0


@dataclass(frozen=True)
class Body:
    """Bones at rest, parents first.

    parents: [B] indices, -1 for roots.  turns: [B, 4] and heads: [B, 3] at rest in armature space,
    heads in millimetres.  free, armature_axes: [B] bones that do not turn with their parent, and
    whose locations are along the armature's axes.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    turns: np.ndarray
    heads: np.ndarray
    free: np.ndarray
    armature_axes: np.ndarray

    @property
    def height(self) -> float:
        """Largest extent of the rest pose, millimetres."""
        return float(np.ptp(self.heads, axis=0).max(initial=1.0))

    def chain(self, bone: int) -> list[int]:
        """A bone and all above it, from the root on."""
        found = []
        while bone >= 0:
            found.append(bone)
            bone = self.parents[bone]
        return found[::-1]

    def placed(
        self, tracks: Mapping[str, Sequence[tuple[Part, np.ndarray]]], ends: Ends
    ) -> np.ndarray:
        """Where the ends are [T, E, 3], millimetres, for the keyed values of each bone's parts.

        What moves the whole object is the track "".
        """
        count = len(next(iter(tracks.values()))[0][1])
        posed: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for bone in sorted({b for end in ends.bones for b in self.chain(end)}):
            posed[bone] = self._posed(bone, tracks.get(self.names[bone], ()), posed, count)
        found = np.empty((count, len(ends.bones), 3))
        for column, (bone, point) in enumerate(zip(ends.bones, ends.points, strict=True)):
            turn, head = posed[bone]
            found[:, column] = head + quaternion_rotate(turn, point[None])
        if "" in tracks:
            turn, place = _values(tracks[""], count)
            found = quaternion_rotate(turn[:, None], found) + place[:, None]
        return found

    def _posed(
        self,
        bone: int,
        parts: Sequence[tuple[Part, np.ndarray]],
        posed: Mapping[int, tuple[np.ndarray, np.ndarray]],
        count: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        own, moved = _values(parts, count)
        parent = self.parents[bone]
        rest = np.broadcast_to(self.turns[bone], (count, 4))
        if parent < 0:
            axes = _IDENTITY if self.armature_axes[bone] else self.turns[bone]
            head = self.heads[bone] + quaternion_rotate(np.broadcast_to(axes, (count, 4)), moved)
            return quaternion_multiply(rest, own), head
        turn, place = posed[parent]
        # Away from rest, in armature space.
        away = quaternion_multiply(turn, self.turns[parent] * np.array([1.0, -1.0, -1.0, -1.0]))
        offset = (self.heads[bone] - self.heads[parent])[None]
        if self.free[bone]:
            turned = quaternion_multiply(rest, own)
        else:
            turned = quaternion_multiply(quaternion_multiply(away, rest), own)
        axes = away if self.armature_axes[bone] else quaternion_multiply(away, rest)
        return turned, place + quaternion_rotate(away, offset) + quaternion_rotate(axes, moved)


@dataclass(frozen=True)
class Ends:
    """Points on bones to watch: hands, heels, toes.

    bones: indices.  points: [E, 3] in the bone's own axes, millimetres.  stand: [E] whether it has
    to stay where it is while it stands still, as feet have.
    """

    bones: tuple[int, ...]
    points: np.ndarray
    stand: np.ndarray


@dataclass(frozen=True)
class ReducedBody:
    """The tracks, and what happens to the ends: largest errors [E] in millimetres.

    standing: [E] the same while they stand still.  sliding: [E] millimetres a second that they
    move then and did not before.
    """

    tracks: list[Reduced]
    ends: np.ndarray
    standing: np.ndarray
    sliding: np.ndarray


def reduce_body(
    tracks: Sequence[Track], times: np.ndarray, tolerance: Tolerance, body: Body, ends: Ends
) -> ReducedBody:
    """Reduce tracks, named after their bones, so that what stands still stays where it is.

    times: [T] in seconds.
    """
    found = reduce(tracks, times, tolerance)
    wanted = body.placed(_curves(tracks, [[p.values for p in t.parts] for t in tracks]), ends)
    still = planted(wanted, times, body.height) & ends.stand
    allowed = _SLIDE * body.height / _HEIGHT + 0.5 * _speeds(wanted, times)
    above = _above(tracks, body, ends)
    strictness = np.ones((len(times), len(tracks)))
    off, rate = _offs(tracks, found, times, body, ends, wanted, still)
    for _ in range(_ROUNDS):
        excess = np.maximum(off / tolerance.millimetres, rate / allowed) * still
        if excess.max(initial=0.0) <= 1.0:
            break
        affected = np.zeros(len(tracks), dtype=bool)
        for end in range(len(ends.bones)):
            bad = excess[:, end]
            if bad.max(initial=0.0) <= 1.0:
                continue
            factor = np.clip(1.1 * _widened(bad), 1.0, _MOST_STRICT)
            strictness[:, above[end]] *= factor[:, None]
            affected[above[end]] = True
        chosen = np.flatnonzero(affected)
        keys = np.zeros((len(times), len(chosen)), dtype=bool)
        for column, index in enumerate(chosen):
            keys[found[index].index, column] = True
        again = reduce([tracks[i] for i in chosen], times, tolerance, strictness[:, chosen], keys)
        for index, reduced in zip(chosen, again, strict=True):
            found[index] = reduced
        off, rate = _offs(tracks, found, times, body, ends, wanted, still)
    return ReducedBody(
        found,
        off.max(axis=0, initial=0.0),
        (off * still).max(axis=0, initial=0.0),
        (rate * still).max(axis=0, initial=0.0),
    )


def planted(positions: np.ndarray, times: np.ndarray, height: float) -> np.ndarray:
    """Where ends stand still [T, E]: slow for a while. positions: [T, E, 3] millimetres."""
    slow = _speeds(positions, times) < _STILL * height
    still = np.zeros_like(slow)
    for end in range(slow.shape[1]):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], slow[:, end], [0]]).astype(int)))
        for first, after in zip(edges[::2], edges[1::2], strict=True):
            if times[after - 1] - times[first] >= _STILL_FOR:
                still[first:after, end] = True
    return still


def _speeds(positions: np.ndarray, times: np.ndarray) -> np.ndarray:
    if len(times) < 2:
        return np.zeros(positions.shape[:2])
    speeds: np.ndarray = np.linalg.norm(np.gradient(positions, times, axis=0), axis=-1)
    return speeds


def _offs(
    tracks: Sequence[Track],
    found: Sequence[Reduced],
    times: np.ndarray,
    body: Body,
    ends: Ends,
    wanted: np.ndarray,
    still: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """How far [T, E] the ends are off, and how fast that changes while they stand still."""
    now = body.placed(_curves(tracks, [r.values for r in found]), ends)
    moved = now - wanted
    off = np.linalg.norm(moved, axis=-1)
    rate = np.zeros_like(off)
    if len(times) > 1:
        steps = np.linalg.norm(np.diff(moved, axis=0), axis=-1) / np.diff(times)[:, None]
        steps *= still[1:] & still[:-1]
        rate[1:] = steps
        np.maximum(rate[:-1], steps, out=rate[:-1])
    return off, rate


def _above(tracks: Sequence[Track], body: Body, ends: Ends) -> list[np.ndarray]:
    """For each end the indices of the tracks that place it."""
    found = []
    for bone in ends.bones:
        names = {body.names[b] for b in body.chain(bone)} | {""}
        found.append(np.array([i for i, t in enumerate(tracks) if t.name in names], dtype=int))
    return found


def _curves(
    tracks: Sequence[Track], values: Sequence[Sequence[np.ndarray]]
) -> dict[str, list[tuple[Part, np.ndarray]]]:
    return {
        track.name: list(zip(track.parts, own, strict=True))
        for track, own in zip(tracks, values, strict=True)
    }


def _values(parts: Sequence[tuple[Part, np.ndarray]], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotation [T, 4] and location [T, 3] in millimetres that the parts of a bone pose."""
    turn, moved = np.broadcast_to(_IDENTITY, (count, 4)), np.zeros((count, 3))
    for part, values in parts:
        if part.is_rotation:
            turn = part.posed(values)
        elif part.kind == "LOCATION":
            moved = part.posed(values)
    return turn, moved


def _widened(values: np.ndarray) -> np.ndarray:
    """Each frame's largest value among its neighbours, two to either side."""
    found = values.copy()
    for shift in (1, 2):
        np.maximum(found[shift:], values[:-shift], out=found[shift:])
        np.maximum(found[:-shift], values[shift:], out=found[:-shift])
    return found

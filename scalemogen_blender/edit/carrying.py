"""What comes after an edit, carried on from where the edit ends: turned about the vertical, moved.

Keys keep their times, and what lies between them stays exact, wherever the new curve is a sum of
the old ones: locations and quaternions whose keys belong together, and whatever is only moved.
Elsewhere (Euler angles turned about another axis than their last, keys that do not belong
together, a parent that moves) the curve is sampled at the scene's whole frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from .. import character
from .._core import editing, errors, retarget, rotations
from ..channels import Channel
from . import reading
from .carriers import carriers, may_move
from .inside import nearest
from .key_table import BEZIER, joined, linear_keys, times
from .moves import Move, in_world, sampled
from .nearby import next_to

_CLOSE = 1e-6
_TURN = 2.0 * np.pi


def is_needed(later: editing.Offset | None) -> bool:
    """Whether an offset changes anything."""
    return later is not None and (later.turn != 0.0 or bool(np.any(later.shift)))


@dataclass(frozen=True)
class Carrying:
    """How the bones of a pose are carried on after a range of scene frames.

    moves: for each bone one, or one for each of the ``frames`` [K] where what is above it moves.
    """

    moves: Mapping[str, Sequence[Move]]
    frames: np.ndarray

    @classmethod
    def of(
        cls,
        rig: bpy.types.Object,
        later: editing.Offset,
        bones: Sequence[str],
        last: int,
        end: int,
        retargeter: retarget.Retargeter | None = None,
    ) -> Carrying:
        """For the bones that carry the pose, after scene frame ``last``, until ``end``."""
        if retargeter is None:
            retargeter = reading.read(rig, last, last).retargeter
        world = in_world(retargeter, later)
        carried = set(bones)
        with character.evaluated(rig):
            shown = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
            tops = [name for name in bones if not carried & carriers(shown, name)]
        if not any(may_move(rig, name) for name in tops):
            with character.evaluated(rig):
                moves = {name: [Move.of(rig, name, world)] for name in tops}
            return cls(moves, np.zeros(0))
        frames = np.arange(last + 1, max(end, last + 1) + 1)
        pose = reading.sample(rig, frames)
        found = {name: sampled(rig, name, pose, world) for name in tops}
        return cls(found, frames.astype(np.float64))

    def covers(self, channel: Channel) -> bool:
        """Whether a channel's later values change."""
        moves = self.moves.get(getattr(channel.owner, "name", ""))
        if moves is None or not isinstance(channel.owner, bpy.types.PoseBone):
            return False
        if channel.property_name == "location":
            return True
        return channel.property_name.startswith("rotation_") and any(
            abs(abs(move.turn[0]) - 1.0) > 1e-12 for move in moves
        )

    def keys(
        self,
        channel: Channel,
        old: Sequence[np.ndarray],
        values_at: Callable[[np.ndarray], np.ndarray],
        border: float,
        of_scene: Callable[[np.ndarray], np.ndarray],
    ) -> list[np.ndarray]:
        """All keys of a channel's curves with those after the border carried on.

        old: what they are now, one for each curve; values_at: their values [K, C] at frames [K].
        """
        moves = self.moves[channel.owner.name]
        later = [times(keys) > border + nearest(border) for keys in old]
        kept = [keys[~mask] for keys, mask in zip(old, later, strict=True)]
        last = np.array([keys["co"][-1, 1] for keys in kept], dtype=np.float64)
        after = [keys[mask] for keys, mask in zip(old, later, strict=True)]
        if len(moves) == 1:
            sums = _sums(channel, moves[0], _first_of(after, values_at), last)
            if sums is not None and _together(after, sums[0]):
                moved = _summed(after, *sums)
                return [joined(*pair) for pair in zip(kept, moved, strict=True)]
            frames = _whole_and_keys(after, border, of_scene)
            moves = [moves[0]] * len(frames)
        else:
            frames = of_scene(self.frames)
        values = _moved(channel, moves, values_at(frames))
        values, _ = next_to(
            values, channel.property_name, channel.owner.rotation_mode, last, values[-1]
        )
        made = [linear_keys(frames, column) for column in values.T]
        return [joined(*pair) for pair in zip(kept, made, strict=True)]


def _first_of(
    after: Sequence[np.ndarray], values_at: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    starts = [times(keys)[0] for keys in after if len(keys)]
    if not starts:
        raise errors.ScaleMoGenError("Nothing comes after the edit that could be carried on.")
    return values_at(np.array([min(starts)]))[0]


def _sums(
    channel: Channel, move: Move, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """The new values as sums of the old: matrix [C, C] and constants [C]; None if they are not.

    first: the first old values after the range; last: those before, which they come next to.
    """
    if channel.property_name == "location":
        return move.axes, move.shift
    if channel.property_name == "rotation_quaternion":
        columns = [rotations.quaternion_multiply(move.turn, unit) for unit in np.eye(4)]
        matrix = np.stack(columns, axis=-1)
        return (-matrix if (matrix @ first) @ last < 0.0 else matrix), np.zeros(4)
    if channel.property_name != "rotation_euler":
        return None
    outermost = "XYZ".index(channel.owner.rotation_mode[2])
    vector = rotations.quaternion_to_rotation_vector(move.turn)
    if np.abs(np.delete(vector, outermost)).max() > _CLOSE:
        return None
    constants = np.zeros(3)
    constants[outermost] = vector[outermost]
    constants += _TURN * np.round((last - first - constants) / _TURN)
    return np.eye(3), constants


def _together(after: Sequence[np.ndarray], matrix: np.ndarray) -> bool:
    """Whether the curves that a sum mixes have keys at the same times and of the same kinds."""
    for row, weights in enumerate(matrix):
        mixed = np.flatnonzero(np.abs(weights) > _CLOSE)
        alone = len(mixed) == 1 and mixed[0] == row
        if alone and abs(weights[row] - 1.0) < _CLOSE:
            continue
        if alone and (after[row]["interpolation"] <= BEZIER).all():
            continue
        if not all(_alike(after[row], after[other]) for other in mixed):
            return False
    return True


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    kinds = [keys["interpolation"] for keys in (one, other)]
    if len(one) != len(other) or (kinds[0] != kinds[1]).any() or (kinds[0] > BEZIER).any():
        return False
    curved = kinds[0] == BEZIER
    handles = [
        tuple(keys["handle_right"][:-1][curved[:-1], 0] for keys in (one, other)),
        tuple(keys["handle_left"][1:][curved[:-1], 0] for keys in (one, other)),
    ]
    pairs = [(times(one), times(other)), *handles]
    return all(np.allclose(a, b, rtol=0.0, atol=1e-3) for a, b in pairs)


def _summed(
    after: Sequence[np.ndarray], matrix: np.ndarray, constants: np.ndarray
) -> list[np.ndarray]:
    """Keys and handles of the sums."""
    found = []
    for row, weights in enumerate(matrix):
        mixed = np.flatnonzero(np.abs(weights) > _CLOSE)
        summed = after[row].copy()
        for name in ("co", "handle_left", "handle_right"):
            summed[name][:, 1] = constants[row] + sum(
                weights[other] * after[other][name][:, 1].astype(np.float64) for other in mixed
            )
        found.append(summed)
    return found


def _whole_and_keys(
    after: Sequence[np.ndarray], border: float, of_scene: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    keyed = np.concatenate([times(keys) for keys in after])
    whole = of_scene(np.arange(np.floor(keyed.min()), np.ceil(keyed.max()) + 1.0))
    whole = whole[(whole > border + nearest(border)) & (whole < keyed.max())]
    found = np.unique(np.concatenate([whole, keyed]).astype(np.float32)).astype(np.float64)
    return found[np.concatenate([[True], np.diff(found) > 1e-3])]


def _moved(channel: Channel, moves: Sequence[Move], values: np.ndarray) -> np.ndarray:
    """Values [K, C] after moves [K]."""
    if channel.property_name == "location":
        rows = [m.axes @ row + m.shift for m, row in zip(moves, values, strict=True)]
        return np.array(rows)
    mode = channel.owner.rotation_mode
    turns = np.array([move.turn for move in moves])
    basis = _basis(values, mode)
    return retarget.rotation_channels(rotations.quaternion_multiply(turns, basis), mode)[1]


def _basis(values: np.ndarray, mode: str) -> np.ndarray:
    """Quaternions [K, 4] of rotation channels."""
    if mode == "QUATERNION":
        return rotations.normalize(values)
    if mode == "AXIS_ANGLE":
        axes = rotations.normalize(values[:, 1:])
        return rotations.rotation_vector_to_quaternion(values[:, :1] * axes)
    found = np.tile([1.0, 0.0, 0.0, 0.0], (len(values), 1))
    for axis in mode:  # the first named turns first
        vector = np.zeros((len(values), 3))
        vector[:, "XYZ".index(axis)] = values[:, "XYZ".index(axis)]
        found = rotations.quaternion_multiply(
            rotations.rotation_vector_to_quaternion(vector), found
        )
    return found

"""Keys for the channels of a motion: one on every frame, or few with smooth curves between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from .. import bake
from .._core import keys as reduction
from .._core import motion as motions
from .._core import retarget, rotations
from ..channels import Channel
from . import splice

_ENDS = (("wrist", False), ("ankle", True), ("foot", True))
_SIDES = ("left", "right")
_CONTACT = 0.5


@dataclass(frozen=True)
class Keyed:
    """A channel and the keys of each of its curves."""

    channel: Channel
    keys: tuple[splice.Keys, ...]


@dataclass(frozen=True)
class Simplified:
    """What simplifying has done.

    Keys that are left, keys on every frame; largest errors: degrees, millimetres of locations, of
    hands and feet, and of feet while they stand (as if the character were as tall as the model).
    """

    keys: int
    of: int
    degrees: float
    millimetres: float
    ends: float
    standing: float


@dataclass(frozen=True)
class Keying:
    """How a motion is keyed.

    motion and start say when feet stand; tolerance None puts a key on every frame.
    """

    retargeter: retarget.Retargeter
    motion: motions.Motion
    start: float
    fps: float
    tolerance: reduction.Tolerance | None

    @classmethod
    def of_scene(
        cls,
        scene: bpy.types.Scene,
        retargeter: retarget.Retargeter,
        motion: motions.Motion,
        start: float,
    ) -> Keying:
        """As the panel asks."""
        settings = scene.scalemogen.output
        tolerance = reduction.Tolerance(
            float(np.degrees(settings.simplify_angle)), float(settings.simplify_distance)
        )
        chosen = tolerance if settings.simplify else None
        return cls(retargeter, motion, start, bake.scene_fps(scene), chosen)

    def keyed(
        self,
        channels: Sequence[Channel],
        frames: np.ndarray,
        offsets: dict[str, np.ndarray] | None = None,
    ) -> tuple[list[Keyed], Simplified | None]:
        """Keys of channels that are known at every one of the frames [K].

        offsets: by path, what is added to a channel's values before they are the pose.
        """
        if self.tolerance is None or len(frames) < 3:
            return [_on_every_frame(channel, frames) for channel in channels], None
        held = [_on_every_frame(c, frames) for c in channels if c.held]
        groups: dict[str, list[Channel]] = {}
        for channel in channels:
            if not channel.held:
                groups.setdefault(_bone(channel), []).append(channel)
        tracks = [
            reduction.Track(
                name,
                tuple(self._part(channel, offsets or {}) for channel in group),
                self._kept(name, frames),
            )
            for name, group in groups.items()
        ]
        reduced = reduction.reduce_body(
            tracks, frames / self.fps, self.tolerance, self._body(), self._ends()
        )
        found = [
            _smooth(channel, part, frames, done.index, done.slopes[at] / self.fps)
            for (group, track, done) in zip(groups.values(), tracks, reduced.tracks, strict=True)
            for at, (channel, part) in enumerate(zip(group, track.parts, strict=True))
        ]
        told = Simplified(
            keys=sum(len(keys) for keyed in found for keys in keyed.keys),
            of=sum(len(frames) * track.columns for track in tracks),
            degrees=max((r.degrees for r in reduced.tracks), default=0.0),
            millimetres=max((r.millimetres for r in reduced.tracks), default=0.0),
            ends=float(reduced.ends.max(initial=0.0)),
            standing=float(reduced.standing.max(initial=0.0)),
        )
        return [*held, *found], told

    def _part(self, channel: Channel, offsets: dict[str, np.ndarray]) -> reduction.Part:
        kind = {
            "rotation_quaternion": "QUATERNION",
            "rotation_axis_angle": "AXIS_ANGLE",
            "rotation_euler": channel.owner.rotation_mode,
            "location": "LOCATION",
        }.get(channel.property_name, "OTHER")
        is_object = isinstance(channel.owner, bpy.types.Object)
        scale = self._millimetres / (self.retargeter.rig.scale if is_object else 1.0)
        return reduction.Part(channel.values, kind, offsets.get(channel.path), scale)

    @property
    def _millimetres(self) -> float:
        """What a unit of the armature is, for a character as tall as the model."""
        return 1000.0 * self.retargeter.rig.scale / self.retargeter.body.scale

    def _body(self) -> reduction.Body:
        rig = self.retargeter.rig
        return reduction.Body(
            rig.bone_names,
            rig.parents,
            rotations.matrix_to_quaternion(rig.rest[:, :3, :3]),
            rig.rest[:, :3, 3] * self._millimetres,
            ~rig.inherits_rotation,
            ~rig.local_location,
        )

    def _ends(self) -> reduction.Ends:
        """Tips of hands, heels and toes."""
        rig = self.retargeter.rig
        bones, points, stand = [], [], []
        for side in _SIDES:
            for part, standing in _ENDS:
                chain = self.retargeter.bone_map.bones.get(f"{side}_{part}")
                if not chain:
                    continue
                bone = rig.index(chain[-1])
                tip = (rig.tails[bone] - rig.rest[bone, :3, 3]) @ rig.rest[bone, :3, :3]
                for point in (np.zeros(3), tip * self._millimetres):
                    bones.append(bone)
                    points.append(point)
                    stand.append(standing)
        return reduction.Ends(
            tuple(bones), np.array(points).reshape(-1, 3), np.array(stand, dtype=bool)
        )

    def _kept(self, bone: str, frames: np.ndarray) -> tuple[int, ...]:
        """Indices of the frames at which a foot below a bone begins or ends to stand."""
        contacts = self.motion.contacts
        if contacts is None or bone not in self._legs:
            return ()
        side = self._legs[bone]
        joints = self.motion.skeleton.contact_joints
        names = self.motion.skeleton.joint_names
        mine = [i for i, joint in enumerate(joints) if names[joint].startswith(side)]
        standing = contacts[:, mine] > _CONTACT
        changes = np.unique(np.nonzero(standing[1:] != standing[:-1])[0] + 1)
        at = self.start + changes / self.motion.fps * self.fps
        inside = at[(at > frames[0]) & (at < frames[-1])]
        return tuple(int(i) for i in np.unique(np.abs(frames[:, None] - inside).argmin(axis=0)))

    @property
    def _legs(self) -> dict[str, str]:
        """The bones of the legs and their sides."""
        found = {}
        for side in _SIDES:
            for part in ("hip", "knee", "ankle", "foot"):
                for bone in self.retargeter.bone_map.bones.get(f"{side}_{part}", ()):
                    found[bone] = side
        return found


def _bone(channel: Channel) -> str:
    """Name of the channel's bone; "" for the object."""
    return "" if isinstance(channel.owner, bpy.types.Object) else str(channel.owner.name)


def _on_every_frame(channel: Channel, frames: np.ndarray) -> Keyed:
    count = 1 if channel.held else len(frames)
    columns = channel.values[:count].T
    return Keyed(channel, tuple(splice.linear_keys(frames[:count], c) for c in columns))


def _smooth(
    channel: Channel,
    part: reduction.Part,
    frames: np.ndarray,
    index: np.ndarray,
    slopes: np.ndarray,
) -> Keyed:
    """Bezier keys at some of the frames; slopes [K, C] a frame."""
    at = frames[index]
    return Keyed(
        channel,
        tuple(
            splice.smooth_keys(at, part.values[index, column], slopes[:, column])
            for column in range(part.values.shape[1])
        ),
    )

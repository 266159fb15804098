"""What is handed on between the steps of a transfer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class JointPose:
    """What the joints do on a rig, before it becomes channels: what every correction works on.

    turns: [T, J, 4] global rotations of the skeleton's joints, in the rig's body frame.
    hips: [T, 3] where the middle between the rig's hip joints is, in that frame, metres.
    fps: frames a second.
    """

    turns: np.ndarray
    hips: np.ndarray
    fps: float = 30.0


@dataclass(frozen=True)
class Setting:
    """A property of a bone (or of the object, for bone ""), held for the whole motion.

    custom: one that a rigger has added, else one of Blender's own (``ik_stretch``).
    """

    bone: str
    property_name: str
    value: float
    custom: bool = True


@dataclass(frozen=True)
class PoseChannels:
    """What to key on a rig, frame by frame.

    bones: names of the bones to key, parents first.
    rotations: [T, len(bones), 4] pose basis quaternions (Blender's matrix_basis).
    locations: location channel [T, 3] in armature units, of the bones that are moved.
    object_to_world: [T, 4, 4] from armature space to the canonical world (Y up, metres) if the
        armature object itself carries the motion, else None.
    settings: switches of a control rig.
    """

    bones: tuple[str, ...]
    rotations: np.ndarray
    locations: Mapping[str, np.ndarray]
    object_to_world: np.ndarray | None = None
    settings: tuple[Setting, ...] = field(default=())

    @property
    def frame_count(self) -> int:
        return len(self.rotations)

    def at_frames(self, index: slice | np.ndarray) -> "PoseChannels":
        """The frames of a slice or index array."""
        return replace(
            self,
            rotations=self.rotations[index],
            locations={bone: values[index] for bone, values in self.locations.items()},
            object_to_world=None if self.object_to_world is None else self.object_to_world[index],
        )

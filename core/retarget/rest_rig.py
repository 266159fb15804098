"""An armature at rest, as plain arrays: all that retargeting needs to know of a rig."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import ScaleMoGenError
from ..rotations import matrix_to_quaternion


@dataclass(frozen=True)
class RestRig:
    """Bones in parent-before-child order.

    rest: [B, 4, 4] rest matrices in armature space (orthonormal axes, head as translation).
    to_world: [4, 4] from armature space to the canonical world (Y up, metres), scale included.
    tails: [B, 3] bone tails in armature space; only a hint, importers often invent them.
    connected: [B] the bone cannot be moved away from its parent's tail.
    inherits_rotation: [B] the bone turns with its parent.
    local_location: [B] the location channel is along the bone's own axes, not its parent's (of a
        root bone: the armature's).
    turn_parents: [B] for control rigs, whose constraints let a control turn with another bone than
        the one that moves it: the bone in whose turned frame its channels are (-1: none), while
        ``parents`` say what moves its head.  Bones of such rigs are keyed only where needed.
    """

    name: str
    bone_names: tuple[str, ...]
    parents: tuple[int, ...]
    rest: np.ndarray
    to_world: np.ndarray
    tails: np.ndarray
    connected: np.ndarray
    inherits_rotation: np.ndarray
    local_location: np.ndarray
    turn_parents: tuple[int, ...] | None = None

    @property
    def bone_count(self) -> int:
        return len(self.bone_names)

    def index(self, bone_name: str) -> int:
        """Index of a bone by name; ValueError when there is none."""
        return self.bone_names.index(bone_name)

    def children(self, bone: int) -> list[int]:
        """Indices of the direct children of a bone."""
        return [b for b, parent in enumerate(self.parents) if parent == bone]

    def ancestors(self, bone: int) -> list[int]:
        """Indices from the bone's parent up to its root."""
        chain = []
        while (bone := self.parents[bone]) >= 0:
            chain.append(bone)
        return chain

    def turn_parent(self, bone: int) -> int:
        """The bone that a bone's rotation channels are relative to; -1 for the armature."""
        if self.turn_parents is not None:
            return self.turn_parents[bone]
        return self.parents[bone] if self.inherits_rotation[bone] else -1

    def location_parent(self, bone: int) -> int:
        """The bone that a bone's location channel turns with; -1 for the armature.

        Blender lets a bone that does not inherit rotation still be moved along its parent's axes.
        """
        return self.parents[bone] if self.turn_parents is None else self.turn_parents[bone]

    @cached_property
    def scale(self) -> float:
        """Metres per armature unit (the geometric mean when the object's scale is uneven)."""
        determinant = float(np.linalg.det(self.to_world[:3, :3]))
        if determinant <= 0.0:
            raise ScaleMoGenError(
                f"The armature '{self.name}' has a zero or mirrored object scale; "
                "apply the scale (Ctrl+A) and try again."
            )
        return float(np.cbrt(determinant))

    @cached_property
    def object_rotation(self) -> np.ndarray:
        """Rotation matrix [3, 3] of the armature object in the canonical world."""
        u, _, vt = np.linalg.svd(self.to_world[:3, :3] / self.scale)
        rotation: np.ndarray = u @ vt  # the nearest rotation: shear and uneven scale drop out
        return rotation

    @cached_property
    def even_world(self) -> np.ndarray:
        """``to_world`` [4, 4] without shear and with its mean scale along all axes.

        Bones only turn: what an uneven scale of the object does to them afterwards is the artist's
        wish, like any other deformation, so rigs are measured without it.
        """
        matrix = self.to_world.copy()
        matrix[:3, :3] = self.object_rotation * self.scale
        return matrix

    def without_uneven_scale(self, points: np.ndarray) -> np.ndarray:
        """World points [..., 3] that move with the armature, as :attr:`even_world` places them."""
        back = self.even_world @ np.linalg.inv(self.to_world)
        even: np.ndarray = points @ back[:3, :3].T + back[:3, 3]
        return even

    @cached_property
    def heads(self) -> np.ndarray:
        """World positions [B, 3] of the bones' heads at rest, in metres, scaled evenly."""
        return self._placed(self.rest[:, :3, 3])

    @cached_property
    def world_tails(self) -> np.ndarray:
        """World positions [B, 3] of the bones' tails at rest, in metres, scaled evenly."""
        return self._placed(self.tails)

    @cached_property
    def rotations(self) -> np.ndarray:
        """World rotations [B, 4] of the bones' axes at rest."""
        return matrix_to_quaternion(self.object_rotation @ self.rest[:, :3, :3])

    def _placed(self, points: np.ndarray) -> np.ndarray:
        placed: np.ndarray = points @ self.even_world[:3, :3].T + self.even_world[:3, 3]
        return placed

"""Which bone of a rig plays which canonical joint, how sure that is and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from ..errors import ScaleMoGenError
from . import evidence as evidences
from .detection import BY_SHAPE, BY_WORDS, Detection
from .evidence import DOUBT_LIMIT, Evidence
from .geometry_checks import SWAPPED
from .schemes import Scheme, schemes
from .slots import (
    ARM,
    CHAINS,
    JOINT_COUNT,
    JOINTS_OF_SLOT,
    LEG,
    REQUIRED,
    SIDES,
    SLOTS,
    plain_name,
)
from .vocabulary import RIG_MAPS

__all__ = [
    "ARM",
    "BY_SHAPE",
    "BY_WORDS",
    "CHAINS",
    "DOUBT_LIMIT",
    "JOINT_COUNT",
    "LEG",
    "REQUIRED",
    "RIG_MAPS",
    "SIDES",
    "SLOTS",
    "SWAPPED",
    "BoneMap",
    "Evidence",
    "Scheme",
    "best_effort_map",
    "map_bones",
    "plain_name",
    "schemes",
]


@dataclass(frozen=True)
class BoneMap:
    """Bone names per slot; single bones are chains of one.  Unmapped slots are absent.

    evidence: how sure each slot is and why; slots without are certain.
    """

    scheme: str
    bones: Mapping[str, tuple[str, ...]]
    evidence: Mapping[str, Evidence] = field(
        default_factory=lambda: MappingProxyType({}), compare=False
    )

    def bone(self, slot: str) -> str | None:
        """First bone of a slot, or None."""
        chain = self.bones.get(slot)
        return chain[0] if chain else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Slots without a bone, in plain words (a rig may well lack toes or clavicles)."""
        return tuple(plain_name(slot) for slot in SLOTS if slot not in self.bones)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Slots whose bone the artist should check (confidence below DOUBT_LIMIT)."""
        return evidences.doubtful(self.evidence, [slot for slot in SLOTS if slot in self.bones])

    @property
    def sides_swapped(self) -> bool:
        """Whether names and places contradict each other about left and right."""
        return any(SWAPPED in found.reason for found in self.evidence.values())

    @property
    def bone_count(self) -> int:
        return sum(len(chain) for chain in self.bones.values())

    @property
    def joint_count(self) -> int:
        """How many of the canonical joints (JOINT_COUNT) have a bone."""
        return sum(JOINTS_OF_SLOT.get(slot, 1) for slot in self.bones)

    @property
    def title(self) -> str:
        """The naming scheme as people call it; empty for names that follow no known scheme."""
        return next((scheme.title for scheme in schemes() if scheme.name == self.scheme), "")


def map_bones(
    names: Sequence[str],
    parents: Sequence[int],
    rig_name: str = "armature",
    heads: np.ndarray | None = None,
) -> BoneMap:
    """Find the bones of the canonical joints.

    ``parents`` [B] are indices into ``names`` (-1 for roots), parents before children.
    ``heads`` [B, 3] are the bones' rest positions in any frame and unit; without them only names
    and parents speak.
    Raises ScaleMoGenError naming the missing joints when there are no hips or legs.
    """
    bone_map = best_effort_map(names, parents, heads)
    missing = [plain_name(slot) for slot in REQUIRED if slot not in bone_map.bones]
    if missing:
        raise ScaleMoGenError(
            f"The armature '{rig_name}' cannot be used, these bones were not found: "
            f"{', '.join(missing)}; pick a humanoid armature, or rename its bones after Mixamo, "
            "Rigify or Unreal."
        )
    return bone_map


def best_effort_map(
    names: Sequence[str], parents: Sequence[int], heads: np.ndarray | None = None
) -> BoneMap:
    """Like :func:`map_bones`, but slots that cannot be found are just absent."""
    return BoneMap(*Detection(names, parents, heads).found())

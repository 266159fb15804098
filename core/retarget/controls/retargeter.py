"""Motions onto control rigs: FK controls or IK controls are keyed, and the switches set."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ...rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    slerp,
)
from ...skeleton import Skeleton
from ..alignment import IDENTITY
from ..bone_map import BoneMap
from ..options import RetargetOptions
from ..pose import JointPose, PoseChannels
from ..rest_rig import RestRig
from ..transfer import Retargeter
from .control_rig import ControlRig, Twist, assemble
from .frames import Probes
from .inverse import limb_locations
from .measuring import in_order, measured_rig
from .plan import LIMBS, ControlPlan, toes_of
from .posing import PosedControls, pose_controls

_DEFAULTS = RetargetOptions()


@dataclass(frozen=True, kw_only=True)
class ControlRetargeter(Retargeter):
    """A control rig, measured and probed once.

    ``rig`` holds the controls alone, each below what carries it; ``plan`` says what they are for,
    ``now`` what the rig's switches were set to.
    """

    plan: ControlPlan
    controls: ControlRig
    now: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @property
    def mover(self) -> int:
        """The control that carries the body."""
        return self.rig.index(self.plan.mover)

    @property
    def keyed_bones(self) -> list[int]:
        """All controls, of FK and of IK."""
        return list(range(self.rig.bone_count))

    def location_axes(self, turns: np.ndarray, bone: int | None = None) -> np.ndarray:
        """Rotation [T, 4] from a control's (the mover's) location channel to the body's frame."""
        bone = self.mover if bone is None else bone
        axes = self.rig_to_body(self.controls.location_axes[bone])
        return quaternion_multiply(self.parent_turns(turns, bone), axes)

    def rig_to_body(self, turn: np.ndarray) -> np.ndarray:
        """A rotation [..., 4] of armature space in the body's frame."""
        world = quaternion_multiply(matrix_to_quaternion(self.rig.object_rotation), turn)
        return quaternion_multiply(quaternion_conjugate(self.body.turn), world)

    def channels(self, pose: JointPose, options: RetargetOptions = _DEFAULTS) -> PoseChannels:
        """What to key so that the rig's deform bones take a pose."""
        made = super().channels(pose, options)
        inverse = {
            name: limb
            for name, limb in self.plan.limbs.items()
            if limb.always or options.controls == "IK"
        }
        locations = dict(made.locations)
        posed = pose_controls(
            self.rig, self.controls.place_parents, self.controls.location_axes, made
        )
        for name, limb in inverse.items():
            locations.update(limb_locations(self, posed, name, limb))
        twists = {twist.bone: _twisted(twist, posed) for twist in self.controls.twists}
        dropped = self._unused(set(inverse))
        columns = [i for i, name in enumerate(made.bones) if name not in dropped]
        taken = {*made.bones, *twists}
        neutral = [n for n in self._neutral(set(inverse)) if n not in taken]
        rest = np.tile(IDENTITY, (made.frame_count, len(neutral), 1))
        extra = np.stack(list(twists.values()), axis=1) if twists else rest[:, :0]
        return replace(
            made,
            bones=(*(made.bones[c] for c in columns), *twists, *neutral),
            rotations=np.concatenate([made.rotations[:, columns], extra, rest], axis=1),
            locations={
                **{name: values for name, values in locations.items() if name not in dropped},
                **{name: np.zeros((made.frame_count, 3)) for name in neutral},
            },
            settings=self.plan.settings(inverse.keys(), self.now),
        )

    def _unused(self, inverse: set[str]) -> set[str]:
        """Controls that are not keyed while some limbs have inverse kinematics."""
        unused: set[str] = set()
        for name, limb in self.plan.limbs.items():
            toes = toes_of(name)
            slots = [*LIMBS[name], *([toes] if toes and limb.toes else [])]
            forward = {b for slot in slots for b in self.plan.controls.get(slot, ())}
            if name not in inverse:
                unused |= set(limb.controls) - forward
            elif not limb.always:
                unused |= forward - set(limb.controls)
        return unused

    def _neutral(self, inverse: set[str]) -> tuple[str, ...]:
        limbs = (self.plan.limbs[name].neutral for name in inverse)
        return tuple(dict.fromkeys((*self.plan.neutral, *(n for names in limbs for n in names))))


def _twisted(twist: Twist, posed: PosedControls) -> np.ndarray:
    """Pose basis quaternions [T, 4] of a twisting bone, about its own Y."""
    first, second = (posed.turns[:, carrier] for carrier in twist.carriers)
    frame = quaternion_multiply(slerp(first, second, np.array(0.5)), twist.rest)
    wanted = quaternion_multiply(posed.turns[:, twist.control], twist.rest)
    full = quaternion_multiply(quaternion_conjugate(frame), wanted)
    return normalize(full * np.array([1.0, 0.0, 1.0, 0.0]))


def build(
    rest: RestRig,
    plan: ControlPlan,
    probes: Probes,
    skeleton: Skeleton,
    now: Mapping[tuple[str, str], float],
    reference: RestRig | None = None,
) -> ControlRetargeter:
    """A control rig from its rest pose, the plan for it and what probing has shown.

    ``now``: values of the switches that the rig has.  ``reference``: the pose that counts as
    standing at ease, see :meth:`Retargeter.build`.  ScaleMoGenError where a control cannot be
    keyed.
    """
    plan = in_order(plan, rest)
    measured = reader(rest, plan, skeleton, reference)
    found = assemble(rest, plan, probes, measured)
    return ControlRetargeter(
        rig=found.rig,
        bone_map=BoneMap(plan.scheme, found.plan.controls),
        skeleton=skeleton,
        body=found.body,
        drivers=found.drivers,
        plan=found.plan,
        controls=found,
        now=now,
    )


def reader(
    rest: RestRig, plan: ControlPlan, skeleton: Skeleton, reference: RestRig | None = None
) -> Retargeter:
    """A control rig measured on its deform bones, for reading the motion that they show."""
    plan = in_order(plan, rest)
    bone_map = BoneMap(plan.scheme, plan.measured)
    bones = measured_rig(rest, plan)
    if reference is None:
        return Retargeter.build(bones, bone_map, skeleton)
    return Retargeter.build(bones, bone_map, skeleton, measured_rig(reference, plan))

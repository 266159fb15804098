"""Which joints of a BVH file an edit may write, and which canonical joints they stand for."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .bvh_numbers import BvhText
from .editing import joints_of, parts_of
from .editing.asked import Asked
from .errors import ScaleMoGenError
from .retarget import Retargeter
from .skeleton import canonical

_SPINE = joints_of(("spine",))


@dataclass(frozen=True)
class BvhRegion:
    """What asked words mean for a file.

    joints: canonical joints that may change.  bones: names of the file's joints that may be
    written; untouched: asked, but no joint of the model or without three rotation channels.
    followers: the joints of the file that would follow a canonical joint (for standing feet).
    """

    joints: tuple[str, ...]
    bones: tuple[str, ...]
    untouched: tuple[str, ...] = ()
    followers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def with_joints(self, joints: Iterable[str]) -> tuple[str, ...]:
        """The bones, and those of further canonical joints."""
        more = (bone for joint in joints for bone in self.followers.get(joint, ()))
        return tuple(dict.fromkeys((*self.bones, *more)))


def region_of(meant: Asked, retargeter: Retargeter, text: BvhText, name: str) -> BvhRegion:
    """The region of asked parts and bones.

    ScaleMoGenError if nothing that was asked can be edited, or the root where nothing can move.
    """
    names = text.clip.joint_names
    joints_by_bone = {
        bone: joints
        for bone, joints in _joints_by_bone(retargeter).items()
        if turn_columns(text, names.index(bone)) is not None
    }
    wanted = {
        bone
        for bone, joints in joints_by_bone.items()
        if bone in meant.bones or set(parts_of(joints)) & set(meant.parts)
    }
    joints = {joint for bone in wanted for joint in joints_by_bone[bone]}
    # Of a part that is asked as a whole also the joints without a bone: the others hang on them.
    whole = set(parts_of(tuple(joints))) & set(meant.parts)
    joints.update(joints_of(tuple(whole)))
    untouched = tuple(bone for bone in meant.bones if bone not in wanted)
    if not joints:
        asked = ", ".join((*meant.parts, *meant.bones))
        raise ScaleMoGenError(
            f"nothing of {asked} can be edited in {name}: the model has no counterpart (fingers, "
            "face, props and twist bones stay as they are). Name one of "
            f"{', '.join(list(joints_by_bone)[:8])}."
        )
    if "pelvis" in joints and carrier(text, retargeter) is None:
        raise ScaleMoGenError(
            f"the root of {name} is asked, but its hips have no position channels and cannot "
            "travel; ask for other bones, for example --bones spine,left_arm"
        )
    followers: dict[str, tuple[str, ...]] = {}
    for bone in names:
        for joint in joints_by_bone.get(bone, ()):
            followers[joint] = (*followers.get(joint, ()), bone)
    ordered = tuple(joint for joint in canonical().joint_names if joint in joints)
    bones = tuple(bone for bone in names if bone in wanted)
    return BvhRegion(ordered, bones, untouched, followers)


def _joints_by_bone(retargeter: Retargeter) -> dict[str, tuple[str, ...]]:
    """The canonical joints of the file's mapped joints."""
    skeleton, rig = retargeter.skeleton, retargeter.rig
    slots = {bone: slot for slot, chain in retargeter.bone_map.bones.items() for bone in chain}
    found: dict[str, tuple[str, ...]] = {}
    for driver in retargeter.drivers:
        bone = rig.bone_names[driver.bone]
        slot = slots.get(bone, "pelvis")
        if driver.joint == 0 and driver.blend == 0.0:
            found[bone] = ("pelvis",)  # also the spine's bone that carries the legs
        elif slot == "spine":
            ends = {skeleton.joint_names[driver.joint]}
            if driver.blend > 0.0:
                ends.add(skeleton.joint_names[driver.other])
            found[bone] = tuple(joint for joint in _SPINE if joint in ends) or _SPINE[:1]
        else:
            found[bone] = (slot,)
    return found


def turn_columns(text: BvhText, joint: int) -> tuple[tuple[int, ...], str] | None:
    """The columns of a joint's angles and their order ("ZXY"); None if they cannot say any turn."""
    columns = text.columns_of(joint, "rotation")
    order = "".join(text.table.columns[column][1][0] for column in columns).upper()
    return (columns, order) if sorted(order) == ["X", "Y", "Z"] else None


def place_columns(text: BvhText, joint: int) -> tuple[int, int, int] | None:
    """The columns of a joint's x, y and z; None if it has not all three."""
    by_axis = {text.table.columns[c][1][0]: c for c in text.columns_of(joint, "position")}
    return (by_axis["x"], by_axis["y"], by_axis["z"]) if len(by_axis) == 3 else None


def carrier(text: BvhText, retargeter: Retargeter) -> int | None:
    """The joint whose position channels carry the hips through the world: theirs, or above."""
    rig = retargeter.rig
    for joint in (retargeter.mover, *rig.ancestors(retargeter.mover)):
        if place_columns(text, joint) is not None:
            return joint
    return None

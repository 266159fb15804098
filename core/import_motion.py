"""Any humanoid BVH motion on the canonical skeleton, ready to train on; numpy only."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from .bvh import BvhClip, motion_from_bvh
from .coordinates import CENTIMETRES_PER_METRE
from .errors import ScaleMoGenError
from .features.heading import facing_forward, lowered
from .motion import Motion
from .retarget.body_frame import TOE_HEIGHT
from .retarget.bone_map import BoneMap, map_bones
from .retarget.recover import recover_motion
from .retarget.rest_rig import RestRig
from .retarget.transfer import Retargeter
from .rotations import (
    make_continuous,
    quaternion_rotate,
    quaternion_to_matrix,
    rotation_angle,
)
from .skeleton import canonical

#: A lower foot below the floor in two frames of a hundred is noise, not a hole in the floor.
_FLOOR_PERCENTILE = 2.0

LONGEST_SECONDS = 12.0
WINDOW_SECONDS = 8.0
SHORTEST_SECONDS = 0.6
PADDED_SECONDS = 1.0

#: More than this within one frame at 30 fps is a fault of the capture, not a movement.
MOST_RADIANS_PER_FRAME = 1.6
MOST_METRES_PER_FRAME = 0.45


def canonical_motion(clip: BvhClip, name: str = "motion", rest_frame: int | None = None) -> Motion:
    """The motion of a BVH file on the canonical skeleton, in metres, at the file's frame rate.

    Our own files are taken as they are.  Others are retargeted: bones are found by name, rest
    directions aligned in world space, the path scaled by leg length.  The rest pose is the one of
    the file's offsets, or the pose of ``rest_frame`` where those do not form a standing body.
    Raises ScaleMoGenError when the skeleton has no hips or legs.
    """
    if rest_frame is None and (own := motion_from_bvh(clip)) is not None:
        return own
    if not len(clip.rotations):
        raise ScaleMoGenError(f"{name} has no frames. Export the motion again.")
    rotations, positions = clip.globals()
    rig, bone_map = mapped(clip, name, rest_frame)
    retargeter = Retargeter.build(rig, bone_map, canonical())
    hip_bones = [bone_map.bone(f"{side}_hip") for side in ("left", "right")]
    hips = np.mean([positions[:, rig.index(bone)] for bone in hip_bones if bone], axis=0)
    return recover_motion(retargeter, rotations, hips * rig.scale, clip.fps)


def recognised(clip: BvhClip, name: str = "motion") -> BoneMap:
    """What the joints of a file were taken for; errors as of :func:`canonical_motion`."""
    return mapped(clip, name)[1]


def mapped(
    clip: BvhClip, name: str = "motion", rest_frame: int | None = None
) -> tuple[RestRig, BoneMap]:
    """A file's skeleton as a rig, and what its joints were taken for."""
    rig = _rest_rig(clip, name, rest_frame)
    return rig, map_bones(rig.bone_names, rig.parents, name, rig.heads)


def _rest_rig(clip: BvhClip, name: str, rest_frame: int | None) -> RestRig:
    """The file's skeleton as a rig whose bones have the world's axes at rest."""
    count = len(clip.joint_names)
    if rest_frame is None:
        still = dataclasses.replace(
            clip,
            rotations=np.tile([1.0, 0.0, 0.0, 0.0], (1, count, 1)),
            translations=clip.offsets[None],
        )
        rotations, positions = (values[0] for values in still.globals())
    elif 0 <= rest_frame < len(clip.rotations):
        rotations, positions = (values[rest_frame] for values in clip.globals())
    else:
        raise ScaleMoGenError(
            f"{name} has no frame {rest_frame}. Name one from 0 to {len(clip.rotations) - 1}."
        )
    rest = np.tile(np.eye(4), (count, 1, 1))
    rest[:, :3, :3] = quaternion_to_matrix(rotations)
    rest[:, :3, 3] = positions
    # Leg length decides about the size later; centimetres only keep "small" small.
    to_world = np.diag([1 / CENTIMETRES_PER_METRE] * 3 + [1.0])
    tails = np.array([_tail(clip, joint) for joint in range(count)])
    return RestRig(
        name=name,
        bone_names=clip.joint_names,
        parents=clip.parents,
        rest=rest,
        to_world=to_world,
        tails=positions + quaternion_rotate(rotations, tails),
        connected=np.zeros(count, dtype=bool),
        inherits_rotation=np.ones(count, dtype=bool),
        local_location=np.ones(count, dtype=bool),
    )


def _tail(clip: BvhClip, joint: int) -> np.ndarray:
    """Where a joint's bone ends, from the joint: at its first child or End Site."""
    children = [child for child, parent in enumerate(clip.parents) if parent == joint]
    if children:
        return clip.offsets[children[0]]
    return clip.end_sites.get(joint, np.array([0.0, 1.0, 0.0]))


# --- making it fit for training ------------------------------------------------------------------


def training_clips(motion: Motion) -> Iterator[tuple[int, Motion]]:
    """(first frame, clip) of every piece of a take, at the skeleton's frame rate.

    Long takes are cut into windows, very short ones held to one second, those under 0.6 s and
    remainders dropped; every piece stands on the floor, above the origin, facing +Z.
    """
    take = on_floor(motion.resampled(motion.skeleton.fps))
    fps = take.fps
    window = take.frame_count
    if take.seconds > LONGEST_SECONDS:
        window = round(WINDOW_SECONDS * fps)
    for start in range(0, take.frame_count, window):
        piece = take.at_frames(slice(start, start + window))
        if piece.seconds < SHORTEST_SECONDS:
            continue
        piece = facing_forward(held(piece, round(PADDED_SECONDS * fps)))
        yield start, dataclasses.replace(piece, rotations=make_continuous(piece.rotations))


def held(motion: Motion, frames: int) -> Motion:
    """A motion of at least so many frames: both ends are held where it is shorter."""
    missing = max(0, frames - motion.frame_count)
    at = np.arange(frames if missing else motion.frame_count) - missing // 2
    return motion.at_frames(np.clip(at, 0, motion.frame_count - 1))


def on_floor(motion: Motion) -> Motion:
    """Lowered or lifted so that the standing toe joints are as high as a sole is thick."""
    skeleton = motion.skeleton
    toes = [skeleton.index("left_foot"), skeleton.index("right_foot")]
    lower = motion.positions()[:, toes, 1].min(axis=1)
    return lowered(motion, float(np.percentile(lower, _FLOOR_PERCENTILE)) - TOE_HEIGHT)


def fault(motion: Motion) -> str | None:
    """Why a clip should not be learned from, or None."""
    if not np.isfinite(motion.rotations).all() or not np.isfinite(motion.root_positions).all():
        return "it holds values that are not numbers"
    if motion.frame_count < 2:
        return None
    turned = rotation_angle(motion.rotations[1:], motion.rotations[:-1])
    if turned.max() > MOST_RADIANS_PER_FRAME:
        joint = motion.skeleton.joint_names[int(turned.max(axis=0).argmax())]
        return f"{joint} turns {np.degrees(turned.max()):.0f} degrees within a frame"
    moved = np.linalg.norm(np.diff(motion.root_positions, axis=0), axis=-1)
    if moved.max() > MOST_METRES_PER_FRAME:
        return f"the hips move {moved.max():.2f} m within a frame"
    return None

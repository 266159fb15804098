"""A pose in place of the rest pose, for rigs whose rest pose is not how their mesh stands.

It is kept with the rig as JSON: the bones' names, and their matrices in armature space, packed.
"""

from __future__ import annotations

import json

import bpy
import numpy as np

from .. import armature, character
from .._core import errors
from ..results import storage

_NUMBER = np.dtype("<f4")


def is_stored(rig: bpy.types.Object) -> bool:
    """Whether a rig has a reference pose."""
    return bool(stored_text(rig))


def stored_text(rig: bpy.types.Object) -> str:
    """The packed pose; empty without one. Asking leaves nothing on the rig."""
    return rig.scalemogen.reference_pose if rig.is_property_set("scalemogen") else ""


def remember(rig: bpy.types.Object) -> None:
    """Make the rig's present pose its reference pose."""
    names, _ = armature.names_and_parents(rig)
    with character.evaluated(rig):
        matrices = armature.pose_matrices(rig)
    packed = storage.pack_bytes(matrices.astype(_NUMBER).tobytes())
    table = {"bones": names, "matrices": packed}
    rig.scalemogen.reference_pose = json.dumps(table, ensure_ascii=False)


def forget(rig: bpy.types.Object) -> None:
    """Let the rest pose be the reference again."""
    rig.scalemogen.property_unset("reference_pose")


def reference(rig: bpy.types.Object) -> np.ndarray | None:
    """Matrices [B, 4, 4] of the reference pose in armature space, parents first; None for rest.

    Bones that the rig has got since are at rest below their parents. ScaleMoGenError if what is
    stored is damaged.
    """
    text = stored_text(rig)
    if not text:
        return None
    known = _unpacked(text, rig.name)
    found: dict[str, np.ndarray] = {}
    for bone in armature.bones_parents_first(rig):
        matrix = known.get(bone.name)
        if matrix is None:
            rest = np.array(bone.matrix_local, dtype=np.float64)
            matrix = rest
            if bone.parent is not None:
                above = np.array(bone.parent.matrix_local, dtype=np.float64)
                matrix = found[bone.parent.name] @ np.linalg.inv(above) @ rest
        found[bone.name] = matrix
    return np.array(list(found.values())).reshape(-1, 4, 4)


def _unpacked(text: str, rig_name: str) -> dict[str, np.ndarray]:
    try:
        table = json.loads(text)
        names = [str(name) for name in table["bones"]]
        raw = np.frombuffer(storage.unpack_bytes(table["matrices"]), _NUMBER)
        matrices = raw.reshape(len(names), 4, 4).astype(np.float64)
        turned = np.abs(np.linalg.det(matrices[:, :3, :3]))
        if not (np.isfinite(matrices).all() and (turned > 1e-9).all()):
            raise ValueError("no poses of bones")
    except (errors.ScaleMoGenError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise errors.ScaleMoGenError(
            f"The reference pose of '{rig_name}' is damaged; clear it under Rig, Retargeting."
        ) from error
    return dict(zip(names, matrices, strict=True))

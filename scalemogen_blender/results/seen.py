"""What a rig was last seen to do: sampling a control rig takes seconds, and edits need it twice.

First when the button is pressed, then when the result lands; and again for every other variation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.app.handlers import persistent

from .. import bake, compat, interface
from ..edit.key_table import KEY
from ..rig import fingerprint, state
from . import outside, rig_snapshot

if TYPE_CHECKING:
    from ..edit.reading import Reading

#: Seconds after which it is dropped: a minute of a control rig takes a few hundred megabytes.
_KEPT = 300.0

#: What the rig was like, what was seen, and which other datablocks have a say in it.
_last: tuple[tuple[object, ...], Reading, frozenset[int]] | None = None


def read(rig: bpy.types.Object, first: int, last: int) -> Reading:
    """The rig at some scene frames; from before, if nothing that moves it has changed since."""
    from ..edit import reading

    return reading.finished(steps(rig, first, last))


def steps(rig: bpy.types.Object, first: int, last: int) -> Generator[float, None, Reading]:
    """:func:`read` in steps, which yield how far it is."""
    global _last
    from ..edit import reading

    key = (rig.session_uid, first, _digest(rig), state.state(rig))
    movers = outside.movers(rig)
    if movers:  # what they have become is told when they are evaluated
        bpy.context.view_layer.update()
    if _last is not None and _is_same(_last[0], key) and _last[2] == movers:
        known = _last[1]
        if last == known.last:
            return known
        if last > known.last:
            return reading.extended(rig, known, last - known.last)
    forget()
    found = yield from reading.steps(rig, first, last)
    _last = (key, found, movers)
    if _others_changed not in bpy.app.handlers.depsgraph_update_post:
        bpy.app.handlers.depsgraph_update_post.append(_others_changed)
    bpy.app.timers.register(forget, first_interval=_KEPT)
    return found


def forget() -> None:
    """Keep nothing in memory."""
    global _last
    _last = None
    interface.stop_listening(bpy.app.handlers.depsgraph_update_post, _others_changed)
    if bpy.app.timers.is_registered(forget):
        bpy.app.timers.unregister(forget)


def after_undo() -> None:
    """Blender does not tell what else is as it was before."""
    if _last is not None and _last[2]:
        forget()


@persistent
def _others_changed(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Blender has evaluated what was changed; a change of the frame is none."""
    global _last
    if _last is not None and _last[2] and outside.moved(depsgraph, _last[2]):
        _last = None  # and goes on listening: who leaves a list that is read hides the next one


def _is_same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return one[:-1] == other[:-1] and one[-1] is other[-1]


def _digest(rig: bpy.types.Object) -> bytes:
    """Changes with the keys, the strips, the frame rate, and poses that are not keyed."""
    summed = hashlib.blake2b(digest_size=16)
    keyed, paths = set(), set()
    for curve in compat.active_curves(rig):
        keyed.add(compat.bone_of(curve.data_path))
        paths.add(curve.data_path)
        summed.update(f"{curve.data_path}{curve.array_index}{curve.extrapolation}".encode())
        summed.update(f"{curve.mute}{[m.type for m in curve.modifiers]}".encode())
        summed.update(compat.read_key_table(curve, KEY).tobytes())
    free = np.array([bone.name not in keyed for bone in rig.pose.bones], dtype=bool)
    summed.update(rig_snapshot.channels(rig)[free].tobytes())
    modes = [bone.rotation_mode for bone in rig.pose.bones]
    about = [bake.scene_fps(bpy.context.scene), rig.data.pose_position, modes, _strips(rig)]
    about += [fingerprint(rig), outside.state(rig, paths)]
    summed.update(repr(about).encode())
    return summed.digest()


def _strips(rig: bpy.types.Object) -> list[object]:
    animation = rig.animation_data
    if animation is None:
        return []
    found: list[object] = [animation.use_nla, animation.use_tweak_mode]
    found += [animation.action_blend_type, animation.action_influence]
    for track in animation.nla_tracks:
        found += [track.mute, track.is_solo]
        for strip in compat.strips_within(track.strips):
            found += [strip.mute, strip.frame_start, strip.frame_end, strip.blend_type]
            found += [strip.scale, strip.repeat, strip.influence, strip.extrapolation]
            found += [strip.action_frame_start, strip.action_frame_end]
            found.append(strip.action.session_uid if strip.action is not None else 0)
    return found

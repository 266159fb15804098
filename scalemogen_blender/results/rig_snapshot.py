"""Everything about a rig that a preview could disturb, as JSON, and putting it back exactly.

Blender's own numbers are single precision; as JSON numbers they come back bit for bit.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import bpy
import numpy as np

from .. import compat
from . import animated_values, remembered, storage

#: Channels of a bone, and how many numbers each has.
_CHANNELS = {
    "location": 3,
    "rotation_quaternion": 4,
    "rotation_euler": 3,
    "rotation_axis_angle": 4,
    "scale": 3,
}


def capture(rig: bpy.types.Object) -> dict[str, Any]:
    """The rig as it is; nothing is changed.  The action itself is kept by a pointer elsewhere."""
    animation = rig.animation_data
    return {
        "animation": None if animation is None else _animation(animation),
        "pose_position": rig.data.pose_position,
        "bones": _bones(rig),
        "modes": [bone.rotation_mode for bone in rig.pose.bones],
        "channels": storage.pack_bytes(channels(rig).tobytes()),
        "values": animated_values.capture(rig),
        "selected": compat.selected_bones(rig),
        "active_bone": rig.data.bones.active.name if rig.data.bones.active else None,
    }


def leave_tweak_mode(rig: bpy.types.Object) -> None:
    """Blender refuses to change the action while a strip is tweaked in its place."""
    if rig.animation_data is not None and rig.animation_data.use_tweak_mode:
        rig.animation_data.use_tweak_mode = False


def restore_animation(
    rig: bpy.types.Object, action: bpy.types.Action | None, state: dict[str, Any]
) -> None:
    """Action, slot, NLA and tweak mode; before the scene is evaluated."""
    leave_tweak_mode(rig)
    kept = state.get("animation", {})
    if kept is None and action is None:
        _clear_animation(rig)
    else:
        animation = rig.animation_data_create()
        kept = kept if isinstance(kept, dict) else {}
        slot = kept.get("slot", -1)
        # Also when there is no action: that sets what Blender remembers of the last slot.
        compat.assign_action(animation, action, slot if isinstance(slot, int | None) else -1)
        _restore_settings(animation, kept)
    restore_display(rig, state)


def _restore_settings(animation: bpy.types.AnimData, kept: dict[str, Any]) -> None:
    """All that animation data has beside its action."""
    animation.use_nla = bool(kept.get("use_nla", True))
    for name in ("blend_type", "influence", "extrapolation"):
        with remembered.tolerating_damage():
            setattr(animation, f"action_{name}", kept[name])
    with remembered.tolerating_damage():
        compat.set_last_slot(animation, kept["last_slot"])
    with remembered.tolerating_damage():
        _restore_tracks(animation, kept["tracks"])
    with remembered.tolerating_damage():
        if kept["tweaked"] is not None:
            _enter_tweak_mode(animation, kept["tweaked"])


def restore_display(rig: bpy.types.Object, state: dict[str, Any]) -> None:
    """Rest or pose position of the armature."""
    with remembered.tolerating_damage():
        _set(rig.data, "pose_position", state["pose_position"])


def restore_nla(rig: bpy.types.Object, state: dict[str, Any]) -> None:
    """Whether the NLA is on: all that a preview has changed of an action that is not its own."""
    with remembered.tolerating_damage():
        if rig.animation_data is not None and state["animation"] is not None:
            rig.animation_data.use_nla = state["animation"]["use_nla"]


def restore_pose(rig: bpy.types.Object, state: dict[str, Any]) -> None:
    """Bones and animated values, exactly; after the scene is evaluated, which overwrites them."""
    with remembered.tolerating_damage():
        _restore_bones(rig, state)
    with remembered.tolerating_damage():
        animated_values.restore(rig, state["values"])
    restore_touched(rig, state)


def restore_touched(rig: bpy.types.Object, state: dict[str, Any]) -> None:
    """Where the object stands, and switches, if previews have changed them."""
    with remembered.tolerating_damage():
        animated_values.restore(rig, state.get("touched", {}))


def restore_bones(rig: bpy.types.Object, state: dict[str, Any], names: Container[str]) -> None:
    """Only some of the bones."""
    with remembered.tolerating_damage():
        _restore_bones(rig, state, names)


def _restore_bones(
    rig: bpy.types.Object, state: dict[str, Any], only: Container[str] | None = None
) -> None:
    shape = (len(state["bones"]), sum(_CHANNELS.values()))
    rows = np.frombuffer(storage.unpack_bytes(state["channels"]), np.float32).reshape(shape)
    now = dict(zip(_bones(rig), channels(rig), strict=True))
    for name, mode, row in zip(state["bones"], state["modes"], rows, strict=True):
        bone = rig.pose.bones.get(name)
        if bone is None or (only is not None and name not in only):
            continue
        if bone.rotation_mode != mode:  # converts the rotation, so the channels come after it
            bone.rotation_mode = mode
            _set_channels(bone, row)
        elif now[name].tobytes() != row.tobytes():
            _set_channels(bone, row)


def restore_selection(rig: bpy.types.Object, state: dict[str, Any]) -> None:
    """Selected bones and the active one."""
    if rig.mode == "EDIT":
        return  # there, other bones are selected
    with remembered.tolerating_damage():
        compat.select_bones(rig, state["selected"])
        _set(rig.data.bones, "active", rig.data.bones.get(state["active_bone"] or ""))


def _animation(animation: bpy.types.AnimData) -> dict[str, Any]:
    _, slot = compat.own_action(animation)
    tweaked = animation.use_tweak_mode
    return {
        "slot": slot,
        "last_slot": compat.last_slot(animation),
        "blend_type": animation.action_blend_type,
        "influence": animation.action_influence,
        "extrapolation": animation.action_extrapolation,
        "use_nla": animation.use_nla,
        "tweaked": animation.action.name if tweaked and animation.action else None,
        "tracks": [_track(track) for track in animation.nla_tracks],
    }


def _track(track: bpy.types.NlaTrack) -> dict[str, Any]:
    strips = [
        {
            "name": strip.name,
            "select": strip.select,
            "mute": strip.mute,
            "times": [getattr(strip, name) for name in _STRIP_TIMES],
        }
        for strip in track.strips
    ]
    return {
        "name": track.name,
        "mute": track.mute,
        "solo": track.is_solo,
        "select": track.select,
        "strips": strips,
    }


#: Leaving tweak mode makes some strips as long as their action; in the order of setting.
_STRIP_TIMES = ("action_frame_start", "action_frame_end", "frame_start_raw", "frame_end_raw")


def _restore_tracks(animation: bpy.types.AnimData, kept: list[dict[str, Any]]) -> None:
    tracks = {track.name: track for track in animation.nla_tracks}
    for state in kept:
        track = tracks.get(state["name"])
        if track is None:
            continue
        _set(track, "is_solo", state["solo"])
        _set(track, "mute", state["mute"])
        _set(track, "select", state["select"])
        strips = {strip.name: strip for strip in track.strips}
        for strip_state in state["strips"]:
            strip = strips.get(strip_state["name"])
            if strip is None:
                continue
            for name, value in zip(_STRIP_TIMES, strip_state["times"], strict=True):
                _set(strip, name, value)
            _set(strip, "select", strip_state["select"])
            _set(strip, "mute", strip_state["mute"])


def _set(owner: Any, name: str, value: Any) -> None:
    """Set what differs: setting alone can have consequences."""
    if getattr(owner, name) != value:
        setattr(owner, name, value)


def _enter_tweak_mode(animation: bpy.types.AnimData, action: str) -> None:
    animation.use_tweak_mode = True
    if animation.use_tweak_mode and (animation.action is None or animation.action.name != action):
        animation.use_tweak_mode = False  # another strip has become the active one since


def _clear_animation(rig: bpy.types.Object) -> None:
    """No animation data, unless it has got drivers or tracks since."""
    animation = rig.animation_data
    if animation is None:
        return
    animation.action = None
    if len(animation.drivers) or len(animation.nla_tracks):
        animation.use_nla = True
    else:
        rig.animation_data_clear()


def _bones(rig: bpy.types.Object) -> list[str]:
    return [bone.name for bone in rig.pose.bones]


def channels(rig: bpy.types.Object) -> np.ndarray:
    """All channels of all bones [B, 17]."""
    bones = rig.pose.bones
    columns = []
    for name, size in _CHANNELS.items():
        values = np.empty(len(bones) * size, dtype=np.float32)
        bones.foreach_get(name, values)
        columns.append(values.reshape(-1, size))
    return np.concatenate(columns, axis=1)


def _set_channels(bone: bpy.types.PoseBone, row: np.ndarray) -> None:
    at = 0
    for name, size in _CHANNELS.items():
        setattr(bone, name, row[at : at + size].tolist())
        at += size

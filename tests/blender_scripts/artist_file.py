"""Files of artists at random, and a dump of everything in them, for comparing before and after.

The dump walks Blender's own description of its data (RNA) and knows nothing of the add-on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np

from scalemogen_blender import pipeline

# Words of the dump that say nothing of the artist's work.
_IGNORED = {
    "rna_type",
    "session_uid",
    "tag",
    "is_evaluated",
    "original",
    "preview",
    "bound_box",  # of what was evaluated last, as is the next
    "dimensions",
    "is_updated",
    "is_updated_data",
    "scalemogen",
    "scalemogen_snapshot",
}
_DEPTH = 4
_WHOLE = {"keyframe_points", "strips", "nla_tracks", "slots", "layers", "channelbags", "fcurves"}
_BLEND = ("REPLACE", "ADD", "SUBTRACT", "MULTIPLY", "COMBINE")
_EXTRAPOLATION = ("HOLD", "HOLD_FORWARD", "NOTHING")
_MODES = ("QUATERNION", "AXIS_ANGLE", "XYZ", "YXZ", "ZYX")


def dump(users: bool = True) -> dict[str, Any]:
    """The file: how many of everything, all actions, objects with their animation, scenes.

    users: False leaves out how many use an object (results in the list do, too).
    """
    result: dict[str, Any] = {}
    for name in dir(bpy.data):
        collection = getattr(bpy.data, name)
        if isinstance(collection, bpy.types.bpy_prop_collection):
            result[f"all {name}"] = sorted(item.name_full for item in collection)
    for action in bpy.data.actions:
        result[f"action {action.name}"] = _struct(action, _DEPTH + 3)
        result[f"action {action.name} own"] = _own(action)
    for o in bpy.data.objects:
        result[f"object {o.name}"] = _object(o)
        if not users:
            del result[f"object {o.name}"]["users"]
    for armature in bpy.data.armatures:
        result[f"armature {armature.name}"] = _armature(armature)
    for scene in bpy.data.scenes:
        result[f"scene {scene.name}"] = _scene(scene)
    return result


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Where two dumps differ, in words."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in sorted(before.keys() | after.keys(), key=str):
            found += differences(before.get(key, "-"), after.get(key, "-"), f"{path}/{key}")
        return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        found = []
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            found += differences(old, new, f"{path}[{i}]")
        return found
    return [f"{path}: {before!r} -> {after!r}"[:300]]


def undone_and_redone(
    states: list[Any], names: list[str], state: Callable[[], Any], seed: int
) -> dict[str, list[str]]:
    """What is not as it was after every step is undone and then redone again.

    states: before the first and after each of the steps that are called names.
    """
    wrong = {}
    for i in range(len(names) - 1, -1, -1):
        bpy.ops.ed.undo()
        if found := differences(states[i], state()):
            wrong[f"{seed} undo {names[i]}"] = found[:4]
    for i in range(len(names)):
        bpy.ops.ed.redo()
        if found := differences(states[i + 1], state()):
            wrong[f"{seed} redo {names[i]}"] = found[:4]
    return wrong


def _object(o: bpy.types.Object) -> dict[str, Any]:
    found = _struct(o, 1)
    found["matrix_world"] = [list(row) for row in o.matrix_world]
    found["own"] = _own(o)
    if o.animation_data is not None:
        found["animation"] = _struct(o.animation_data, _DEPTH)
        found["drivers"] = [d.data_path for d in o.animation_data.drivers]
    if o.pose is not None:
        found["pose"] = {}
        for bone in o.pose.bones:
            found["pose"][bone.name] = _struct(bone, 1)
            found["pose"][bone.name]["own"] = _own(bone)
            found["pose"][bone.name]["constraints"] = [_struct(c, 1) for c in bone.constraints]
    return found


def _armature(armature: bpy.types.Armature) -> dict[str, Any]:
    found = _struct(armature, 1)
    found["bones"] = {bone.name: _struct(bone, 1) for bone in armature.bones}
    found["active"] = armature.bones.active.name if armature.bones.active else None
    return found


def _scene(scene: bpy.types.Scene) -> dict[str, Any]:
    found = _struct(scene, 1)
    found["render"] = _struct(scene.render, 1)
    found["objects"] = sorted(o.name for o in scene.objects)
    for layer in scene.view_layers:
        found[f"layer {layer.name}"] = {
            "selected": sorted(o.name for o in layer.objects if o.select_get(view_layer=layer)),
            "hidden": sorted(o.name for o in layer.objects if o.hide_get(view_layer=layer)),
            "active": layer.objects.active.name if layer.objects.active else None,
            "collections": sorted(c.name for c in layer.layer_collection.children),
        }
    return found


def _struct(struct: Any, depth: int) -> Any:
    """All that RNA says of a struct, pointers as names."""
    found = {}
    for prop in struct.bl_rna.properties:
        name = prop.identifier
        if name in _IGNORED:
            continue
        try:
            value = getattr(struct, name)
        except (AttributeError, RuntimeError):
            continue
        if prop.type == "COLLECTION":
            if name == "keyframe_points" and depth > 0:
                found[name] = _columns(value)
            elif name in _WHOLE and depth > 0:
                found[name] = [_struct(item, depth - 1) for item in value]
            elif depth > 0 and name == "groups":
                found[name] = [group.name for group in value]
        elif prop.type == "POINTER":
            found[name] = getattr(value, "name", None if value is None else type(value).__name__)
        elif prop.type == "ENUM" and prop.is_enum_flag:
            found[name] = sorted(value)
        elif getattr(prop, "is_array", False):
            found[name] = _plain(value)
        else:
            found[name] = value
    bags = getattr(struct, "channelbags", None)
    if bags is not None:
        found["bags"] = [[_struct(c, 2) for c in bag.fcurves] for bag in bags]
    return found


def _columns(points: Any) -> dict[str, Any]:
    """All that RNA says of many keys, the bytes of each property: thousands are read at once."""
    found: dict[str, Any] = {"count": len(points)}
    for prop in points[0].bl_rna.properties if len(points) else ():
        if prop.identifier in _IGNORED or prop.type == "POINTER":
            continue
        width = prop.array_length if getattr(prop, "is_array", False) else 1
        values = np.zeros(len(points) * width, np.float32 if prop.type == "FLOAT" else np.int32)
        points.foreach_get(prop.identifier, values)
        found[prop.identifier] = values.tobytes()
    return found


def _own(owner: Any) -> dict[str, str]:
    """Custom properties."""
    values = {key: value for key, value in owner.items() if key not in _IGNORED}
    return {k: str(v.to_dict() if hasattr(v, "to_dict") else v) for k, v in values.items()}


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if hasattr(value, "__len__") else value


# Building ---------------------------------------------------------------------------------------


def build(seed: int) -> bpy.types.Object:
    """A new file with a rig in one of the many states that artists leave rigs in."""
    rng = random.Random(seed)
    rig = pipeline.open_rig("mannequin")
    rig.pose.bones[3]["ik_fk"] = 0.25
    _modes(rng, rig)
    _second_object(rng)
    _animation(rng, rig)
    _scene_state(rng, bpy.context.scene)
    _constraint(rng, rig)
    bpy.context.view_layer.update()
    _tweak(rng, rig)
    _selection(rng, rig)
    bpy.context.scene.frame_set(rng.randint(-5, 60), subframe=rng.choice([0.0, 0.25, 0.6]))
    if rng.random() < 0.7:
        _unkeyed_pose(rng, rig)  # moved, and not keyed
    rig.data.pose_position = rng.choice(["POSE", "POSE", "REST"])
    bpy.context.view_layer.update()
    return rig


def _number(rng: random.Random) -> float:
    return rng.uniform(-1.5, 1.5)


def _modes(rng: random.Random, rig: bpy.types.Object) -> None:
    for bone in rig.pose.bones:
        bone.rotation_mode = rng.choice(_MODES)
        bone.lock_rotation = [rng.random() < 0.1] * 3


def _unkeyed_pose(rng: random.Random, rig: bpy.types.Object) -> None:
    for bone in rig.pose.bones:
        if rng.random() < 0.6:
            bone.location = [_number(rng) for _ in range(3)]
            bone.rotation_quaternion = [_number(rng) for _ in range(4)]
            bone.rotation_euler = [3 * _number(rng) for _ in range(3)]
            bone.rotation_axis_angle = [_number(rng) for _ in range(4)]
            bone.scale = [1.0 + 0.3 * _number(rng) for _ in range(3)]
    rig.pose.bones[3]["ik_fk"] = rng.random()
    if rng.random() < 0.5:
        rig.location = [_number(rng) for _ in range(3)]


def _action(rng: random.Random, rig: bpy.types.Object, name: str) -> bpy.types.Action:
    """Keys on some bones, a custom property, the object; the rig's active action afterwards."""
    animation = rig.animation_data_create()
    action = bpy.data.actions.new(name)
    action["note"] = name
    animation.action = action
    for frame in sorted(rng.sample(range(-20, 80), rng.randint(1, 4))):
        for bone in rng.sample(list(rig.pose.bones), 6):
            bone.location = [_number(rng) for _ in range(3)]
            bone.rotation_quaternion = [_number(rng) for _ in range(4)]
            bone.keyframe_insert("location", frame=frame + rng.choice([0.0, 0.5]))
            bone.keyframe_insert("rotation_quaternion", frame=frame)
            bone.keyframe_insert("rotation_euler", frame=frame)
            bone.keyframe_insert("scale", index=1, frame=frame)
        rig.pose.bones[3].keyframe_insert('["ik_fk"]', frame=frame)
        rig.keyframe_insert("location", frame=frame)
    if rng.random() < 0.3:
        for curve in _curves(action):
            curve.mute = rng.random() < 0.3
    return action


def _curves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    return [c for bag in action.layers[0].strips[0].channelbags for c in bag.fcurves]


def _animation(rng: random.Random, rig: bpy.types.Object) -> None:
    if rng.random() < 0.15:
        return  # no animation data at all
    animation = rig.animation_data_create()
    for number in range(rng.choice([0, 0, 1, 2, 3])):
        strip_action = _action(rng, rig, f"strip {number}")
        start, _ = strip_action.frame_range
        track = animation.nla_tracks.new()
        strip = track.strips.new(strip_action.name, int(start), strip_action)
        strip.use_sync_length = rng.random() < 0.3
        strip.extrapolation = rng.choice(_EXTRAPOLATION)
        strip.blend_type = rng.choice(_BLEND)
        strip.mute, strip.select = rng.random() < 0.2, rng.random() < 0.5
        strip.frame_end += rng.choice([0, 7])
        track.mute, track.select = rng.random() < 0.3, rng.random() < 0.5
        track.lock = rng.random() < 0.2
    kind = rng.choice(["none", "own", "own", "shared", "fake", "no slot"])
    animation.action = None
    if kind != "none":
        action = _action(rng, rig, "artist's own")
        if kind == "shared":
            cube = bpy.data.objects["Cube"]
            cube.animation_data_create().action = action
        elif kind == "fake":
            action.use_fake_user = True
        elif kind == "no slot" and hasattr(animation, "action_slot"):
            animation.action_slot = None
    animation.action_blend_type = rng.choice(_BLEND)
    animation.action_influence = rng.choice([1.0, 0.3])
    animation.action_extrapolation = rng.choice(_EXTRAPOLATION)
    if len(animation.nla_tracks) and rng.random() < 0.3:
        rng.choice(list(animation.nla_tracks)).is_solo = True
    animation.use_nla = rng.random() < 0.7
    if rng.random() < 0.2:
        rig.pose.bones[5].driver_add("rotation_quaternion", 1).driver.expression = "0.125"


def _tweak(rng: random.Random, rig: bpy.types.Object) -> None:
    animation = rig.animation_data
    if animation is not None and len(animation.nla_tracks) and rng.random() < 0.4:
        animation.use_tweak_mode = True


def _second_object(rng: random.Random) -> None:
    mesh = bpy.data.meshes.new("Cube")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    cube = bpy.data.objects.new("Cube", mesh)
    bpy.context.scene.collection.objects.link(cube)
    cube.keyframe_insert("scale", frame=1)
    cube.scale = (2, 2, 2)
    cube.keyframe_insert("scale", frame=rng.randint(20, 50))


def _constraint(rng: random.Random, rig: bpy.types.Object) -> None:
    if rng.random() < 0.3:
        constraint = rig.pose.bones[6].constraints.new("LIMIT_ROTATION")
        constraint.influence = rng.random()


def _scene_state(rng: random.Random, scene: bpy.types.Scene) -> None:
    scene.frame_end = rng.randint(50, 250)
    scene.frame_start = rng.randint(0, 50)
    scene.render.fps = rng.choice([24, 25, 30, 60])
    scene.render.fps_base = rng.choice([1.0, 1.001])
    if rng.random() < 0.5:
        scene.use_preview_range = True
        scene.frame_preview_end = rng.randint(20, 90)
        scene.frame_preview_start = rng.randint(-10, 20)
        scene.use_preview_range = rng.random() < 0.5


def _selection(rng: random.Random, rig: bpy.types.Object) -> None:
    objects = bpy.context.view_layer.objects
    objects.active = rng.choice([rig, rig, bpy.data.objects["Cube"], None])
    for o in objects:
        o.select_set(rng.random() < 0.5)
    for bone in rig.pose.bones:
        (bone if hasattr(bone, "select") else bone.bone).select = rng.random() < 0.5
    rig.data.bones.active = rng.choice([None, *rig.data.bones])
    if objects.active == rig and rng.random() < 0.6:
        rig.select_set(True)
        bpy.ops.object.mode_set(mode="POSE")
    elif objects.active is not None and objects.active.type == "MESH" and rng.random() < 0.6:
        bpy.ops.object.mode_set(mode=rng.choice(["WEIGHT_PAINT", "EDIT"]))

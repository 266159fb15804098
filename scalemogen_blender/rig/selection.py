"""Which armature is meant."""

import time

import bpy

from . import state

#: Buttons ask many times while one list is drawn; this long (seconds) they may trust the answer.
_FRESH = 0.1

#: What the scene was like when its armatures were last looked for, and their names and uids.
_seen: tuple[object, list[tuple[str, int]]] = (None, [])
#: When a target was last found, in which scene, its name and uid.
_recent: tuple[float, int, str, int] = (0.0, 0, "", 0)


def target(context: bpy.types.Context) -> bpy.types.Object | None:
    """The armature that motions go to, or None.

    The one picked in the panel, else the active armature (or the one that deforms the active
    mesh), else the only one in the scene.
    """
    global _recent
    rig = _find(context)
    if rig is not None:
        _recent = (time.monotonic(), context.scene.session_uid, rig.name, rig.session_uid)
    return rig


def recent_target(context: bpy.types.Context) -> bpy.types.Object | None:
    """Like :func:`target`, but a moment old perhaps: for buttons that are drawn again and again."""
    when, scene, name, uid = _recent
    if time.monotonic() - when < _FRESH and context.scene.session_uid == scene:
        rig = context.scene.objects.get(name)
        if rig is not None and rig.session_uid == uid:
            return rig
    return target(context)


def _find(context: bpy.types.Context) -> bpy.types.Object | None:
    scene = context.scene
    if scene is None:
        return None
    picked = scene.scalemogen.rig.target
    if picked is not None and picked.type == "ARMATURE" and is_in_file(picked):
        return picked
    view_layer = context.view_layer
    active = view_layer.objects.active if view_layer is not None else None
    if active is not None:
        rig = active if active.type == "ARMATURE" else active.find_armature()
        if rig is not None:
            return rig
    found = armatures(scene)
    return found[0] if len(found) == 1 else None


def is_in_scene(scene: bpy.types.Scene, o: bpy.types.Object) -> bool:
    """Whether an object is in a scene; cheap, also in scenes of ten thousand."""
    named = scene.objects.get(o.name)
    # A linked object may have the name of another: then the first of them was found.
    return named == o or (named is not None and any(other == o for other in scene.objects))


def is_in_file(o: bpy.types.Object) -> bool:
    """Whether an object was not deleted: a pointer to it keeps it in the file nevertheless."""
    return any(is_in_scene(scene, o) for scene in bpy.data.scenes) or bool(o.users_collection)


def armatures(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The scene's armature objects; of many the first two."""
    global _seen
    data = bpy.data
    # Looking through ten thousand objects takes longer than drawing a panel may.
    key = (
        scene.session_uid,
        len(data.objects),
        tuple((armature.session_uid, armature.users) for armature in data.armatures),
    )
    if _seen[0] == key:
        found = [scene.objects.get(name) for name, _ in _seen[1]]
        if [o and o.session_uid for o in found] == [uid for _, uid in _seen[1]]:
            return found
    found = []
    if data.armatures:
        for o in scene.objects:
            if o.type == "ARMATURE":
                found.append(o)
                if len(found) > 1:
                    break
    _seen = (key, [(o.name, o.session_uid) for o in found])
    return found


def problem(context: bpy.types.Context) -> str | None:
    """Why there is no rig to put a motion on, with the remedy; None if there is one."""
    rig = target(context)
    if rig is not None:
        return state.rig_problem(rig)
    if context.scene is not None and armatures(context.scene):
        return "There are several armatures. Select one, or pick it under Rig"
    return "There is no armature in the scene. Add one, or press Add Mannequin under Rig"

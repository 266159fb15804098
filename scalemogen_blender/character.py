"""The objects that make up a character, and making them visible for a while."""

import contextlib
from collections.abc import Iterable, Iterator

import bpy


def members(rig: bpy.types.Object) -> list[bpy.types.Object]:
    """The armature, the meshes that it deforms or carries, and the objects between them.

    Wherever they are: in other scenes, in collections that are excluded or hidden. The drawn
    shapes of bones are not part of the character.
    """
    shapes = {bone.custom_shape for bone in rig.pose.bones} - {None}
    below = set(rig.children_recursive)
    deformed = [o for o in bpy.data.objects if o.type == "MESH" and _deforms(rig, o)]
    for mesh in deformed:
        below.update((mesh, *mesh.children_recursive))
    meshes = [o for o in bpy.data.objects if o.type == "MESH" and o in below - shapes]
    found = dict.fromkeys([rig, *meshes])
    for mesh in meshes:
        carrier = mesh.parent
        while carrier in below:
            found[carrier] = None
            carrier = carrier.parent
    return list(found)


def _deforms(rig: bpy.types.Object, mesh: bpy.types.Object) -> bool:
    return any(m.type == "ARMATURE" and m.object == rig for m in mesh.modifiers)


@contextlib.contextmanager
def shown(objects: Iterable[bpy.types.Object]) -> Iterator[None]:
    """Objects in the view layer, visible and selectable, for a while.

    Blender neither evaluates nor selects what is hidden: without this, a hidden rig would be
    measured without its transform and missing from an exported file.
    """
    objects = list(objects)
    scene, layer = bpy.context.scene, bpy.context.view_layer
    present = set(layer.objects)
    closed_eyes = [o for o in objects if o in present and o.hide_get()]
    flags = [(o, o.hide_viewport, o.hide_select) for o in objects]
    # One open collection is enough to show its objects, however closed their other ones are.
    stage = bpy.data.collections.new("ScaleMoGen shown")
    scene.collection.children.link(stage)
    try:
        for o in objects:
            stage.objects.link(o)
            o.hide_viewport = o.hide_select = False
            o.hide_set(False)
        layer.update()
        yield
    finally:
        for o, hidden, unselectable in flags:
            o.hide_viewport, o.hide_select = hidden, unselectable
        for o in closed_eyes:
            o.hide_set(True)
        bpy.data.collections.remove(stage)
        layer.update()


@contextlib.contextmanager
def evaluated(rig: bpy.types.Object) -> Iterator[None]:
    """The rig as Blender evaluates it now, for a while, wherever and however hidden it is."""
    if rig.visible_get():
        bpy.context.view_layer.update()
        yield
        return
    with shown([rig]):
        yield

"""Blender's own operators and bundled add-ons."""

from typing import Any

import bpy


def import_fbx(path: str, animated: bool = False) -> None:
    """Add an FBX file's objects to the scene, with or without their animation.

    With it the scene also takes the file's frame rate.
    """
    if "fbx_import" in dir(bpy.ops.wm):  # 4.5 and later; also reads ASCII files
        bpy.ops.wm.fbx_import(filepath=path, use_anim=animated)
    else:
        bpy.ops.import_scene.fbx(filepath=path, use_anim=animated)


def call_operator(operator: Any, **options: Any) -> None:
    """Call an operator with those of the options that this version knows."""
    known = operator.get_rna_type().properties.keys()
    operator(**{name: value for name, value in options.items() if name in known})


def enable_bundled_addon(name: str) -> bool:
    """Enable an add-on that comes with Blender; False if it is not there."""
    import addon_utils

    # default_set=False makes Rigify's register() fail: it looks up its own preferences.
    return addon_utils.enable(name, default_set=True) is not None


def has_operator(name: str) -> bool:
    """Whether an operator (``export_scene.fbx``) is there; its add-on may be disabled."""
    module, _, function = name.partition(".")
    return hasattr(bpy.types, f"{module.upper()}_OT_{function}")  # bpy.ops takes a millisecond

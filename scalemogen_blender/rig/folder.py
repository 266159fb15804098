"""Where the artist's own bone maps are kept."""

from pathlib import Path

import bpy

_PACKAGE = __package__.rpartition(".")[0]


def user_folder(create: bool = False) -> Path:
    """The folder of saved bone maps, in Blender's user folders."""
    try:
        path = bpy.utils.extension_path_user(_PACKAGE, path="rig_maps", create=create)
    except ValueError:  # not installed as an extension
        path = bpy.utils.user_resource("DATAFILES", path="scalemogen/rig_maps", create=create)
    return Path(path)


def saved_maps() -> list[Path]:
    """The bone maps in the user's folder, by name."""
    return sorted(user_folder().glob("*.json"), key=lambda path: path.name.lower())

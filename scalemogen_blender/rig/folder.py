"""Where the artist's own bone maps are kept: read once, until something there is changed."""

from collections.abc import Mapping
from pathlib import Path

import bpy

from .._core import errors, retarget

_PACKAGE = __package__.rpartition(".")[0]

#: Maps by title as last read; None when they have to be read again.
_known: dict[str, "retarget.BoneMap"] | None = None


def user_folder(create: bool = False) -> Path:
    """The folder of saved bone maps, in Blender's user folders."""
    try:
        path = bpy.utils.extension_path_user(_PACKAGE, path="rig_maps", create=create)
    except ValueError:  # not installed as an extension
        path = bpy.utils.user_resource("DATAFILES", path="scalemogen/rig_maps", create=create)
    return Path(path)


def saved_maps() -> list[Path]:
    """The bone maps in the user's folder, by name."""
    return sorted(user_folder().glob("*.json"), key=lambda path: path.stem.lower())


def own_maps() -> Mapping[str, "retarget.BoneMap"]:
    """The maps in the user's folder by title; what is damaged is left out."""
    global _known
    if _known is None:
        _known = {}
        for path in saved_maps():
            try:
                _known[path.stem] = retarget.map_file.load(path)
            except errors.ScaleMoGenError:
                continue  # loading it by hand says what is wrong
    return _known


def forget() -> None:
    """Read the folder again when it is next asked for."""
    global _known
    _known = None


def add(path: Path) -> Path:
    """Copy a map that somebody has given into the user's folder; where it is then.

    A map of that name that is there stays, and the new one gets a number. ScaleMoGenError if the
    file is no bone map or cannot be written.
    """
    given = retarget.map_file.load(path)
    folder = user_folder(create=True)
    target = folder / f"{path.stem}.json"
    number = 1
    while target.exists():
        if _is_same(target, given):
            return target
        target = folder / f"{path.stem}.{number:03d}.json"
        number += 1
    retarget.map_file.save(target, given)
    forget()
    return target


def _is_same(path: Path, given: "retarget.BoneMap") -> bool:
    try:
        return retarget.map_file.load(path) == given
    except errors.ScaleMoGenError:
        return False


def remove(title: str) -> None:
    """Delete a map from the user's folder. ScaleMoGenError if there is none or it stays."""
    path = next((path for path in saved_maps() if path.stem == title), None)
    if path is None:
        raise errors.ScaleMoGenError(f"There is no bone map '{title}'; open the menu again.")
    try:
        path.unlink()
    except OSError as error:
        raise errors.ScaleMoGenError(
            f"Cannot remove {path}: {error.strerror or error}. Remove it in a file browser."
        ) from error
    forget()

"""The artist's own bone maps, recognised on rigs that have all of their bones."""

from collections.abc import Mapping, Sequence

from . import corrections
from .bone_map import BoneMap
from .evidence import loaded


def own_map(
    names: Sequence[str], parents: Sequence[int], maps: Mapping[str, BoneMap]
) -> tuple[str, BoneMap] | None:
    """The map (with its title) that fits a rig entirely; None if none does.

    ``maps`` by title.  Every bone of a map has to be there, and to hang on the others as a body's
    do.  Of several the one that names most bones, then the first by title.
    """
    best: tuple[int, str, BoneMap] | None = None
    for title in sorted(maps):
        saved = maps[title]
        if best is not None and saved.bone_count <= best[0]:
            continue
        fit = corrections.fitted(saved, names)
        if fit.bone_count < saved.bone_count or corrections.problem(fit, names, parents):
            continue
        best = (saved.bone_count, title, fit)
    if best is None:
        return None
    _, title, fit = best
    return title, BoneMap(fit.scheme, fit.bones, dict.fromkeys(fit.bones, loaded(title)))

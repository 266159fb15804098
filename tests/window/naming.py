"""How tests name buttons; read on both sides."""


def matches(wanted: str, found: str) -> bool:
    """Whether a button is the wanted one.

    found: an operator call ("bpy.ops.scalemogen.cancel()"), of which a part is wanted, or the path
    of a property. Blender 4.3 tells its last part only, later ones all ("generate.prompt").
    """
    if found.startswith("bpy.ops."):
        return wanted in found
    return bool(found) and wanted.rpartition(".")[2] == found.rpartition(".")[2]

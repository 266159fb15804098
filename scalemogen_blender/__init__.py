"""ScaleMoGen for Blender: everything that imports bpy. No torch in here.

Importing the package needs no Blender; registering it does.
"""


def register() -> None:
    """Register the add-on's classes with Blender."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Take the add-on's classes out of Blender again."""
    from . import registration

    registration.unregister()

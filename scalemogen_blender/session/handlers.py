"""What ends a job from outside: another file, the add-on's end, Blender's end."""

import atexit

import bpy

from .. import session


@bpy.app.handlers.persistent
def _another_file(*_: object) -> None:
    session.drop()


def register() -> None:
    """Start listening."""
    bpy.app.handlers.load_pre.append(_another_file)
    atexit.register(session.close)


def unregister() -> None:
    """End everything that runs, and stop listening."""
    session.close()
    atexit.unregister(session.close)
    if _another_file in bpy.app.handlers.load_pre:
        bpy.app.handlers.load_pre.remove(_another_file)

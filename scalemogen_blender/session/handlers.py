"""What ends a job from outside: another file, the add-on's end.

When Python itself ends, the client ends its processes; Blender's data is gone by then.
"""

import bpy

from .. import interface, session


@bpy.app.handlers.persistent
def _another_file(*_: object) -> None:
    session.drop()


def register() -> None:
    """Start listening."""
    bpy.app.handlers.load_pre.append(_another_file)


def unregister() -> None:
    """End everything that runs, and stop listening."""
    session.close()
    interface.stop_listening(bpy.app.handlers.load_pre, _another_file)

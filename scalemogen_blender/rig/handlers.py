"""What the rig's room does when files are loaded and saved."""

import bpy

from .. import interface
from . import overrides, rows, state, stored


@bpy.app.handlers.persistent
def _on_load(*_: object) -> None:
    state.forget()


@bpy.app.handlers.persistent
def _before_save(*_: object) -> None:
    stored.forget_deleted()
    overrides.keep_options()


def register() -> None:
    """Listen."""
    bpy.app.handlers.load_post.append(_on_load)
    bpy.app.handlers.save_pre.append(_before_save)


def unregister() -> None:
    """Stop listening, and forget."""
    interface.stop_listening(bpy.app.handlers.load_post, _on_load)
    interface.stop_listening(bpy.app.handlers.save_pre, _before_save)
    rows.cancel()
    state.forget()

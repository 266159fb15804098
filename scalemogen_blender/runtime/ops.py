"""Operators on the runtime that is there: check, remove, look into the log."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import bpy

from .. import interface, preferences, session
from .._core import errors
from .._core import runtime as core_runtime
from ..operator_errors import reported
from . import activity, place, status
from .waiting import Waiting, busy


class SCALEMOGEN_OT_runtime_check(Waiting, bpy.types.Operator):
    """Look again at the runtime."""

    bl_idname = "scalemogen.runtime_check"
    bl_label = "Check Runtime"
    bl_description = (
        "Start the chosen Python, import PyTorch and the engine in it, and list its devices"
    )

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only where there is a Python to ask."""
        if status.current().python is None and not _unusable_python():
            cls.poll_message_set("There is no runtime to check; install one first")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        found = status.current()
        python = found.python or _unusable_python()
        if python is None:
            self.report({"ERROR"}, found.problem or "")
            return {"CANCELLED"}
        packages = status.installed_site_packages(python)
        activity.checker.forget(python)
        if not self.wait:
            status.begin_check(python, packages)
            return {"FINISHED"}
        check = activity.checker.check(python, place.engine_folder(), place.checks_file(), packages)
        if check.problem:
            self.report({"ERROR"}, check.problem)
            return {"CANCELLED"}
        names = ", ".join(device["name"] for device in check.findings.devices)
        self.report({"INFO"}, interface.report("The engine can run on: {names}", names=names))
        return {"FINISHED"}


def _unusable_python() -> Path | None:
    """A chosen interpreter that was found wanting, and may have been put right since."""
    if preferences.get().runtime_source != "EXISTING":
        return None
    python = status.existing_python()
    return None if core_runtime.inquiry.path_problem(python) else python


class SCALEMOGEN_OT_runtime_remove(Waiting, bpy.types.Operator):
    """Remove what was installed."""

    bl_idname = "scalemogen.runtime_remove"
    bl_label = "Remove Runtime"
    bl_description = "Delete the installed PyTorch from the disk. It can be installed again"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only what is there, and not while it is being made or used."""
        if problem := busy():
            cls.poll_message_set(problem)
            return False
        try:
            there = place.root().is_dir()
        except errors.ScaleMoGenError:
            there = False
        if not there:
            cls.poll_message_set("No runtime is installed")
        return there

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    @reported
    def execute(self, _context: bpy.types.Context) -> set[str]:
        session.close()
        root = place.root()
        try:
            doomed = core_runtime.place.set_aside(root)
        except (OSError, errors.ScaleMoGenError) as error:
            self.report({"ERROR"}, interface.report("Cannot remove it: {error}", error=error))
            return {"CANCELLED"}
        thread = threading.Thread(target=_delete, args=(doomed,), name="runtime remove")
        thread.start()
        if self.wait or bpy.app.background:
            thread.join()
        interface.redraw()
        return {"FINISHED"}


def _delete(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


class SCALEMOGEN_OT_open_log(bpy.types.Operator):
    """Show what pip wrote."""

    bl_idname = "scalemogen.open_log"
    bl_label = "Open Installation Log"
    bl_description = "Open what was written while installing in the system's text editor"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if there is one."""
        try:
            there = place.install_log().is_file()
        except errors.ScaleMoGenError:
            there = False
        if not there:
            cls.poll_message_set("Nothing has been installed yet")
        return there

    def execute(self, _context: bpy.types.Context) -> set[str]:
        path = place.install_log()
        if bpy.app.background:
            self.report({"INFO"}, str(path))
        else:
            bpy.ops.wm.path_open(filepath=str(path))
        return {"FINISHED"}


classes: tuple[Any, ...] = (
    SCALEMOGEN_OT_runtime_check,
    SCALEMOGEN_OT_runtime_remove,
    SCALEMOGEN_OT_open_log,
)

register, unregister = bpy.utils.register_classes_factory(classes)

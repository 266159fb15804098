"""Operators of the runtime: install, cancel, check, repair, remove."""

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
from . import activity, jobs, place, status, watch
from .installation import Installation, Outcome, Step, wait_for

_PHASES = {
    "prepare": "Preparing",
    "resolve": "Looking for packages",
    "download": "Fetching",
    "unpack": "Unpacking",
    "check": "Checking",
}


def step_text(step: Step) -> str:
    """What an installation is doing, for people."""
    words = [interface.label(_PHASES.get(step.phase, step.phase)), step.package]
    if step.phase in {"download", "unpack"} and step.megabytes >= 1:
        words.append(f"({step.megabytes:.0f} MB)")
    return " ".join(filter(None, words))


def _busy() -> str:
    """Why the runtime cannot be changed right now; "" where it can."""
    if activity.installation() is not None:
        return "The runtime is being installed"
    if session.busy():
        return "A motion is being generated; wait until it is done, or cancel it"
    return ""


class _Waiting:
    """Mix-in: ``wait=True`` returns when it is done."""

    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return only when it is done, for scripts and background mode",
        options={"SKIP_SAVE", "HIDDEN"},
    )


class _Installing(_Waiting):
    """Mix-in of what starts an installation; ``done`` is said after it."""

    done = "Installed in {seconds} s"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Not while one is running, or the engine at work in what would be replaced."""
        if problem := _busy():
            cls.poll_message_set(problem)
            return False
        return True

    def begin(self, job: core_runtime.install.Job) -> set[str]:
        """Start it; the engine is ended first, because it holds the files that are replaced."""
        session.stop_engine()
        installation = activity.begin(job)
        if not self.wait:
            watch.start()
            return {"FINISHED"}
        wait_for(installation, lambda step: print(f"ScaleMoGen: {step_text(step)}", flush=True))
        return self._report(installation)

    def _report(self, installation: Installation) -> set[str]:
        activity.settle()
        if installation.outcome is Outcome.DONE:
            seconds = installation.details["seconds"]
            self.report({"INFO"}, interface.report(self.done, seconds=seconds))
            return {"FINISHED"}
        self.report({"ERROR"}, installation.message)
        return {"CANCELLED"}


class SCALEMOGEN_OT_runtime_install(_Installing, bpy.types.Operator):
    """Install from the package index."""

    bl_idname = "scalemogen.runtime_install"
    bl_label = "Install Runtime"
    bl_description = (
        "Download PyTorch and what else the engine needs and install it for this add-on alone. "
        "Blender can be used meanwhile"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Not without leave to go online."""
        if problem := jobs.online_problem():
            cls.poll_message_set(problem)
            return False
        return super().poll(context)

    @reported
    def execute(self, _context: bpy.types.Context) -> set[str]:
        return self.begin(jobs.from_index())


class SCALEMOGEN_OT_runtime_install_wheels(_Installing, bpy.types.Operator):
    """Install from a folder of wheels."""

    bl_idname = "scalemogen.runtime_install_wheels"
    bl_label = "Install from Wheels"
    bl_description = "Install PyTorch from a folder of wheels; nothing is sent over the network"

    directory: bpy.props.StringProperty(
        name="Wheels Folder",
        description="Folder of wheels. Left empty, the one of the preferences",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the folder unless the preferences know it."""
        if self.directory or preferences.get().wheels_folder:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, _context: bpy.types.Context) -> set[str]:
        return self.begin(jobs.from_wheels(self.directory))


class SCALEMOGEN_OT_runtime_repair(_Installing, bpy.types.Operator):
    """Put the installed runtime right."""

    done = "Repaired in {seconds} s"

    bl_idname = "scalemogen.runtime_repair"
    bl_label = "Repair Runtime"
    bl_description = (
        "Compare every installed file with its checksum and install again what is missing or "
        "damaged. What is whole stays"
    )

    @reported
    def execute(self, _context: bpy.types.Context) -> set[str]:
        return self.begin(jobs.repair())


class SCALEMOGEN_OT_runtime_cancel(bpy.types.Operator):
    """Stop the installation."""

    bl_idname = "scalemogen.runtime_cancel"
    bl_label = "Cancel Installation"
    bl_description = "Stop installing. What was downloaded completely is kept for the next time"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while there is something to stop."""
        running = activity.installation()
        if running is None or running.cancelling:
            cls.poll_message_set("Nothing is being installed")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        running = activity.installation()
        if running is not None:
            running.cancel()
        return {"FINISHED"}


class SCALEMOGEN_OT_runtime_check(_Waiting, bpy.types.Operator):
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


class SCALEMOGEN_OT_runtime_remove(_Waiting, bpy.types.Operator):
    """Remove what was installed."""

    bl_idname = "scalemogen.runtime_remove"
    bl_label = "Remove Runtime"
    bl_description = "Delete the installed PyTorch from the disk. It can be installed again"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only what is there, and not while it is being made or used."""
        if problem := _busy():
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
    SCALEMOGEN_OT_runtime_install,
    SCALEMOGEN_OT_runtime_install_wheels,
    SCALEMOGEN_OT_runtime_repair,
    SCALEMOGEN_OT_runtime_cancel,
    SCALEMOGEN_OT_runtime_check,
    SCALEMOGEN_OT_runtime_remove,
    SCALEMOGEN_OT_open_log,
)

register, unregister = bpy.utils.register_classes_factory(classes)

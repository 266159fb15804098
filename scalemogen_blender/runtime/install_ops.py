"""Operators that install the runtime, put it right, and stop doing so."""

from __future__ import annotations

from typing import Any

import bpy

from .. import interface, preferences, session
from .._core import runtime as core_runtime
from ..operator_errors import reported
from . import activity, jobs, watch
from .installation import Installation, Outcome, Step, wait_for
from .waiting import Waiting, busy

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


class _Installing(Waiting):
    """Mix-in of what starts an installation; ``done`` is said after it."""

    done = "Installed in {seconds} s"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Not while one is running, or the engine at work in what would be replaced."""
        if problem := busy():
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


classes: tuple[Any, ...] = (
    SCALEMOGEN_OT_runtime_install,
    SCALEMOGEN_OT_runtime_install_wheels,
    SCALEMOGEN_OT_runtime_repair,
    SCALEMOGEN_OT_runtime_cancel,
)

register, unregister = bpy.utils.register_classes_factory(classes)

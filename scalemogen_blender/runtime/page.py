"""The add-on's page in the preferences."""

from __future__ import annotations

from typing import Any

import bpy

from .. import interface
from .._core import errors
from . import activity, jobs, place, plan, status
from .install_ops import step_text
from .status import Condition, Status

_LETTERS_PER_PIXEL = 1 / 6.4
_MARGIN = 80  # pixels of frame and icon


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any) -> None:
    """Draw the page: the runtime, then how the engine uses it."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    found = status.current()
    _draw_runtime(_section(layout, "Runtime"), context, settings, found)
    _draw_engine(_section(layout, "Engine"), settings, found)
    _draw_files(_section(layout, "Files"))


def _section(layout: bpy.types.UILayout, title: str) -> bpy.types.UILayout:
    column = layout.column()
    column.separator()
    column.label(text=title)
    return column


def _lines(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE"
) -> None:
    """A sentence in as many lines as the width asks for."""
    region = context.region
    scale = context.preferences.system.ui_scale
    pixels = region.width / scale - _MARGIN if region is not None else 600
    letters = max(30, int(pixels * _LETTERS_PER_PIXEL))
    interface.paragraph(layout, text, icon, letters)


def _draw_runtime(
    layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any, found: Status
) -> None:
    layout.row().prop(settings, "runtime_source", expand=True)
    if status.overridden():
        _lines(layout, context, f"{status.OVERRIDE}: {found.problem or found.python}", icon="INFO")
    elif settings.runtime_source == "EXISTING":
        _draw_existing(layout, context, settings, found)
    else:
        _draw_install(layout, context, settings, found)


def _draw_existing(
    layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any, found: Status
) -> None:
    layout.prop(settings, "python_path")
    if found.condition is Condition.CHECKING:
        layout.label(text="Checking the interpreter…", icon="SORTTIME")
        return
    if found.problem:
        _lines(layout, context, found.problem, icon="ERROR")
    else:
        layout.label(text=_summary(found), icon="CHECKMARK", translate=False)
    layout.operator("scalemogen.runtime_check", text="Check Again", icon="FILE_REFRESH")


def _draw_install(
    layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any, found: Status
) -> None:
    running = activity.installation()
    if running is not None:
        _draw_progress(layout, running)
        return
    if failure := activity.failure():
        _lines(layout, context, failure, icon="ERROR")
    if found.condition is Condition.READY:
        layout.label(text=_summary(found), icon="CHECKMARK", translate=False)
        row = layout.row(align=True)
        row.operator("scalemogen.runtime_check", text="Check", icon="FILE_REFRESH")
        row.operator("scalemogen.runtime_repair", text="Repair")
        row.operator("scalemogen.runtime_remove", text="Remove", icon="TRASH")
    elif not failure or found.condition is not Condition.MISSING:
        icon = "INFO" if found.condition is Condition.MISSING else "ERROR"
        _lines(layout, context, _words(found), icon=icon)
    _draw_buttons(layout, context, settings, found)


def _draw_progress(layout: bpy.types.UILayout, running: Any) -> None:
    step = running.step
    text = interface.label("Cancelling…") if running.cancelling else step_text(step)
    row = layout.row(align=True)
    row.progress(factor=step.fraction, type="BAR", text=f"{text}  {step.fraction:.0%}")
    row.operator("scalemogen.runtime_cancel", text="", icon="CANCEL")


def _draw_buttons(
    layout: bpy.types.UILayout, context: bpy.types.Context, settings: Any, found: Status
) -> None:
    """One obvious button, and below it what a studio or a large disk may want."""
    try:
        wanted = jobs.plan()
    except errors.ScaleMoGenError as error:
        _lines(layout, context, str(error), icon="ERROR")
        return
    build = wanted.build
    main = layout.column()
    if found.condition is not Condition.READY:
        main.scale_y = 1.4
        repair = found.condition in status.REPAIRABLE
        name, texts = "scalemogen.runtime_install", _SIZES
        if repair:
            name, texts = "scalemogen.runtime_repair", _REPAIR
        text = interface.label(
            texts,
            build=plan.build_name(build.name),
            download=plan.gigabytes(build.download),
            disk=plan.gigabytes(build.disk),
        )
        main.operator(
            name, text=text, icon="TOOL_SETTINGS" if repair else "IMPORT", translate=False
        )
        if wanted.doubt and not jobs.online_problem():
            _lines(layout, context, interface.label(wanted.doubt), icon="INFO")
    if jobs.online_problem() and found.condition is not Condition.READY:
        _lines(layout, context, jobs.online_problem(), icon="INTERNET_OFFLINE")
        if not bpy.app.online_access_override:
            layout.operator("extensions.userpref_show_online", text="Open Network Preferences")
    header, body = layout.panel("SCALEMOGEN_runtime_options", default_closed=True)
    header.label(text="Installation Options")
    if body is None:
        return
    body.use_property_split = True
    body.use_property_decorate = False
    column = body.column()
    column.prop(settings, "build")
    if wanted.doubt and found.condition is Condition.READY:
        _lines(column, context, interface.label(wanted.doubt), icon="INFO")
    column.prop(settings, "package_index")
    row = column.row()
    row.active = bool(settings.package_index.strip())
    row.prop(settings, "package_index_only")
    column.prop(settings, "runtime_folder")
    if found.condition is Condition.READY and found.details.get("build") != build.name:
        text = interface.label(_SIZES_OTHER, build=plan.build_name(build.name))
        column.operator("scalemogen.runtime_install", text=text, icon="IMPORT", translate=False)
    column.separator()
    column.prop(settings, "wheels_folder")
    column.operator("scalemogen.runtime_install_wheels", icon="FILE_FOLDER")


_SIZES = "Install PyTorch ({build} build, {download} to download, {disk} on disk)"
_SIZES_OTHER = "Install the {build} Build Instead"
_REPAIR = "Repair (at most {download} to download)"


def _words(found: Status) -> str:
    if found.condition is Condition.MISSING:
        return interface.label(
            "The engine needs PyTorch, which is installed once and for this add-on alone."
        )
    return found.problem or ""


def _summary(found: Status) -> str:
    """What the engine runs on, in one line."""
    findings, details = found.findings, found.details
    packages = findings.packages or details.get("packages", {})
    build = findings.build or details.get("build", "")
    words = [f"PyTorch {packages.get('torch', '').partition('+')[0]}"]
    if build:
        words.append(f"({plan.build_name(build)})")
    version = findings.version or details.get("version", ())
    words.append("– Python " + ".".join(map(str, version[:3])))
    if size := details.get("megabytes"):
        words.append(f"– {plan.gigabytes(size)}")
    return " ".join(words)


def _draw_engine(layout: bpy.types.UILayout, settings: Any, found: Status) -> None:
    layout.prop(settings, "device")
    if found.problem is None and found.python is not None and not found.findings.devices:
        status.find_devices(found.python)
        layout.label(text="Looking for devices…", icon="SORTTIME")
    layout.prop(settings, "model")
    layout.prop(settings, "idle_minutes")


def _draw_files(layout: bpy.types.UILayout) -> None:
    row = layout.row(align=True)
    row.operator("scalemogen.open_log", text="Installation Log", icon="TEXT")
    row.operator("scalemogen.engine_log", text="Engine Log", icon="TEXT")
    try:
        folder = str(place.root())
    except errors.ScaleMoGenError:
        folder = ""
    column = layout.column(align=True)
    column.active = False
    column.label(text=folder, translate=False)

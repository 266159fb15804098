"""The add-on's page in Blender's preferences, and the settings on it.

``preferences.get()`` gives the settings also where Blender does not list the add-on as enabled
(scripts and tests that call ``register()`` themselves): they then live as long as the session.
"""

from __future__ import annotations

import json
from typing import Any

import bpy

from ._core import paths

_AUTO = "auto"
_MODELS = {
    "open": ("Open", "Free for commercial work. The weights are CC BY-SA 4.0: credit, share alike"),
    "plus": ("Plus", "Knows more motions, for non-commercial work only. CC BY-NC 4.0"),
}
# Blender keeps no reference to the strings of an enumeration that is made anew each time: they
# must stay, and stay the same ones, for as long as they may be shown.
_shown_devices: list[tuple[str, str, str, int]] = []


def _model_items() -> list[tuple[str, str, str]]:
    """The models that are packed, the default first."""
    try:
        table = json.loads((paths.MODELS / "default.json").read_text(encoding="utf-8"))
        names = list(dict.fromkeys([table["model"], *table.get("also", [])]))
    except (OSError, ValueError, KeyError, TypeError):
        names = []
    there = [name for name in names if (paths.MODELS / name).is_dir()]
    return [(name, *_MODELS.get(name, (name, ""))) for name in there or ["default"]]


def _devices(settings: Any) -> list[tuple[str, str, str]]:
    """Automatic, what was found, and the chosen one where it has vanished."""
    from .runtime import status

    items = [(_AUTO, "Automatic", "The fastest device that is there")]
    for device in status.current().findings.devices:
        memory = device["memory_mb"]
        name = device["name"] if memory is None else f"{device['name']} ({memory / 1000:.0f} GB)"
        items.append((device["id"], name, f"Compute on {device['id']}"))
    if settings.device_id not in {item[0] for item in items}:
        items.append((settings.device_id, f"{settings.device_id} (not found)", "Not found here"))
    return items


def _device_items(settings: Any, _context: Any) -> list[tuple[str, str, str, int]]:
    global _shown_devices
    items = [(*item, number) for number, item in enumerate(_devices(settings))]
    if items != _shown_devices:
        _shown_devices = items
    return _shown_devices


def _get_device(settings: Any) -> int:
    return [item[0] for item in _devices(settings)].index(settings.device_id)


def _set_device(settings: Any, number: int) -> None:
    # Of what was shown: more may have been found since.
    if 0 <= number < len(_shown_devices):
        settings.device_id = _shown_devices[number][0]


class _Settings:
    """All settings; what Blender stores them in comes below."""

    runtime_source: bpy.props.EnumProperty(
        name="Source",
        description="Which Python the engine runs in",
        items=[
            ("INSTALL", "Install Here", "Install PyTorch for this add-on alone"),
            ("EXISTING", "Existing Python", "Use a Python that has PyTorch already"),
        ],
    )
    python_path: bpy.props.StringProperty(
        name="Python Interpreter",
        description="A Python 3.11 to 3.14 with torch, numpy, safetensors and tokenizers",
        subtype="FILE_PATH",
    )
    build: bpy.props.EnumProperty(
        name="Build",
        description="Which build of PyTorch to install",
        items=[
            ("AUTO", "Automatic", "What suits this machine"),
            ("CPU", "CPU", "The smallest, works on every machine"),
            ("CUDA", "CUDA", "For NVIDIA GPUs"),
            ("METAL", "Metal", "For Apple silicon"),
        ],
    )
    package_index: bpy.props.StringProperty(
        name="Package Index",
        description=(
            "Address of a package index to ask beside the one of pip's own settings, such as a "
            "studio's. Leave empty for pip's own settings"
        ),
    )
    package_index_only: bpy.props.BoolProperty(
        name="Only This Index",
        description="Ask no other package index",
    )
    wheels_folder: bpy.props.StringProperty(
        name="Wheels Folder",
        description="Folder of wheels to install from without a network",
        subtype="DIR_PATH",
    )
    runtime_folder: bpy.props.StringProperty(
        name="Install Folder",
        description=(
            "Where the runtime is installed. Leave empty for Blender's folder for files of "
            "extensions"
        ),
        subtype="DIR_PATH",
    )
    device_id: bpy.props.StringProperty(default=_AUTO, options={"HIDDEN"})
    device: bpy.props.EnumProperty(
        name="Device",
        description="What motions are computed on",
        items=_device_items,
        get=_get_device,
        set=_set_device,
    )
    model: bpy.props.EnumProperty(
        name="Model",
        description="Which model makes the motions",
        items=_model_items(),
    )
    idle_minutes: bpy.props.IntProperty(
        name="Unload After (Minutes)",
        description=(
            "Time without work after which the engine gives its memory back. 0 keeps it until "
            "Blender ends"
        ),
        default=10,
        min=0,
        soft_max=120,
        max=1440,
    )


class ScaleMoGenPreferences(_Settings, bpy.types.AddonPreferences):
    """The add-on's page."""

    bl_idname = __package__

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the page."""
        from .runtime import page

        page.draw(self.layout, context, self)


class ScaleMoGenSessionPreferences(_Settings, bpy.types.PropertyGroup):
    """The same settings where Blender keeps none for the add-on."""


def get() -> Any:
    """The settings, whether or not Blender lists the add-on as enabled."""
    addon = bpy.context.preferences.addons.get(__package__)
    kept = addon.preferences if addon is not None else None
    return kept or bpy.context.window_manager.scalemogen_preferences


def register() -> None:
    """Tell Blender about the page."""
    bpy.utils.register_class(ScaleMoGenSessionPreferences)
    bpy.types.WindowManager.scalemogen_preferences = bpy.props.PointerProperty(
        type=ScaleMoGenSessionPreferences
    )
    bpy.utils.register_class(ScaleMoGenPreferences)


def unregister() -> None:
    """Take it away again."""
    bpy.utils.unregister_class(ScaleMoGenPreferences)
    del bpy.types.WindowManager.scalemogen_preferences
    bpy.utils.unregister_class(ScaleMoGenSessionPreferences)

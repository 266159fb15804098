"""Everything that Blender is told about, in order; it leaves in reverse order."""

import importlib
from collections.abc import Sequence
from types import ModuleType

#: Modules with ``register()`` and ``unregister()``. Property groups come before their owners.
_MODULES = (
    "generate.properties",
    "results.properties",
    "rig.properties",
    "output.properties",
    "edit.properties",
    "blocks.properties",
    "properties",
    "preferences",
    "session.ops",
    "session.panel",
    "session.handlers",
    "generate.ops",
    "generate.panel",
    "edit.ops",
    "edit.range_ops",
    "edit.panel",
    "edit.drawing",
    "blocks.list_ops",
    "blocks.ops",
    "blocks.ui_list",
    "blocks.panel",
    "rig.mannequin_ops",
    "rig.map_ops",
    "rig.own_map_ops",
    "rig.options_ops",
    "rig.ui_list",
    "rig.panel",
    "rig.options_panel",
    "rig.handlers",
    "results.ui_list",
    "results.ops",
    "results.regenerate_ops",
    "results.panel",
    "results.handlers",
    "output.bake_ops",
    "output.export_ops",
    "output.panel",
    "menu",
    "runtime.install_ops",
    "runtime.ops",
    "runtime.watch",
)

#: The first of them: what is saved with files, and nothing that is seen or runs by itself.
_DATA = _MODULES[: _MODULES.index("properties") + 1]

_registered: list[ModuleType] = []


def register() -> None:
    """Register all modules, or none of them if one fails."""
    _register(_MODULES)


def register_data() -> None:
    """Let what the add-on has saved in files be read, where it is not registered.

    For a Blender without a window: the artist's corrections of bone maps are among it.
    """
    if not _registered:
        _register(_DATA)


def _register(names: Sequence[str]) -> None:
    unregister()  # what a failed start or a reload may have left
    try:
        for name in names:
            module = importlib.import_module(f".{name}", __package__)
            module.register()
            _registered.append(module)
    except BaseException:
        unregister()
        raise


def unregister() -> None:
    """Unregister what is registered; one module's failure does not keep the others in."""
    failure: Exception | None = None
    while _registered:
        try:
            _registered.pop().unregister()
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure

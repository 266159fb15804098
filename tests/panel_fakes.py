"""Panels without a window: a layout that records what is drawn and refuses what Blender refuses.

``drawn = panel_fakes.draw(SCALEMOGEN_PT_generate, bpy.context)`` calls poll, draw_header and draw
as Blender would, and gives the list of what would be on the screen. Works inside bpy only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import bpy

_BOXES = {"row", "column", "box", "split", "column_flow", "grid_flow", "menu_pie", "menu_contents"}
_FUNCTIONS = bpy.types.UILayout.bl_rna.functions
_SETTINGS = {
    "active", "active_default", "activate_init", "alert", "alignment", "direction", "emboss",
    "enabled", "operator_context", "scale_x", "scale_y", "ui_units_x", "ui_units_y",
    "use_property_decorate", "use_property_split",
}  # fmt: skip


@dataclass
class Drawn:
    """One thing on the screen.

    kind: the layout's function (prop, operator, label, progress, template_list, …).
    text: what it says; for properties and operators without a text of their own, their name.
    name: of the property or operator.  enabled: False if it or a box around it is greyed out.
    settings: operator properties that the panel set.  options: all arguments as given.
    """

    kind: str
    text: str = ""
    name: str = ""
    icon: str = "NONE"
    enabled: bool = True
    alert: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


class OperatorSettings:
    """What ``layout.operator`` returns: only properties that the operator has can be set."""

    def __init__(self, idname: str, settings: dict[str, Any]) -> None:
        module, _, name = idname.partition(".")
        rna = getattr(getattr(bpy.ops, module), name).get_rna_type()
        self.__dict__.update(_known=set(rna.properties.keys()), _settings=settings, _rna=rna)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._known:
            raise AttributeError(f"{self._rna.identifier} has no property {name!r}")
        self._settings[name] = value


class FakeLayout:
    """Stands in for bpy.types.UILayout."""

    def __init__(self, drawn: list[Drawn], parent: FakeLayout | None = None) -> None:
        self.__dict__.update(drawn=drawn, parent=parent, enabled=True, alert=False)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _SETTINGS:
            raise AttributeError(f"UILayout has no property {name!r}")
        self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        if name in _SETTINGS:
            return 1.0 if name.startswith(("scale", "ui_units")) else False
        if name not in _FUNCTIONS:
            raise AttributeError(f"UILayout has no function {name!r}")

        def call(*values: Any, **options: Any) -> Any:
            return self._record(name, _arguments(name, values, options))

        return call

    def _inherited(self, name: str) -> bool:
        states = [layout.__dict__[name] for layout in self._outwards()]
        return all(states) if name == "enabled" else any(states)

    def _outwards(self) -> Iterator[FakeLayout]:
        layout: FakeLayout | None = self
        while layout is not None:
            yield layout
            layout = layout.parent

    def _record(self, kind: str, options: dict[str, Any]) -> Any:
        if kind in _BOXES:
            return FakeLayout(self.drawn, self)
        if kind in {"panel", "panel_prop"}:  # open, so that its contents are drawn, too
            return FakeLayout(self.drawn, self), FakeLayout(self.drawn, self)
        item = Drawn(kind, options=options)
        item.text = options.get("text", "") or ""
        item.icon = options.get("icon", "NONE")
        item.enabled, item.alert = self._inherited("enabled"), self._inherited("alert")
        _check_icon(item.icon)
        self.drawn.append(item)
        for owner, key in (("data", "property"), ("dataptr", "propname")):
            if key in options and not isinstance(options[key], int):
                _check_property(options.get(owner), options[key])
        if kind == "template_list":
            _check_property(options["active_dataptr"], options["active_propname"])
            assert hasattr(bpy.types, options["listtype_name"]), options["listtype_name"]
        if "property" in options:
            item.name = options["property"]
            item.text = item.text or _property_name(options.get("data"), item.name, options)
        if kind in {"menu", "popover"}:
            item.name = options.get("menu") or options.get("panel")
            assert hasattr(bpy.types, item.name), f"no menu or panel {item.name!r}"
        if kind in {"operator", "operator_menu_enum", "operator_enum", "operator_menu_hold"}:
            item.name = options["operator"]
            settings = OperatorSettings(item.name, item.settings)
            if not item.text and options.get("text") is None:
                item.text = settings._rna.name
            return settings
        return None


def _arguments(function: str, values: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name; TypeError for those that this Blender does not know."""
    known = [p.identifier for p in _FUNCTIONS[function].parameters if not p.is_output]
    if unknown := set(options) - set(known):
        raise TypeError(f"UILayout.{function}() has no argument {sorted(unknown)}")
    if len(values) > len(known):
        raise TypeError(f"UILayout.{function}() takes {len(known)} arguments")
    return dict(zip(known, values, strict=False)) | options


def _check_property(data: Any, name: str) -> None:
    if isinstance(name, str) and name.startswith('["'):
        return
    if name not in data.bl_rna.properties:
        raise AttributeError(f"{data.bl_rna.identifier} has no property {name!r}")


def _property_name(data: Any, name: str, options: dict[str, Any]) -> str:
    if "text" in options or name.startswith('["'):
        return ""
    return data.bl_rna.properties[name].name


def _check_icon(icon: str) -> None:
    icons = _FUNCTIONS["label"].parameters["icon"].enum_items
    if icon not in icons:
        raise TypeError(f"there is no icon {icon!r}")


class _Screen:
    """The panel's self while it draws: its methods and attributes, with our layout."""

    def __init__(self, owner: type, layout: FakeLayout) -> None:
        self._owner, self.layout = owner, layout

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._owner, name)
        is_plain_function = callable(value) and getattr(value, "__self__", None) is None
        return value.__get__(self) if is_plain_function else value


def draw(panel_class: type, context: bpy.types.Context) -> list[Drawn]:
    """What the panel (or menu, or preferences page) shows; empty if its poll says no."""
    poll = getattr(panel_class, "poll", None)
    if poll is not None and not poll(context):
        return []
    drawn: list[Drawn] = []
    for name in ("draw_header", "draw_header_preset", "draw"):
        if name in vars(panel_class) or any(name in vars(c) for c in _own_bases(panel_class)):
            screen = _Screen(panel_class, FakeLayout(drawn))
            getattr(panel_class, name)(screen, context)
    return drawn


def _own_bases(panel_class: type) -> list[type]:
    return [base for base in panel_class.__mro__ if not base.__module__.startswith("bpy")]


def draw_item(list_class: type, context: bpy.types.Context, data: Any, item: Any) -> list[Drawn]:
    """What one line of a UIList shows."""
    drawn: list[Drawn] = []
    layout = FakeLayout(drawn)
    screen = _Screen(list_class, layout)
    screen.layout_type = "DEFAULT"
    list_class.draw_item(screen, context, layout, data, item, 0, data, "", 0, 0)
    return drawn


def texts(drawn: list[Drawn]) -> list[str]:
    """Every text on the screen, in order."""
    return [item.text for item in drawn if item.text]


def find(drawn: list[Drawn], name: str) -> Drawn:
    """The property or operator of that name; AssertionError if it is not on the screen."""
    found = [item for item in drawn if item.name == name]
    assert found, f"{name} is not drawn, but {[item.name or item.text for item in drawn]}"
    return found[0]

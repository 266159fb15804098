"""All operators in menus, because menu search (F3) finds what is in a menu.

The menus are made from the registered operators: a new one is in them by itself.
"""

import bpy

#: What only makes sense from its own place in a panel, where it gets its settings.
_NOT_IN_MENUS: frozenset[str] = frozenset()
_PREFIX = "SCALEMOGEN_OT_"


def operators() -> list[str]:
    """Identifiers (``scalemogen.bake``) of the add-on's operators in the menus, by label."""
    found = [cls for cls in _subclasses(bpy.types.Operator) if _is_ours(cls)]
    names = {cls.bl_idname: cls.bl_label for cls in found if cls.bl_idname not in _NOT_IN_MENUS}
    return sorted(names, key=lambda name: names[name])


def _is_ours(cls: type) -> bool:
    return cls.__name__.startswith(_PREFIX) and cls.is_registered


def _subclasses(cls: type) -> list[type]:
    return [below for child in cls.__subclasses__() for below in (child, *_subclasses(child))]


class SCALEMOGEN_MT_operators(bpy.types.Menu):
    """Every operator of the add-on."""

    bl_idname = "SCALEMOGEN_MT_operators"
    bl_label = "ScaleMoGen"

    def draw(self, _context: bpy.types.Context) -> None:
        """List them."""
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        for name in operators():
            layout.operator(name)


def _draw_entry(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu(SCALEMOGEN_MT_operators.bl_idname)


def _menus() -> tuple[type, ...]:
    return bpy.types.VIEW3D_MT_object, bpy.types.VIEW3D_MT_pose


def register() -> None:
    """Add the menu to the viewport's Object and Pose menus."""
    bpy.utils.register_class(SCALEMOGEN_MT_operators)
    for menu in _menus():
        menu.append(_draw_entry)


def unregister() -> None:
    """Take it away again."""
    for menu in _menus():
        menu.remove(_draw_entry)
    bpy.utils.unregister_class(SCALEMOGEN_MT_operators)

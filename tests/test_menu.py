"""Menu search (F3) finds every operator, because each is in a menu."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.blender

START = """
import sys
sys.path.insert(0, sys.argv[2])
import bpy
import panel_fakes
import scalemogen_blender
from scalemogen_blender import menu

bpy.ops.wm.read_factory_settings(use_empty=True)
scalemogen_blender.register()
"""


@pytest.fixture
def in_blender(run_in_blender: Callable[..., str]) -> Callable[[str], str]:
    def run(body: str) -> str:
        return run_in_blender(START + textwrap.dedent(body), Path(__file__).parent)

    return run


def test_every_operator_is_in_the_menu(in_blender):
    in_blender("""
    registered = {f"scalemogen.{name}" for name in dir(bpy.ops.scalemogen)}
    assert len(registered) > 15
    drawn = panel_fakes.draw(menu.SCALEMOGEN_MT_operators, bpy.context)
    shown = [item.name for item in drawn]
    assert set(shown) == registered - menu._NOT_IN_MENUS and len(shown) == len(set(shown))
    assert menu._NOT_IN_MENUS <= registered
    """)


def test_the_menu_is_in_the_object_and_pose_menus_once_and_goes_with_the_add_on(in_blender):
    in_blender("""
    def entries(name):
        drawing = getattr(bpy.types, name)._dyn_ui_initialize()
        return sum(function.__module__ == menu.__name__ for function in drawing)
    for name in ("VIEW3D_MT_object", "VIEW3D_MT_pose"):
        assert entries(name) == 1, name
    for _ in range(2):
        scalemogen_blender.unregister()
        assert entries("VIEW3D_MT_object") == entries("VIEW3D_MT_pose") == 0
        assert not hasattr(bpy.types, "SCALEMOGEN_MT_operators")
        scalemogen_blender.register()
        assert entries("VIEW3D_MT_object") == entries("VIEW3D_MT_pose") == 1
    """)


def test_every_operator_has_a_label_and_tells_what_it_does(in_blender):
    in_blender("""
    told_when_asked = {cls.bl_idname for cls in menu._subclasses(bpy.types.Operator)
                       if "description" in vars(cls)}
    for name in set(menu.operators()) - told_when_asked:
        rna = getattr(bpy.ops.scalemogen, name.partition(".")[2]).get_rna_type()
        assert rna.name and rna.name == rna.name.strip(), name
        assert len(rna.description) > 20 and not rna.description.endswith("."), name
    """)

"""What an artist does in Blender's window, in the add-on's own words."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

from tests.window.screen import Screen, Spot, WindowError

MODULE = "bl_ext.user_default.scalemogen"

_SETUP = f"""
import importlib, os, time
import bpy

def view():
    window = bpy.context.window_manager.windows[0]
    area = next(a for a in window.screen.areas if a.type == "VIEW_3D")
    return window, area, next(r for r in area.regions if r.type == "UI")

def addon(name):
    return importlib.import_module("{MODULE}." + name)

def settings():
    return bpy.context.window_manager.windows[0].scene.scalemogen
"""

# When the job began, first had something to show, was made, and lay in the scene.
_STOPWATCH = """
times = {}

def noting(function, name):
    def wrapper(self, *arguments):
        times.setdefault(name, time.time())
        return function(self, *arguments)
    return wrapper

def watch_job():
    session = addon("session")._session
    if session is not None and session.job is not None:
        if session.client.info is not None:
            times.setdefault("engine ready", time.time())
    elif "ended" in times:
        times.setdefault("state", session.last.state.name)
    return 0.002

# Wrapped, not looked at: all can happen between two beats.
overlay = addon("overlay.draw").Overlay
overlay.show = noting(overlay.show, "first preview")
watched = addon("session.manager").Session
watched._finished = noting(watched._finished, "made")
watched._end = noting(watched._end, "ended")
bpy.app.timers.register(watch_job, persistent=True)
"""

_WATCH_PANELS = """
if "drawn_panels" not in globals():
    drawn_panels = set()
    for _name in dir(bpy.types):
        if _name.startswith("SCALEMOGEN_PT_"):
            getattr(bpy.types, _name).append(
                lambda _self, _context, name=_name: drawn_panels.add(name)
            )
"""

_CHOSEN = """
def chosen():
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "FILE_BROWSER":
                return area.spaces.active.params.filename
"""

#: Notches of the mouse wheel.
_TO_THE_END = 30


class Artist:
    """Steps that several tests share."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.generate_button = Spot(0, 0, "")

    def install(self, archive: Path) -> None:
        """Install and enable the zip with the Preferences' own operator; open the tab."""
        screen = self.screen
        shutil.copy(archive, screen.share / archive.name)
        screen.run(_SETUP)
        # Smoothing the viewport takes most of the time where a processor draws it.
        screen.run("bpy.context.preferences.system.viewport_aa = 'OFF'")
        screen.run(
            f"bpy.ops.extensions.package_install_files(filepath='/share/{archive.name}', "
            "repo='user_default', enable_on_install=True)"
        )
        assert screen.value(f"'{MODULE}' in bpy.context.preferences.addons"), screen.log()
        self.open_tab()

    def install_from_disk(self, archive: Path) -> None:
        """Install and enable the zip by hand: Preferences, Get Extensions, Install from Disk."""
        screen = self.screen
        folder = screen.share / "Downloads"
        folder.mkdir()
        shutil.copy(archive, folder)
        screen.run(_SETUP)
        screen.run("bpy.ops.screen.userpref_show(section='EXTENSIONS')")
        time.sleep(1.5)
        preferences = screen.place("PREFERENCES", "WINDOW")
        arrow = Spot(preferences["x"] + preferences["width"] - 19, preferences["y"] + 19, "")
        screen.click(arrow)
        time.sleep(0.5)
        screen.shot("preferences")
        screen.key("f")  # its underlined letter
        screen.wait(lambda: screen.has("FILE_BROWSER", "EXECUTE"), 10, "the file browser")
        time.sleep(0.5)
        screen.look_at("FILE_BROWSER", "UI")
        screen.type("directory", "/share/Downloads/")
        time.sleep(0.5)
        files = screen.place("FILE_BROWSER", "WINDOW")
        screen.run(_CHOSEN)
        for _ in range(5):  # the first click may only end the typing
            screen.click(Spot(files["x"] + 60, files["y"] + 40, ""))  # the first and only file
            time.sleep(0.7)
            if screen.value("chosen()") == archive.name:
                break
        screen.shot("install-from-disk")
        screen.look_at("FILE_BROWSER", "EXECUTE")
        screen.click("file.execute")
        screen.wait_for(f"'{MODULE}' in bpy.context.preferences.addons", 60)
        time.sleep(1)
        screen.look_at("VIEW_3D", "UI")

    def use_python(self) -> None:
        """Choose the Python that runs these tests as the engine's, as in the preferences."""
        self.screen.run(
            "chosen_settings = addon('preferences').get()\n"
            "chosen_settings.runtime_source = 'EXISTING'\n"
            f"chosen_settings.python_path = {sys.executable!r}"
        )
        self.screen.wait_for(
            "addon('runtime.status').current().condition.name not in ('CHECKING', 'MISSING')", 60
        )
        assert self.screen.value("addon('runtime').problem()") is None

    def undo_steps(self) -> list[str]:
        """Names of Blender's undo steps, oldest first."""
        self.screen.run(
            "import ctypes; bpy.context.window_manager.print_undo_steps(); "
            "ctypes.CDLL(None).fflush(None)"
        )
        lines = self.screen.log().rpartition("Undo ")[2].splitlines()
        return [line.rpartition("name='")[2].rstrip("'") for line in lines if "name='" in line]

    def open_tab(self) -> None:
        """Open the sidebar and the add-on's tab."""
        self.screen.run("view()[1].spaces.active.show_region_ui = True")
        time.sleep(0.5)
        self.screen.run("view()[2].active_panel_category = 'ScaleMoGen'")
        self.screen.run("view()[1].tag_redraw()")
        time.sleep(0.7)

    def frame_selected(self) -> None:
        """Bring what is selected before the artist's eyes."""
        self.screen.point_at("VIEW_3D", "WINDOW")
        self.screen.key("KP_Decimal")
        time.sleep(1)

    def open_panel(self, name: str) -> None:
        """Press the header of a closed panel.

        Blender does not tell where headers are either, but which panels it draws: places without
        a button are pressed, from the end of the sidebar up, until it draws this one.
        """
        screen = self.screen
        screen.run(_WATCH_PANELS)
        before = self._open_panels()
        if name in before:
            return
        screen.scroll(_TO_THE_END)
        for spot in reversed(screen.gaps()):
            screen.click(spot)
            now = self._open_panels()
            if name in now:
                return
            if now != before:  # the header of another one
                screen.click(spot)
        raise WindowError(f"the panel {name} cannot be opened")

    def _open_panels(self) -> set[str]:
        self.screen.run("drawn_panels.clear(); view()[1].tag_redraw()")
        time.sleep(0.4)
        return set(self.screen.value("sorted(drawn_panels)"))

    def start_stopwatch(self) -> None:
        """Note when what happens to jobs from now on; :meth:`times` tells."""
        self.screen.run(_STOPWATCH)

    def times(self) -> dict[str, Any]:
        """What the stopwatch has seen of the last job, ``time.time()`` by name."""
        return dict(self.screen.value("times"))

    def generate(self, prompt: str) -> float:
        """Type a prompt and press Generate; return when, as ``time.time()``."""
        self.screen.type("generate.prompt", prompt)
        return self.generate_again()

    def generate_again(self) -> float:
        """Press Generate; return when, as ``time.time()``."""
        self.generate_button = self.screen.find("scalemogen.generate(")
        self.screen.run("times.clear(); heartbeat.clear()")
        pressed = time.time()
        self.screen.click(self.generate_button)
        return pressed

    def pause(self) -> None:
        """Stop the timeline with the space bar: buttons are found faster then."""
        self.screen.point_at("VIEW_3D", "WINDOW")
        if self.screen.value("view()[0].screen.is_animation_playing"):
            self.screen.key("space")
            self.screen.wait_for("not view()[0].screen.is_animation_playing", 20)

    def save_file(self, name: str) -> None:
        """In the file browser that is open: go to /share, enter a name, press the button."""
        screen = self.screen
        screen.wait(lambda: screen.has("FILE_BROWSER", "EXECUTE"), 10, "the file browser")
        time.sleep(0.5)
        screen.look_at("FILE_BROWSER", "UI")
        screen.type("directory", "/share/")
        time.sleep(0.5)
        bar = screen.place("FILE_BROWSER", "EXECUTE")
        screen.type(Spot(bar["x"] + 80, bar["y"] + bar["height"] // 2, ""), name)
        time.sleep(0.3)
        screen.shot("file-browser")
        screen.look_at("FILE_BROWSER", "EXECUTE")
        screen.click("file.execute")
        screen.look_at("VIEW_3D", "UI")

    def longest_gap(self, begin: float, end: float) -> float:
        """Longest time in milliseconds in which the main thread was busy between two moments."""
        gaps = self.screen.value("heartbeat.gaps")
        return max((1000 * gap for at, gap in gaps if begin <= at and at - gap <= end), default=0)

    def longest_stays(self, begin: float, end: float) -> dict[str, float]:
        """The add-on's functions in which the main thread stayed longest, in milliseconds."""
        longest: dict[str, float] = {}
        for at, seconds, name in self.screen.value("python_time.stays"):
            if begin <= at <= end:
                longest[name] = max(round(1000 * seconds, 1), longest.get(name, 0.0))
        return dict(sorted(longest.items(), key=lambda pair: -pair[1])[:5])

    def wait_for_result(self, timeout: float = 180) -> dict[str, Any]:
        """Wait until the job has ended; return :meth:`times`."""
        self.screen.wait_for("'state' in times", timeout)
        return self.times()

"""What an artist does in Blender's window, in the add-on's own words."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

from tests.window.screen import Screen, Spot

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
def watch_job():
    job = addon("session").job()
    now = time.time()
    if job is not None:
        times.setdefault("began", now)
        if addon("session").status().info is not None:
            times.setdefault("ready", now)
        if job.done:
            times.setdefault("first scale", now)
        if addon("session")._session.overlay.is_shown:
            times.setdefault("first preview", now)
        if job.state.name == "WAITING":
            times.setdefault("made", now)
    elif "began" in times and "ended" not in times:
        times["ended"] = now
        times["state"] = addon("session")._session.last.state.name
    return 0.002
bpy.app.timers.register(watch_job, persistent=True)
"""

_CHOSEN = """
def chosen():
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "FILE_BROWSER":
                return area.spaces.active.params.filename
"""


class Artist:
    """Steps that several tests share."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    def install(self, archive: Path) -> None:
        """Install and enable the zip with the Preferences' own operator; open the tab."""
        screen = self.screen
        shutil.copy(archive, screen.share / archive.name)
        screen.run(_SETUP)
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
        """Let the engine run on the Python that runs these tests."""
        self.screen.run(f"os.environ['SCALEMOGEN_PYTHON'] = {sys.executable!r}")

    def open_tab(self) -> None:
        """Open the sidebar and the add-on's tab."""
        self.screen.run("view()[1].spaces.active.show_region_ui = True")
        time.sleep(0.5)
        self.screen.run("view()[2].active_panel_category = 'ScaleMoGen'")
        self.screen.run("view()[1].tag_redraw()")
        time.sleep(0.7)

    def start_stopwatch(self) -> None:
        """Note when what happens to jobs from now on; :meth:`times` tells."""
        self.screen.run(_STOPWATCH)

    def times(self) -> dict[str, Any]:
        """What the stopwatch has seen of the last job, ``time.time()`` by name."""
        return dict(self.screen.value("times"))

    def generate(self, prompt: str) -> float:
        """Type a prompt and press Generate; return when, as ``time.time()``."""
        self.screen.type("generate.prompt", prompt)
        spot = self.screen.find("scalemogen.generate(")
        self.screen.run("times.clear(); heartbeat.clear()")
        pressed = time.time()
        self.screen.click(spot)
        return pressed

    def wait_for_result(self, timeout: float = 180) -> dict[str, Any]:
        """Wait until the job has ended; return :meth:`times`."""
        self.screen.wait_for("'ended' in times", timeout)
        return self.times()

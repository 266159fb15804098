"""Inside Blender's window: carries out what the test asks for, and tells where buttons are.

    blender --factory-startup --python blender_side.py -- FOLDER

FOLDER/ask-N.json is answered by FOLDER/answer-N.json. Blender tells nobody where a button is, but
it knows which one is under the pointer: a scan moves the real pointer and asks.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import bpy

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
sys.path.insert(0, str(FOLDER))
from naming import matches

_HEARTBEAT_SECONDS = 0.005
_POINTER_SECONDS = 0.03  # from moving the pointer until Blender has handled it

#: What asked-for source sees; what it stores stays for the next.
memory: dict = {"bpy": bpy}


# --- The main thread ---------------------------------------------------------------------------


class Heartbeat:
    """Beats every 5 ms; a longer gap is a time in which Blender's main thread was busy."""

    def __init__(self) -> None:
        self.last = 0.0
        self.gaps: list[tuple[float, float]] = []  # (time.time() at its end, seconds) above 10 ms

    def beat(self) -> float:
        now = time.perf_counter()
        if self.last and now - self.last > 0.010:
            self.gaps.append((time.time(), now - self.last))
        self.last = now
        return _HEARTBEAT_SECONDS

    def clear(self) -> None:
        self.gaps.clear()


class PythonTime:
    """How long Blender's main thread stays in the add-on's Python each time it goes there.

    It slows Python down, and so has a run of its own.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.begun = 0.0
        self.stays: list[tuple[float, float, str]] = []  # (time.time() at its end, seconds, whose)

    def start(self) -> None:
        self.stays.clear()
        self.depth = 0
        sys.setprofile(self._event)

    def stop(self) -> None:
        sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            if self.depth == 0:
                self.begun = time.perf_counter()
            self.depth += 1
        elif event == "return" and self.depth > 0:
            self.depth -= 1
            if self.depth == 0 and "scalemogen" in frame.f_code.co_filename:
                name = f"{Path(frame.f_code.co_filename).name}: {frame.f_code.co_qualname}"
                self.stays.append((time.time(), time.perf_counter() - self.begun, name))


heartbeat, python_time = Heartbeat(), PythonTime()
memory |= {"heartbeat": heartbeat, "python_time": python_time}


# --- Where things are --------------------------------------------------------------------------


def areas() -> list[dict]:
    """Windows, areas and regions, in pixels from the screen's upper left corner."""
    found = []
    for number, window in enumerate(bpy.context.window_manager.windows):
        for area in window.screen.areas:
            for region in area.regions:
                if region.width > 1 and region.height > 1:
                    top = window.height - region.y - region.height
                    found.append(
                        {
                            "window": number,
                            "area": area.type,
                            "region": region.type,
                            "x": window.x + region.x,
                            "y": screen_height() - window.y - window.height + top,
                            "width": region.width,
                            "height": region.height,
                        }
                    )
    return found


def screen_height() -> int:
    """Height of the virtual screen; Blender counts windows' places from its lower edge."""
    if "screen_height" not in memory:
        words = subprocess.run(
            ["xdotool", "getdisplaygeometry"], capture_output=True, text=True, check=True
        ).stdout.split()
        memory["screen_height"] = int(words[1])
    return memory["screen_height"]


def under_pointer(area_type: str, region_type: str) -> str:
    """The operator call or the property's path of the button under the pointer."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if (area.type, region.type) != (area_type, region_type):
                    continue
                with bpy.context.temp_override(window=window, area=area, region=region):
                    found = _button()
                if found:
                    return found
    return ""


def _button() -> str:
    try:
        if found := bpy.context.property:
            _owner, path, _index = found
            return path
    except (AttributeError, RuntimeError, TypeError):
        pass
    manager = bpy.context.window_manager
    if bpy.ops.ui.copy_python_command_button.poll():
        manager.clipboard = ""
        bpy.ops.ui.copy_python_command_button()
        return manager.clipboard
    return ""


def move_pointer(x: int, y: int) -> None:
    subprocess.run(["xdotool", "mousemove", str(x), str(y)], check=True)


# --- What can be asked -------------------------------------------------------------------------


def do_evaluate(task: dict) -> object:
    """Run statements, and return the value of ``task["value"]``."""
    exec(task.get("source", ""), memory)
    return eval(task["value"], memory) if task.get("value") else None  # noqa: S307


def do_areas(_task: dict) -> object:
    return areas()


def do_scan(task: dict) -> Iterator[float]:
    """Move the pointer over the points; what lies under each is returned."""
    found = []
    for x, y in task["points"]:
        move_pointer(x, y)
        yield _POINTER_SECONDS
        found.append(under_pointer(task["area"], task["region"]))
        if task["until"] and matches(task["until"], found[-1]):
            break
    return found


_todo: list[tuple[int, Iterator[float]]] = []


def serve() -> float:
    """One step of what is being asked; called by Blender's timer."""
    if not _todo:
        _take()
        return 0.01
    number, steps = _todo[0]
    try:
        return next(steps)
    except StopIteration as end:
        _answer(number, {"value": end.value})
    except Exception:
        _answer(number, {"error": traceback.format_exc()})
    _todo.clear()
    return 0.01


def _take() -> None:
    number = memory.setdefault("number", 0)
    path = FOLDER / f"ask-{number}.json"
    if not path.exists():
        return
    memory["number"] = number + 1
    task = json.loads(path.read_text(encoding="utf-8"))
    try:
        value = globals()[f"do_{task['do']}"](task)
    except Exception:
        _answer(number, {"error": traceback.format_exc()})
        return
    if isinstance(value, Iterator):
        _todo[:] = [(number, value)]
    else:
        _answer(number, {"value": value})


def _answer(number: int, content: dict) -> None:
    path = FOLDER / f"answer-{number}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, default=str), encoding="utf-8")
    os.replace(part, path)


memory["areas"] = areas
bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(serve, first_interval=0.5, persistent=True)
bpy.app.timers.register(heartbeat.beat, persistent=True)

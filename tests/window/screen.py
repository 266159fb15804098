"""Blender with its window on a virtual screen, driven with real mouse and keyboard events."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.window.naming import matches

HERE = Path(__file__).resolve().parent
ROOTS = Path(os.environ.get("SCALEMOGEN_WINDOW_ROOTS") or tempfile.gettempdir())
#: Debian suite → the Blender in it.
SUITES = {"sid": "5.2", "trixie": "4.3"}
_SECONDS_TO_START = 90
_ROW = 14  # pixels; rows of buttons are 20 high


class WindowError(AssertionError):
    """Blender did not do what the test asked for."""


def root_folder(suite: str) -> Path:
    """The root folder of a suite; the test is skipped, with the reason, where it cannot be used."""
    root = ROOTS / f"deb-{suite}"
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("tests in Blender's window need Linux and root rights (chroot, mounts)")
    if not (root / ".blender-gui-ready").exists():
        pytest.skip(f"no {root}: tests/window/make_root.sh {suite} makes it (Debian, 1.3 GB)")
    return root


@dataclass(frozen=True)
class Spot:
    """A button: what is under the pointer at a place of the screen."""

    x: int
    y: int
    what: str


class Screen:
    """One Blender. ``share`` is seen inside as /share; ``pictures`` collects those of :meth:`shot`.

    A button is named by a part of its operator call ("scalemogen.generate") or of its property's
    path ("generate.prompt").
    """

    def __init__(self, suite: str, share: Path, pictures: Path) -> None:
        self.share, self.pictures = share, pictures
        self.area, self.region = "VIEW_3D", "UI"
        shutil.rmtree(pictures, ignore_errors=True)
        pictures.mkdir(parents=True)
        for name in ("agent.py", "blender_side.py", "naming.py"):
            shutil.copy(HERE / name, share / name)
        self._numbers = {"ask": 0, "picture": 0}
        self._known: dict[str, Spot] = {}
        # What the engine's worker needs to run on the Python that runs these tests.
        seen = {sys.prefix, sys.base_prefix, *(p for p in sys.path if p.endswith("site-packages"))}
        self._agent = subprocess.Popen(
            [HERE / "in_root.sh", root_folder(suite), share, "python3", "/share/agent.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"WINDOW_BIND": ":".join(sorted(seen))},
        )
        self._blender = 0
        self.start_blender()

    # --- Blender itself ------------------------------------------------------------------------

    def start_blender(self) -> None:
        """Start Blender and wait until it answers."""
        for path in (*self.share.glob("ask-*"), *self.share.glob("answer-*")):
            path.unlink()
        self._numbers["ask"] = 0
        self._known.clear()
        words = ["blender", "--factory-startup", "--python", "/share/blender_side.py"]
        task = {"start": [*words, "--", "/share"], "log": "/share/blender.log"}
        self._blender = self._tell(task)["pid"]
        self._ask({"do": "areas"}, _SECONDS_TO_START)

    def alive(self) -> bool:
        """Whether Blender runs."""
        return self._tell({"ended": self._blender})["code"] is None

    def log(self) -> str:
        """What Blender has printed."""
        return (self.share / "blender.log").read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End Blender and the virtual screen."""
        if self._agent.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._agent.stdin.close()
        try:
            self._agent.wait(20)
        except subprocess.TimeoutExpired:
            self._agent.kill()
            self._agent.wait()

    def run(self, source: str, timeout: float = 60) -> None:
        """Run statements inside Blender; what they store is seen by later ones."""
        self._ask({"do": "evaluate", "source": source}, timeout)

    def value(self, expression: str, source: str = "", timeout: float = 60) -> Any:
        """Return an expression's value (what JSON can carry) from inside Blender."""
        return self._ask({"do": "evaluate", "source": source, "value": expression}, timeout)

    def wait_for(self, expression: str, timeout: float, every: float = 0.1) -> Any:
        """Wait until an expression inside Blender is true; return its value."""
        return self.wait(lambda: self.value(expression), timeout, expression, every)

    def wait(self, ready: Callable[[], Any], timeout: float, what: str, every: float = 0.1) -> Any:
        """Wait until ``ready()`` is true; return its value."""
        end = time.monotonic() + timeout
        while not (value := ready()):
            if time.monotonic() > end:
                self.shot("timeout")
                raise WindowError(f"not within {timeout} s: {what}\n{self.log()[-3000:]}")
            time.sleep(every)
        return value

    # --- Mouse, keyboard, pictures -------------------------------------------------------------

    def click(self, button: str | Spot, times: int = 1) -> Spot:
        """Press a button with the left mouse button; return where it was."""
        spot = button if isinstance(button, Spot) else self.find(button)
        self.tool("mousemove", spot.x, spot.y)
        time.sleep(0.15)  # a person's hand is no faster, and Blender highlights the button first
        for _ in range(times):
            self.tool("click", 1)
            time.sleep(0.1)
        return spot

    def type(self, field: str | Spot, text: str) -> None:
        """Replace the text or the number in a field."""
        self.click(field, times=2)
        time.sleep(0.3)
        self.key("ctrl+a")
        self.tool("type", "--delay", 30, text)
        self.key("Return")

    def key(self, *keys: str) -> None:
        """Press keys, as xdotool names them: "ctrl+z", "Escape"."""
        for key in keys:
            self.tool("key", key)
            time.sleep(0.15)

    def shot(self, name: str) -> Path:
        """Take a picture of the whole screen: NN-name.png."""
        self._numbers["picture"] += 1
        path = self.pictures / f"{self._numbers['picture']:02}-{name}.png"
        self._program("import", "-window", "root", "/share/picture.png")
        shutil.move(self.share / "picture.png", path)
        return path

    def tool(self, *words: object) -> None:
        """Run xdotool."""
        self._program("xdotool", *words)

    # --- Where buttons are ---------------------------------------------------------------------

    def find(self, what: str) -> Spot:
        """Return where a button is; the region is scrolled down if need be.

        Raises:
            WindowError: it is not in the region.
        """
        known = self._known.get(what)
        if known and matches(what, self._scan([(known.x, known.y)])[0].what):
            return known
        for scrolled in range(4):
            for part in (0.55, 0.86, 0.3, 0.72, 0.42, 0.15):
                points = self._column(part)
                for spot in self._scan(points, until=what):
                    if matches(what, spot.what):
                        # A row's upper edge may have been hit: a little lower is better.
                        below = Spot(spot.x, spot.y + 5, spot.what)
                        inside = matches(what, self._scan([(below.x, below.y)])[0].what)
                        self._known[what] = below if inside else spot
                        return self._known[what]
            if scrolled < 3:
                self.scroll(5)
        self.shot("not-found")
        raise WindowError(f"no button {what!r} in {self.area} {self.region}")

    def find_beside(self, spot: Spot, what: str) -> Spot:
        """Return where a button is in the row of another one; from the right."""
        place = self.place()
        points = [(x, spot.y) for x in range(place["x"] + place["width"], place["x"], -_ROW)]
        for found in self._scan(points, until=what):
            if matches(what, found.what):
                return found
        self.shot("not-found")
        raise WindowError(f"no button {what!r} beside {spot}")

    def buttons(self, part: float = 0.6) -> list[str]:
        """What lies in a column of the region, from above: property paths, operator calls."""
        whats = [spot.what for spot in self._scan(self._column(part)) if spot.what]
        return list(dict.fromkeys(whats))

    def gaps(self, part: float = 0.4) -> list[Spot]:
        """Places without a button in a column of the region, from above to the last button."""
        spots = self._scan(self._column(part))
        last = max((number for number, spot in enumerate(spots) if spot.what), default=0)
        return [spot for spot in spots[: last + 20] if not spot.what]

    def point_at(self, area: str, region: str) -> None:
        """Put the pointer into the middle of a region: keys go to what is under it."""
        place = self.place(area, region)
        self.tool("mousemove", place["x"] + place["width"] // 3, place["y"] + place["height"] // 2)
        time.sleep(0.2)

    def scroll(self, notches: int) -> None:
        """Turn the mouse wheel over the region; positive is down."""
        place = self.place()
        self.tool("mousemove", place["x"] + place["width"] // 2, place["y"] + place["height"] // 2)
        for _ in range(abs(notches)):
            self.tool("click", 5 if notches > 0 else 4)
        time.sleep(0.3)

    def look_at(self, area: str, region: str) -> None:
        """Let buttons be searched in another place: ("FILE_BROWSER", "EXECUTE")."""
        self.area, self.region = area, region
        self._known.clear()

    def has(self, area: str, region: str) -> bool:
        """Whether there is such a region in any window."""
        return any(self._rectangles(area, region))

    def place(self, area: str = "", region: str = "") -> dict[str, int]:
        """The region's rectangle on the screen; the one that is looked at unless named."""
        for rectangle in self._rectangles(area or self.area, region or self.region):
            return rectangle
        raise WindowError(f"there is no {region or self.region} in a {area or self.area}")

    def _rectangles(self, area: str, region: str) -> list[dict[str, int]]:
        found = self._ask({"do": "areas"}, 30)
        return [r for r in found if (r["area"], r["region"]) == (area, region)]

    def _column(self, part: float) -> list[tuple[int, int]]:
        place = self.place()
        x = place["x"] + int(place["width"] * part)
        return [(x, y) for y in range(place["y"] + 4, place["y"] + place["height"] - 2, _ROW)]

    def _scan(self, points: list[tuple[int, int]], until: str = "") -> list[Spot]:
        task = {"do": "scan", "points": points, "area": self.area, "region": self.region}
        found = self._ask(task | {"until": until}, 300)  # slow while an animation plays
        return [Spot(x, y, what) for (x, y), what in zip(points, found, strict=False)]

    # --- Talking -------------------------------------------------------------------------------

    def _ask(self, task: dict[str, Any], timeout: float) -> Any:
        number = self._numbers["ask"]
        self._numbers["ask"] += 1
        part = self.share / "ask.part"
        part.write_text(json.dumps(task), encoding="utf-8")
        os.replace(part, self.share / f"ask-{number}.json")
        answer_path = self.share / f"answer-{number}.json"
        end = time.monotonic() + timeout
        while not answer_path.exists():
            if time.monotonic() > end or not self.alive():
                ended = "did not answer" if self.alive() else "has ended"
                raise WindowError(f"Blender {ended}: {task}\n{self.log()[-3000:]}")
            time.sleep(0.01)
        answer = json.loads(answer_path.read_text(encoding="utf-8"))
        if "error" in answer:
            raise WindowError(answer["error"])
        return answer["value"]

    def _program(self, *words: object) -> None:
        done = self._tell({"run": [str(word) for word in words]})
        if done["code"]:
            raise WindowError(f"{words[0]} failed: {done['error']}")

    def _tell(self, task: dict[str, Any]) -> dict[str, Any]:
        agent = self._agent
        assert agent.stdin is not None
        assert agent.stdout is not None
        try:
            agent.stdin.write(json.dumps(task) + "\n")
            agent.stdin.flush()
        except BrokenPipeError:
            raise WindowError("the virtual screen has ended") from None
        line = agent.stdout.readline()
        if not line:
            raise WindowError("the virtual screen could not be started, or has ended")
        return dict(json.loads(line))

"""A worker without an engine that misbehaves in the way its model's name says, and its client.

The script speaks the real protocol (core/protocol.py) and is started by the real client; needs
numpy only.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.protocol import Message, pack_motions
from scalemogen_blender.client import EngineClient, Patience
from scalemogen_blender.client.messages import Event, GenerateRequest, Launch

ROOT = Path(__file__).resolve().parent.parent
#: For what takes milliseconds on an idle machine; nothing waits so long unless it fails.
LONG = 60.0

# The real core lies behind the fake one: only the worker is another.
_CORE = f"__path__.append({str(ROOT / 'core')!r})\n__version__ = 'fake'\n"
_WORKER = f"""
import sys
sys.path.append({str(ROOT / "tests")!r})
sys.path.append({str(ROOT)!r})
import fake_worker
fake_worker.main()
"""


def fake_engine(folder: Path) -> Path:
    """A folder that has a ``core.worker`` which runs tests/fake_worker.py."""
    (folder / "core" / "worker").mkdir(parents=True, exist_ok=True)
    (folder / "core" / "__init__.py").write_text(_CORE, encoding="utf-8")
    (folder / "core" / "worker" / "__init__.py").touch()
    (folder / "core" / "worker" / "__main__.py").write_text(_WORKER, encoding="utf-8")
    return folder


def request(prompt: str = "a person walks", seeds: tuple[int, ...] = (1,)) -> GenerateRequest:
    return GenerateRequest(prompt, seeds, 2.0)


class Watched:
    """A client on a fake worker, and everything that it has told."""

    def __init__(self, folder: Path, behaviour: str, **patience: float) -> None:
        self.scratch = folder / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self.log_path = folder / "logs" / "engine.log"
        launch = Launch(
            Path(sys.executable),
            fake_engine(folder / "engine"),
            model=behaviour,
            cache_folder=self.scratch,
        )
        self.client = EngineClient(launch, self.log_path, patience=Patience(**patience))
        self.events: list[Event] = []

    def poll(self) -> list[Event]:
        new = self.client.poll()
        self.events += new
        return new

    def until(self, condition: Callable[[], object], seconds: float = LONG) -> None:
        """Poll until it is so."""
        end = time.monotonic() + seconds
        self.poll()
        while not condition():
            assert time.monotonic() < end, f"{self.events}\n{self.client.log_tail(50)}"
            time.sleep(0.005)
            self.poll()

    def until_told(self, kind: type[Event], count: int = 1) -> Event:
        """Poll until so many events of a kind came; the last of them."""
        self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[-1]

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def starts(self) -> int:
        """How many processes there have been."""
        file = self.scratch / "starts"
        return len(file.read_text()) if file.exists() else 0


def motions_message(kind: str, motions: list, **fields: object) -> Message:
    table, arrays = pack_motions(motions)
    return Message(kind, {**fields, "motions": table}, arrays)

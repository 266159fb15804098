"""A worker process that is spoken to without the client, and an engine that does as it is told."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from model_fakes import OURS, random_model
from worker_fakes import LONG, ROOT

from core.model.weights import save_tokenizer, save_transformer
from core.protocol import PROTOCOL_VERSION, Message, encode, read
from scalemogen_blender.client.launching import environment
from scalemogen_blender.client.messages import Launch

PROMPT = "a person walks forward and waves"


def save_tiny(folder: Path) -> Path:
    """A tiny random model on the bundled text encoder; its longest clip has 5.3 seconds."""
    config = replace(OURS, transformer=replace(OURS.transformer, text_width=384))
    model = random_model(config)
    save_tokenizer(folder, config, model.tokenizer, model.mean, model.std)
    save_transformer(folder, config, model.transformer)
    return folder


class Talk:
    """A worker process, spoken to without the client."""

    def __init__(self, *arguments: str, source: str = "", variables: Any = None) -> None:
        launch = Launch(Path(sys.executable), ROOT)
        start = ["-c", source] if source else ["-m", "core.worker"]
        self.process = subprocess.Popen(
            [sys.executable, *start, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment(launch, os.environ) | (variables or {}),
        )

    def say(self, kind: str, arrays: Any = None, **fields: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode(Message(kind, fields, arrays or {})))

    def hear(self) -> Message | None:
        assert self.process.stdout is not None
        return read(self.process.stdout)

    def hear_until(self, *kinds: str) -> list[Message]:
        """All messages up to the first of these kinds."""
        heard: list[Message] = []
        while not heard or heard[-1].kind not in kinds:
            message = self.hear()
            assert message is not None, (heard, self.end())
            heard.append(message)
        return heard

    def greet(self) -> None:
        self.say("hello", protocol=PROTOCOL_VERSION)
        assert [m.kind for m in self.hear_until("ready")] == ["hello", "ready"]

    def ask(self, number: int, prompt: str = PROMPT, **more: Any) -> None:
        fields = {"seeds": [1], "seconds": 2.0, "cleanup": True, "preview": True, **more}
        self.say("generate", request=number, prompt=prompt, **fields)

    def end(self) -> tuple[int, str]:
        """Close the pipes; exit code and log."""
        if self.process.stdin is not None and self.process.stdin.closed:
            self.process.stdin = None  # communicate() would flush it
        _, log = self.process.communicate(timeout=LONG)
        return self.process.returncode, log.decode()


# A worker whose engine and editor work until they are called off, print, or raise what the prompt
# names.
ENGINE = """
import os, sys, time
from types import SimpleNamespace
import numpy as np
from core.editing import Edited, Report
from core.motion import Motion
from core.skeleton import canonical
from core.worker.loading import Service
from core.worker.parent import end_with
from core.worker.server import Server
from core.worker.streams import take_streams

def still(frames):
    rotations = np.zeros((frames, 22, 4)); rotations[..., 0] = 1
    return Motion(canonical(), rotations, np.zeros((frames, 3)), 30.0)

def behave(prompt, motion, on_preview, on_step):
    if prompt == "nan":
        motion.root_positions[0] = np.nan
    elif prompt == "print":
        print("printed by a library", flush=True)
        os.write(1, b"written by a library\\n")
        os.system("echo printed by a program")
        assert not sys.stdin.read()
    elif prompt == "memory":
        raise MemoryError
    elif prompt == "torch_memory":
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 1 TB")
    elif prompt == "bug":
        raise KeyError("a mistake of ours")
    elif prompt == "cuda":
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    elif prompt == "exit":
        raise SystemExit
    elif prompt == "many":
        for done in range(2000):
            on_preview(done, 2000, lambda: motion)
    elif prompt == "long":
        while True:
            on_preview(1, 2, lambda: motion)
            time.sleep(0.005)
    elif prompt == "decode":
        on_preview(2, 2, lambda: motion)
        while True:
            on_step()
            time.sleep(0.005)
    elif prompt == "stuck":
        on_preview(1, 2, lambda: motion)
        time.sleep(3600)
    return motion

class Engine:
    name, device = "fake", "cpu"
    model = SimpleNamespace(config=SimpleNamespace(
        transformer=SimpleNamespace(guidance=1.0, temperature=1.0)))
    def natural_seconds(self, prompt):
        return 2.0
    def generate(self, prompt, seconds, seeds, *, on_preview, on_step, **_):
        motion = behave(prompt, still(5), on_preview, on_step)
        return SimpleNamespace(motions=[motion] * len(seeds), timings={})

class Editor:
    def edit(self, source, edit, seeds, *, on_preview, on_step, **_):
        frames = np.arange(max(source.frame_count, edit.last + 1))
        made = source.at_frames(np.minimum(frames, source.frame_count - 1))
        made.root_positions[edit.first:edit.last + 1, 1] += 0.25
        behave(edit.prompt, made, on_preview, on_step)
        report = Report(edit, (edit.first - 1, edit.last + 2), (0, len(frames) - 1), (), 3, 6)
        edited = [Edited(made, report)] * len(seeds)
        return SimpleNamespace(edited=edited, timings={"total_ms": 5.0})
    def sequence(self, blocks, seeds, *, on_preview, on_step, **_):
        frames = round(30 * sum(block.seconds for block in blocks))
        motion = behave(blocks[-1].prompt, still(frames), on_preview, on_step)
        return SimpleNamespace(motions=[motion] * len(seeds), timings={})

class FakeService(Service):
    editor = Editor()

source, sink = take_streams()
arguments = sys.argv[1:]
if arguments[1:]:
    end_with(int(arguments[1]))
def load():
    if arguments[0] == "load_memory":
        raise MemoryError
    return FakeService(Engine(), {})
idle = float(arguments[0]) if arguments[0][0].isdigit() else 0
Server(source, sink, load, idle).run()
"""

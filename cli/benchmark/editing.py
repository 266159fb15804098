"""``benchmark --edit``: what an edit costs beside generating the whole clip, in time and memory."""

import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ScaleMoGenError

from .report import Table

if TYPE_CHECKING:
    from core.editor import Editor
    from core.motion import Motion

_SECONDS = 10.0
_PROMPT = "a person raises the left hand"
#: Case -> what is made anew: body parts ("all" or names), seconds in the middle, variations.
CASES: dict[str, tuple[tuple[str, ...], float, int]] = {
    "generate 10 s": ((), _SECONDS, 1),
    "edit 1 s, left arm": (("left_arm",), 1.0, 1),
    "edit 4 s, whole body": (("all",), 4.0, 1),
    "edit 10 s, whole body": (("all",), _SECONDS, 1),
    "generate 10 s, 4 variations": ((), _SECONDS, 4),
    "edit 1 s, left arm, 4 variations": (("left_arm",), 1.0, 4),
    "generate 10 s, 8 variations": ((), _SECONDS, 8),
    "edit 1 s, left arm, 8 variations": (("left_arm",), 1.0, 8),
}
_REFERENCE = "generate 10 s"


def measure_all(
    model: str, encoder: str | None, device: str, threads: list[int], repeats: int
) -> dict[str, Any]:
    """Every case in a process of its own, for every number of CPU threads."""
    from .process import ask

    request = {"model": model, "text_encoder": encoder, "device": device, "repeats": repeats}
    about = ask({"task": "describe", "lengths": [_SECONDS], **request}, 1)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        file = str(Path(scratch) / "source.npz")
        for count in threads:
            for case in CASES:
                task = {"task": "edit", "case": case, "source": file, "threads": count}
                rows.append(ask({**task, **request, "device": about["devices"][-1]}, count))
    return {**about, "device": about["devices"][-1], "load_average": load, "rows": rows}


def table(report: dict[str, Any]) -> Table:
    """The numbers, with ratios to generating one clip of ten seconds with as many threads."""
    header = (
        "case", "threads", "best ms", "median ms", "ratio of best", "CPU ms", "ratio of CPU",
        "encode", "scales", "decode", "memory MB",
    )  # fmt: skip
    lines = []
    for row in report["rows"]:
        base = next(
            r for r in report["rows"]
            if (r["case"], r["threads"]) == (_REFERENCE, row["threads"])
        )  # fmt: skip
        lines.append(
            (
                row["case"],
                str(row["threads"]),
                f"{row['best_ms']:.0f}",
                f"{row['median_ms']:.0f}",
                f"{row['best_ms'] / base['best_ms']:.2f}",
                f"{row['cpu_ms']:.0f}",
                f"{row['cpu_ms'] / base['cpu_ms']:.2f}",
                *(f"{row[stage]:.0f}" for stage in ("encode_ms", "scales_ms", "decode_ms")),
                f"{row['memory_mb']:.0f}",
            )
        )
    note = (
        "warm passes with new words each; CPU: the least processor time of all threads in a "
        "pass; stages of the best pass; memory: peak above the loaded model, in a process of its "
        "own; the source is a clip of 10 s at 30 fps"
    )
    return Table("Edits beside generating", note, header, lines)


# --- in the measuring process --------------------------------------------------------------------


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """One case: the best and the median of some warm passes, and the memory that they take."""
    import torch

    from core.editor import Editor
    from core.engine import Engine

    from .worker import peak_rss_mb

    torch.set_num_threads(request["threads"])
    folder = request["text_encoder"]
    engine = Engine.load(
        request["model"], request["device"], None if folder is None else Path(folder)
    )
    engine.load_text_encoder()
    editor = Editor(engine)
    # The first case makes the source that the others read: generating is what it measures.
    file = Path(request["source"])
    if not file.exists():
        _save(file, engine.generate("a person walks forward", _SECONDS, [1]).motions[0])
    source = _read(file)
    _forget_peak()
    loaded = peak_rss_mb()
    passes, spent = [], []
    _one_pass(editor, source, request["case"], 0)
    for take in range(request["repeats"]):
        began = time.process_time()
        passes.append(_one_pass(editor, source, request["case"], take + 1))
        spent.append(1000.0 * (time.process_time() - began))
    best = min(passes, key=lambda timings: float(timings["wall_ms"]))
    return {
        "case": request["case"],
        "threads": request["threads"],
        "best_ms": best["wall_ms"],
        "median_ms": statistics.median(p["wall_ms"] for p in passes),
        "cpu_ms": min(spent),
        "encode_ms": best.get("encode_ms", 0.0),
        "scales_ms": sum(best["scales_ms"]),
        "decode_ms": best["decode_ms"],
        "memory_mb": peak_rss_mb() - loaded,
    }


def _forget_peak() -> None:
    """Let the peak begin anew at what is held now, where the system can: loading needs more."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _one_pass(editor: "Editor", source: "Motion", case: str, take: int) -> dict[str, Any]:
    from core.editing.edit import Edit, joints_of
    from core.skeleton import BODY_PARTS

    if case not in CASES:
        raise ScaleMoGenError(f"there is no case '{case}' to measure")
    parts, seconds, variations = CASES[case]
    prompt = f"{_PROMPT}, take {take}"  # a known prompt would skip the text encoder
    seeds = range(1, variations + 1)
    began = time.perf_counter()
    if not parts:
        timings = editor.engine.generate(prompt, seconds, seeds).timings
    else:
        joints = joints_of(BODY_PARTS if parts == ("all",) else parts)
        frames = round(seconds * source.fps)
        first = (source.frame_count - frames) // 2
        edit = Edit(joints, first, first + frames - 1, prompt=prompt)
        timings = editor.edit(source, edit, seeds).timings
    return {**timings, "wall_ms": 1000.0 * (time.perf_counter() - began)}


def _save(file: Path, motion: "Motion") -> None:
    import numpy as np

    np.savez(file, rotations=motion.rotations, root=motion.root_positions)


def _read(file: Path) -> "Motion":
    import numpy as np

    from core.motion import Motion
    from core.skeleton import canonical

    with np.load(file) as arrays:
        return Motion(canonical(), arrays["rotations"], arrays["root"], canonical().fps)

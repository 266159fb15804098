"""One measurement in a process of its own: ``python -m cli.benchmark.worker`` (see process.py)."""

import time

_STARTED = time.time()  # before anything slow is imported

import json  # noqa: E402
import os  # noqa: E402
import platform  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

from core.errors import ScaleMoGenError  # noqa: E402

if TYPE_CHECKING:
    import torch

    from core.engine import Engine

_PROMPT = "a person walks forward and waves"
_LENGTHS = (1.0, 2.0, 4.0, 10.0)
#: Warm passes of one configuration stop after so many seconds, however many repeats were asked for.
_PATIENCE = 4.0


def describe(request: dict[str, Any]) -> dict[str, Any]:
    """The machine, the model's name, and which devices and clip lengths to measure.

    ScaleMoGenError when the model cannot make a length that was asked for.
    """
    import torch

    from core.engine import pick_device

    engine = _engine({**request, "published": False, "device": "cpu"})
    lengths = request["lengths"] or [s for s in _LENGTHS if s <= engine.max_seconds]
    for seconds in lengths:
        engine.check_seconds(seconds)
    chosen = str(pick_device(request["device"]))
    both = request["device"] == "auto" and chosen != "cpu"
    gpu = torch.cuda.get_device_name(chosen) if chosen.startswith("cuda") else None
    return {
        "model": engine.name,
        "devices": ["cpu", chosen] if both else [chosen],
        "lengths": lengths,
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}",
        "gpu": gpu,
        "cpu_count": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def measure(request: dict[str, Any], started: float | None = None) -> dict[str, Any]:
    """Start-up, one cold and some warm passes, and the peak memory of this process."""
    began = time.time()
    interpreter = began - request["spawned"] if started is None else started - request["spawned"]
    import torch

    import core.engine  # noqa: F401  (its time is what is measured)

    torch.set_num_threads(request["threads"])
    imported = time.time()
    engine = _engine(request)
    _wait(engine.device)
    loaded = time.time()
    engine.load_text_encoder()
    _wait(engine.device)
    ready = time.time()
    first, passes, spent = _passes(engine, request)
    return {
        **{k: request[k] for k in ("published", "device", "threads", "seconds", "variations")},
        "model": engine.name,
        "start": {
            "interpreter_ms": _milliseconds(interpreter),
            "imports_ms": _milliseconds(imported - (began if started is None else started)),
            "weights_ms": _milliseconds(loaded - imported),
            "text_encoder_ms": _milliseconds(ready - loaded),
        },
        "cold": median([first]),
        "warm": median(passes),
        "warm_cpu_ms": _milliseconds(statistics.median(spent)),
        "repeats": len(passes),
        "parameters": _parameters(engine),
        "peak_mb": round(peak_rss_mb(), 1),
        "gpu_peak_mb": _gpu_peak_mb(engine.device),
    }


def _engine(request: dict[str, Any]) -> "Engine":
    from core.engine import Engine, pick_device

    if request["published"]:
        from .published_size import RandomText, random_model

        model = random_model()
        text = RandomText(model.config.transformer.text_width)
        return Engine(model, pick_device(request["device"]), text)
    folder = request["text_encoder"]
    return Engine.load(
        request["model"], request["device"], None if folder is None else Path(folder)
    )


def _passes(
    engine: "Engine", request: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]], list[float]]:
    """Timings of the first pass and of the warm ones, and the warm ones' CPU seconds."""
    seeds = range(1, request["variations"] + 1)
    # Every pass has words of its own: a known prompt would skip the text encoder.
    first = engine.generate(_PROMPT, request["seconds"], seeds).timings
    passes: list[dict[str, Any]] = []
    spent: list[float] = []
    began = time.perf_counter()
    while len(passes) < request["repeats"]:
        before = time.process_time()
        prompt = f"{_PROMPT}, take {len(passes)}"
        passes.append(engine.generate(prompt, request["seconds"], seeds).timings)
        spent.append(time.process_time() - before)
        if time.perf_counter() - began > _PATIENCE:
            break
    return first, passes, spent


def median(timings: list[dict[str, Any]]) -> dict[str, Any]:
    """Median of every stage over the passes; of lists (``scales_ms``) element by element."""
    result: dict[str, Any] = {}
    for stage, example in timings[0].items():
        column = [timing[stage] for timing in timings]
        if isinstance(example, list):
            by_scale = zip(*column, strict=True)
            result[stage] = [round(statistics.median(scale), 3) for scale in by_scale]
        else:
            result[stage] = round(statistics.median(column), 3)
    return result


def peak_rss_mb() -> float:
    """The most memory this process has held, in MB (10**6 bytes)."""
    if os.name == "nt":
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / 1e6
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: on Linux that also counts the process that started this one.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _gpu_peak_mb(device: str) -> float | None:
    import torch

    if not device.startswith("cuda"):
        return None
    return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)


def _wait(device: str) -> None:
    """Let queued GPU work finish before a clock is read."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()


def _parameters(engine: "Engine") -> int:
    def count(network: "torch.nn.Module") -> int:
        return sum(p.numel() for p in network.parameters())

    return count(engine.model.tokenizer) + count(engine.model.transformer)


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 2)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main() -> int:
    """Read a request from stdin, print the answer as the last line."""
    request = json.load(sys.stdin)
    try:
        if request["task"] == "describe":
            answer = describe(request)
        elif request["task"] == "edit":
            from .editing import measure as measure_edit

            answer = measure_edit(request)
        else:
            answer = measure(request, _STARTED)
    except ScaleMoGenError as error:
        print(json.dumps({"error": str(error)}))
        return 2
    except MemoryError:
        print(json.dumps({"error": "out of memory; ask for fewer --variations or --lengths"}))
        return 2
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``benchmark``: milliseconds per stage, cold start, peak memory, on this machine."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.errors import ScaleMoGenError
from core.paths import ROOT

from . import values
from .progress import bar

_PROMPT = "a person walks forward and waves"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--lengths",
        type=values.seconds,
        nargs="+",
        default=[2.0, 4.0, 10.0],
        metavar="SECONDS",
        help="clip lengths (default: 2 4 10)",
    )
    parser.add_argument(
        "--variations", type=values.whole_number(1, 64), default=1, help="motions in one pass"
    )
    parser.add_argument(
        "--repeats",
        type=values.whole_number(1, 100),
        default=3,
        help="runs of which the median is told (default: 3)",
    )
    values.add_model_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        # An empty cache of prompt states, so that the text encoder really works.
        os.environ["SCALEMOGEN_CACHE"] = str(Path(scratch) / "cache")
        report = _measure(args, Path(scratch))
    print(json.dumps(report) if args.json else table(report))
    return 0


def _measure(args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    from core.engine import Engine

    engine = Engine.load(args.model, args.device, args.text_encoder)
    for length in args.lengths:
        engine.check_seconds(length)
    warm: list[dict[str, Any]] = []
    passes = len(args.lengths) * (args.repeats + 1)
    with bar("benchmark", total=passes, silent=args.json, unit="pass") as progress:
        for seconds in args.lengths:
            timings = []
            for repeat in range(args.repeats + 1):
                # Every pass has words of its own: a known prompt would skip the text encoder.
                prompt = f"{_PROMPT}, take {len(warm)} {repeat}"
                seeds = range(1, args.variations + 1)
                timings.append(engine.generate(prompt, seconds, seeds).timings)
                progress.update()
            # The first pass of a length warms up caches and buffers.
            warm.append({"seconds": seconds, "variations": args.variations, **median(timings[1:])})
    peak = peak_rss_mb()
    cold = statistics.median(_cold_start_ms(args, scratch, n) for n in range(args.repeats))
    return {
        "warm": warm,
        "cold_start_ms": round(cold, 1),
        "peak_rss_mb": round(peak, 1),
        "model": engine.name,
        "device": engine.device,
        "repeats": args.repeats,
        **_machine(),
    }


def median(timings: list[dict[str, Any]]) -> dict[str, Any]:
    """Median of every stage over the passes; of ``scales_ms`` scale by scale."""
    result: dict[str, Any] = {}
    for stage in ("text_ms", "scales_ms", "decode_ms", "total_ms"):
        column = [timing[stage] for timing in timings]
        if isinstance(column[0], list):
            by_scale = zip(*column, strict=True)
            result[stage] = [round(statistics.median(scale), 3) for scale in by_scale]
        else:
            result[stage] = round(statistics.median(column), 3)
    return result


def _cold_start_ms(args: argparse.Namespace, scratch: Path, number: int) -> float:
    """Milliseconds from the start of a fresh process to its end with a 2 s motion on disk."""
    target = scratch / f"cold_{number}.bvh"
    command = [sys.executable, "-P", "-m", "cli", "generate", _PROMPT, "--seconds", "2"]
    command += ["--bvh", str(target), "--json", "--model", args.model, "--device", args.device]
    if args.text_encoder is not None:
        command += ["--text-encoder", str(args.text_encoder)]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "SCALEMOGEN_CACHE": str(scratch / f"cold_cache_{number}"),
    }
    started = time.perf_counter()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    elapsed = 1000 * (time.perf_counter() - started)
    if ended.returncode != 0 or not target.is_file():
        raise ScaleMoGenError(f"the cold start failed: {ended.stderr.strip()[-300:]}")
    return elapsed


def peak_rss_mb() -> float:
    """The most memory this process has held, in MB (10**6 bytes)."""
    if os.name == "nt":
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _machine() -> dict[str, Any]:
    import torch

    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return {
        "machine": f"{platform.system()} {platform.machine()}, {processor}",
        "cpu_count": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [
        f"{report['model']} on {report['device']}, {report['threads']} threads, "
        f"torch {report['torch']}, {report['machine']}",
        "  seconds  variations   text ms  scales ms  decode ms   total ms",
    ]
    lines += [
        f"{row['seconds']:9g}  {row['variations']:10d}  {row['text_ms']:8.1f}  "
        f"{sum(row['scales_ms']):9.1f}  {row['decode_ms']:9.1f}  {row['total_ms']:9.1f}"
        for row in report["warm"]
    ]
    lines.append(
        f"cold start {report['cold_start_ms']:.0f} ms, peak {report['peak_rss_mb']:.0f} MB"
    )
    return "\n".join(lines)

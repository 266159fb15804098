"""Values on the command line: their types, checks and one-line complaints."""

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path

LARGEST_SEED = 2**63 - 1
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """An argparse type: a whole number within bounds, both included."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"'{text}' is not a whole number from {least} to {most}"
            )
        return value

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """An argparse type: a finite number within bounds, both included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:  # also false for NaN
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {least:g} to {most:g}")
        return value

    return parse


def seconds(text: str) -> float:
    """An argparse type: a clip's length; how long it may be is the model's business."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a length in seconds; give a number")
    return value


def prompt(text: str) -> str:
    """An argparse type: a sentence, cleaned of surrounding and repeated white space."""
    cleaned = " ".join(text.split())
    if not cleaned:
        raise argparse.ArgumentTypeError(
            "the prompt is empty; describe the motion, for example 'a person walks forward'"
        )
    try:
        cleaned.encode("utf-8")
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("the prompt is not valid text; use UTF-8") from None
    return cleaned


def device(text: str) -> str:
    """An argparse type: the name of a device; whether it is there, the engine finds out."""
    if not _DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"unknown device '{text}'; use auto, cpu, cuda or mps")
    return text


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """``--model``, ``--device`` and ``--text-encoder``."""
    parser.add_argument(
        "--model", default="default", help="name of a bundled model, or a folder (default: bundled)"
    )
    parser.add_argument(
        "--device", type=device, default="auto", help="auto, cpu, cuda or mps (default: auto)"
    )
    parser.add_argument(
        "--text-encoder",
        type=Path,
        metavar="FOLDER",
        help="folder of the text encoder, for models whose encoder is not bundled (flan-t5-xl)",
    )


def add_cleanup_argument(parser: argparse.ArgumentParser) -> None:
    """``--cleanup``: ``args.cleanup`` is ``on`` or ``off``."""
    parser.add_argument(
        "--cleanup",
        choices=("on", "off"),
        default="on",
        help="take out jitter, keep standing feet in place (default: on)",
    )


def add_sampling_arguments(parser: argparse.ArgumentParser) -> None:
    """``--guidance`` and ``--temperature``; without them the model's own values are used."""
    parser.add_argument(
        "--guidance", type=number(0, 50), help="how strictly to follow the prompt (0 to 50)"
    )
    parser.add_argument(
        "--temperature", type=number(0.01, 10), help="how varied the motion may be (0.01 to 10)"
    )

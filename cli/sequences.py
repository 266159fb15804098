"""What ``generate`` makes: one prompt, or blocks that follow one another; as a loop, in place."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.errors import ScaleMoGenError

from . import values

if TYPE_CHECKING:
    from core.engine import Engine
    from core.motion import Motion

OnScale = Callable[[int, int], None]


@dataclass(frozen=True)
class Made:
    """One motion per seed; timings as of the engine.

    starts: the frame at which each block begins, where blocks were asked for.
    """

    motions: "list[Motion]"
    seconds: float
    timings: dict[str, Any]
    starts: list[int] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--block``, ``--loop`` and ``--in-place``."""
    parser.add_argument(
        "--block",
        action="append",
        nargs="+",
        default=[],
        metavar=("PROMPT", "SECONDS"),
        help="instead of a prompt: one action of several that follow one another; give it again "
        "for the next one. Without SECONDS as long as such an action takes",
    )
    parser.add_argument(
        "--loop",
        type=values.number(0.1, 60.0),
        metavar="SECONDS",
        help="make the last seconds so that the end meets the beginning",
    )
    parser.add_argument(
        "--in-place", action="store_true", help="take the way out of the motion itself"
    )


def check(args: argparse.Namespace) -> None:
    """Read the blocks' words; ScaleMoGenError if they are none, or stand beside a prompt."""
    args.block = [_block(words) for words in args.block]
    if not args.block and args.prompt is None:
        raise ScaleMoGenError(
            "the prompt is missing; say what the person does, for example 'a person walks forward'"
        )
    if args.block and (args.prompt is not None or args.seconds is not None):
        what = "--seconds" if args.prompt is None else "the prompt"
        raise ScaleMoGenError(f"--block says what happens and for how long; leave out {what}")


def _block(words: Sequence[str]) -> tuple[str, float | None]:
    """A block's prompt and seconds."""
    if len(words) > 2:
        raise ScaleMoGenError(
            f"--block takes a prompt and its seconds, not {len(words)} words; put the prompt in "
            "quotation marks: --block 'a person sits down' 4"
        )
    try:
        prompt = values.prompt(words[0])
        seconds = values.seconds(words[1]) if len(words) > 1 else None
    except argparse.ArgumentTypeError as error:
        raise ScaleMoGenError(f"--block: {error}") from None
    return prompt, seconds


def title(args: argparse.Namespace) -> str:
    """All that happens, in words."""
    return ", ".join(prompt for prompt, _ in args.block) if args.block else str(args.prompt)


def generate(
    args: argparse.Namespace, engine: "Engine", seeds: Sequence[int], on_scale: OnScale
) -> Made:
    """The motions; ScaleMoGenError on values that the model cannot do."""
    sampling = {
        "guidance": args.guidance,
        "temperature": args.temperature,
        "cleanup": args.cleanup == "on",
    }
    made = (_sequence if args.block else _single)(args, engine, seeds, sampling, on_scale)
    motions = made.motions
    if args.loop is not None:
        motions = [
            _loop(args, engine, motion, seed, sampling, on_scale)
            for motion, seed in zip(motions, seeds, strict=True)
        ]
    if args.in_place:
        from core.editing.in_place import in_place

        motions = [in_place(motion, 0, motion.frame_count - 1).motion for motion in motions]
    return Made(motions, made.seconds, made.timings, made.starts)


def _single(
    args: argparse.Namespace,
    engine: "Engine",
    seeds: Sequence[int],
    sampling: dict[str, Any],
    on_scale: OnScale,
) -> Made:
    seconds = engine.natural_seconds(args.prompt) if args.seconds is None else args.seconds
    engine.check_seconds(seconds)
    made = engine.generate(args.prompt, seconds, seeds, on_scale=on_scale, **sampling)
    return Made(made.motions, seconds, made.timings)


def _sequence(
    args: argparse.Namespace,
    engine: "Engine",
    seeds: Sequence[int],
    sampling: dict[str, Any],
    on_scale: OnScale,
) -> Made:
    from core.editing.blocks import Block
    from core.editor import Editor

    blocks = [Block(prompt, seconds) for prompt, seconds in args.block]
    made = Editor(engine).sequence(blocks, seeds, on_scale=on_scale, **sampling)
    return Made(made.motions, made.motions[0].seconds, made.timings, list(made.starts[0]))


def _loop(
    args: argparse.Namespace,
    engine: "Engine",
    motion: "Motion",
    seed: int,
    sampling: dict[str, Any],
    on_scale: OnScale,
) -> "Motion":
    from core.editing import Edit
    from core.editor import Editor
    from core.skeleton import canonical

    count = motion.frame_count
    frames = max(1, round(args.loop * motion.fps))
    if frames >= count:
        raise ScaleMoGenError(
            f"--loop {args.loop:g} leaves nothing of {motion.seconds:.2f} s of motion; use less"
        )
    prompt = args.block[-1][0] if args.block else args.prompt
    edit = Edit(canonical().joint_names, count - frames, count - 1, prompt=prompt, loop=True)
    made = Editor(engine).edit(motion, edit, [seed], on_scale=on_scale, **sampling)
    return made.edited[0].motion

"""``evaluate --prompts``: pictures and a page of what models make of prompts, to judge by eye."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ScaleMoGenError
from core.files import check_writable, make_folder, replacing, write_bytes

from . import values
from .outputs import refuse_overwriting
from .progress import bar
from .prompts_file import PromptLine, read_prompts

if TYPE_CHECKING:
    from core.engine import Engine
    from core.motion import Motion
    from core.preview.player import PlayedPrompt

_PAGE = "index.html"
_OVERVIEW = re.compile(r"overview_(\d+)\.png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--prompts`` and what goes with it; model and sampling options are the command's own."""
    group = parser.add_argument_group(
        "prompts to judge by eye",
        "With --prompts nothing is measured: DIR gets index.html (a page that plays all motions), "
        "overview_1.png … and sheets/ID.png.",
    )
    group.add_argument(
        "--prompts", type=Path, metavar="FILE", help="lines of id<TAB>seconds<TAB>prompt, as batch"
    )
    group.add_argument("--out", type=Path, metavar="DIR", help="folder to fill")
    group.add_argument(
        "--against", metavar="MODEL", help="a second model, shown beside --model (or --model A,B)"
    )
    group.add_argument(
        "--seeds",
        type=values.whole_number(1, 9),
        metavar="N",
        help="motions per prompt and model: seeds --seed, --seed + 1, … (default: 1)",
    )


def run(args: argparse.Namespace) -> int:
    """Make all motions, then the pictures and the page."""
    if args.out is None:
        raise ScaleMoGenError("--prompts needs a folder for its pictures; add --out DIR")
    models = _models(args)
    jobs = read_prompts(args.prompts)
    seeds = [args.seed + n for n in range(args.seeds or 1)]
    sheets = args.out / "sheets"
    refuse_overwriting(_outputs(args.out, jobs), args.prompts)
    make_folder(sheets)
    check_writable(args.out / _PAGE)

    from core.engine import Engine
    from core.preview import contact_sheet
    from core.preview.player import PlayedPrompt

    engines = [Engine.load(model, args.device, args.text_encoder) for model in models]
    for engine in engines:
        _check_lengths(args.prompts, jobs, engine)
    names = _labels(models, engines)
    played = []
    with bar("prompts", total=len(jobs) * len(engines), unit="prompt") as progress:
        for job in jobs:
            motions = []
            for engine in engines:
                motions.append(_motions(engine, job, seeds, args))
                progress.update()
            played.append(PlayedPrompt(job.id, job.seconds, job.prompt, motions))
            rows = [
                (f"{name}, seed {seed}: {job.prompt}", motion)
                for name, each in zip(names, motions, strict=True)
                for seed, motion in zip(seeds, each, strict=True)
            ]
            with replacing(sheets / f"{job.id}.png") as temporary:
                contact_sheet(rows).save(temporary, "PNG")
    _write_overview(args.out, names, seeds, played)
    _write_page(args, names, seeds, played)
    made = len(jobs) * len(engines) * len(seeds)
    print(args.out / _PAGE)
    print(f"{made} motions of {len(jobs)} prompts are shown in {args.out}", file=sys.stderr)
    return 0


def _outputs(folder: Path, jobs: list[PromptLine]) -> Iterator[Path]:
    yield folder / _PAGE
    yield from (folder / "sheets" / f"{job.id}.png" for job in jobs)
    yield from (folder / f"overview_{page}.png" for page in range(1, len(jobs) + 1))


def _models(args: argparse.Namespace) -> list[str]:
    """One or two models: those of --model, separated by commas, and that of --against."""
    models = [name for part in str(args.model).split(",") if (name := part.strip())]
    if args.against is not None:
        models.append(args.against)
    if not 1 <= len(models) <= 2:
        raise ScaleMoGenError(
            f"--prompts shows one model or two side by side, not {len(models)}; name fewer"
        )
    return models


def _check_lengths(path: Path, jobs: list[PromptLine], engine: "Engine") -> None:
    """ScaleMoGenError naming the line unless the engine can make every length."""
    for job in jobs:
        try:
            engine.check_seconds(job.seconds)
        except ScaleMoGenError as error:
            raise ScaleMoGenError(f"{path}:{job.line}: {engine.name}: {error}") from None


def _labels(models: list[str], engines: "list[Engine]") -> list[str]:
    """The models' names; where they are the same, with what was typed, or numbered."""
    names = [engine.name for engine in engines]
    if len(set(names)) == len(names):
        return names
    marks = models if len(set(models)) == len(models) else ["1", "2"]
    return [f"{name} ({mark})" for name, mark in zip(names, marks, strict=True)]


def _motions(
    engine: "Engine", job: PromptLine, seeds: list[int], args: argparse.Namespace
) -> "list[Motion]":
    made = engine.generate(
        job.prompt, job.seconds, seeds, guidance=args.guidance, temperature=args.temperature
    )
    return made.motions


def _write_overview(
    folder: Path, names: list[str], seeds: list[int], played: "list[PlayedPrompt]"
) -> None:
    """Both models' first seeds side by side; of a single model, its first two seeds."""
    from core.preview.overview import overview_pages

    if len(names) > 1:
        panels = [f"{name}, seed {seeds[0]}" for name in names]
        rows = [(p.id, p.text, [each[0] for each in p.motions]) for p in played]
    else:
        panels = [f"{names[0]}, seed {seed}" for seed in seeds[:2]]
        rows = [(p.id, p.text, p.motions[0][:2]) for p in played]
    pages = overview_pages(panels, rows)
    for number, page in enumerate(pages, start=1):
        with replacing(folder / f"overview_{number}.png") as temporary:
            page.save(temporary, "PNG")
    for old in folder.iterdir():  # of a longer file before: they would be taken for this one's
        match = _OVERVIEW.fullmatch(old.name)
        if match and int(match[1]) > len(pages):
            old.unlink()


def _write_page(
    args: argparse.Namespace, names: list[str], seeds: list[int], played: "list[PlayedPrompt]"
) -> None:
    from core.preview.player import player_page

    settings = {"guidance": args.guidance, "temperature": args.temperature}
    told = [f"{name} {value:g}" for name, value in settings.items() if value is not None]
    notes = "Sampled with " + (", ".join(told) if told else "each model's own settings")
    page = player_page(names, seeds, played, notes)
    write_bytes(args.out / _PAGE, page.encode("utf-8"))

"""What ``edit`` does once its words are checked: the same for BVH files and for Blender's."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from core.editing import Edit, Edited, joints_of
from core.editing.window import window
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.skeleton import BODY_PARTS

from .frame_range import FrameRange
from .progress import scales


class Region(Protocol):
    """Asked words on a rig.

    joints: canonical joints that may change; bones: the file's bones that may change; untouched:
    asked, but without a counterpart in the model.
    """

    @property
    def joints(self) -> tuple[str, ...]: ...
    @property
    def bones(self) -> tuple[str, ...]: ...
    @property
    def untouched(self) -> tuple[str, ...]: ...


class Seen(Protocol):
    """Frames that were read: their canonical motion, one frame for each, and what writing needs."""

    @property
    def motion(self) -> Motion: ...


class Subject(Protocol):
    """An opened file with a motion; first, last: its frames in its own numbers."""

    @property
    def name(self) -> str: ...
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def fps(self) -> float: ...

    def region(self, words: Sequence[str], first: int, last: int) -> Region:
        """What the words mean; ScaleMoGenError with the nearest names, or if nothing is meant."""
        ...

    def read(self, first: int, last: int) -> Any:
        """Frames ``first`` to ``last`` of the file: a Seen."""
        ...

    def write(
        self, seen: Any, edited: Edited, region: Any, path: Path, about: dict[str, Any]
    ) -> None:
        """The file with an edit of what was read; a ScaleMoGenError leaves ``path`` as it was."""
        ...


@dataclass(frozen=True)
class Plan:
    """What is to be edited.

    first, last: in the file's own numbers; seen: the frames that are read.  edit: counted from
    ``seen[0]``; None for what needs no model.
    """

    operation: str
    region: Region
    first: int
    last: int
    seen: tuple[int, int]
    edit: Edit | None


@dataclass(frozen=True)
class Made:
    """One edit per seed of the motion that was read."""

    seen: Seen
    edited: list[Edited]
    model: str = ""
    device: str = ""
    timings: dict[str, Any] = field(default_factory=dict)


def open_subject(args: argparse.Namespace) -> Subject:
    """The file of the command line; ScaleMoGenError if there is no motion in it to edit."""
    from core.retarget import map_file

    bone_map = map_file.load(args.bone_map) if args.bone_map is not None else None
    if args.motion.suffix.lower() == ".bvh":
        from core.bvh_edit import BvhSubject

        return BvhSubject.open(args.motion, bone_map)
    from .blender import open_subject as opened

    return opened(args.motion, args.armature, bone_map)


# --- what is to be done --------------------------------------------------------------------------


def planned(args: argparse.Namespace, subject: Subject) -> Plan:
    """What the words mean for this file; ScaleMoGenError if they mean nothing."""
    operation, first, last = _frames(args, subject)
    words = [word.strip() for given in args.bones or ["all"] for word in given.split(",")]
    words = ["root"] if operation == "in-place" else [word for word in words if word]
    if not words:
        raise ScaleMoGenError("--bones names nothing; name body parts or bones, or leave it out")
    region = subject.region(words, first, last)
    count = subject.last - subject.first + 1
    if operation == "in-place":
        return Plan(operation, region, first, last, (subject.first, subject.last), None)
    edit = Edit(
        joints_of(BODY_PARTS) if operation == "extend" else region.joints,
        first - subject.first,
        last - subject.first,
        prompt=args.prompt or "",
        keep=args.keep or 0.0,
        loop=operation == "loop",
        words_only=args.words_only,
        source_prompt=args.source_prompt or "",
        keep_feet=args.keep_feet == "on",
        later=(args.later or "path").upper(),
        **_blend(args),
    )
    # A loop also looks at the beginning, wherever that is.
    begin, end = (0, count - 1) if edit.loop else window(edit, count, subject.fps)
    seen = (begin + subject.first, min(end, count - 1) + subject.first)
    return Plan(operation, region, first, last, seen, _moved(edit, -begin))


def _frames(args: argparse.Namespace, subject: Subject) -> tuple[str, int, int]:
    """The operation, and its first and last frame in the file's own numbers."""
    count = subject.last - subject.first + 1
    if args.extend is not None:
        return "extend", subject.last + 1, subject.last + _count(args.extend, subject.fps)
    if args.loop is not None:
        frames = _count(args.loop, subject.fps)
        if frames >= count:
            raise ScaleMoGenError(
                f"--loop {args.loop:g} leaves nothing of {subject.name}, which is "
                f"{count / subject.fps:.2f} s long; use less"
            )
        return "loop", subject.last - frames + 1, subject.last
    wanted = args.frames or FrameRange()
    first, last = wanted.within(subject.first, subject.last, subject.fps, subject.name)
    name = "in-place" if args.in_place else "in-between" if args.in_between else "edit"
    return name, first, last


def _blend(args: argparse.Namespace) -> dict[str, int]:
    return {} if args.blend is None else {"blend": args.blend}


def _count(seconds: float, fps: float) -> int:
    return max(1, round(seconds * fps))


def _moved(edit: Edit, frames: int) -> Edit:
    return replace(edit, first=edit.first + frames, last=edit.last + frames)


# --- doing it ------------------------------------------------------------------------------------


def made(args: argparse.Namespace, subject: Subject, plan: Plan) -> Made:
    """The edits, one per seed."""
    seen = subject.read(*plan.seen)
    source = seen.motion
    if plan.edit is None:
        from core.editing.in_place import in_place

        return Made(
            seen,
            [
                in_place(
                    source,
                    plan.first - subject.first,
                    plan.last - subject.first,
                    later=(args.later or "offset").upper(),
                    **_blend(args),
                )
            ],
        )

    from core.editor import Editor
    from core.engine import Engine

    started = time.perf_counter()
    engine = Engine.load(args.model, args.device, args.text_encoder)
    loaded = time.perf_counter()
    with scales(args.json, plan.operation) as on_scale:
        generation = Editor(engine).edit(
            source,
            plan.edit,
            [args.seed + n for n in range(args.variations)],
            guidance=args.guidance,
            temperature=args.temperature,
            cleanup=args.cleanup == "on",
            on_scale=on_scale,
        )
    timings = {"load_ms": 1000 * (loaded - started), **generation.timings}
    return Made(seen, generation.edited, engine.name, engine.device, timings)


def write(
    args: argparse.Namespace,
    subject: Subject,
    plan: Plan,
    made: Made,
    edited: Edited,
    target: dict[str, Path],
) -> None:
    """One edit into its files, each complete or as it was."""
    seed = args.seed + [*map(id, made.edited)].index(id(edited))
    about = {
        "operation": plan.operation,
        "prompt": args.prompt,
        "source_prompt": args.source_prompt,
        "frames": f"{plan.first}:{plan.last}",
        "joints": ",".join(plan.region.joints),
        "seed": seed if made.model else None,
        "keep": args.keep,
        "model": made.model or None,
        "device": made.device or None,
        "guidance": args.guidance,
        "temperature": args.temperature,
    }
    known = {key: value for key, value in about.items() if value is not None}
    subject.write(made.seen, edited, plan.region, target["motion"], known)
    if "preview" in target:
        title = args.prompt or plan.operation
        _preview(target["preview"], made.seen.motion, edited.motion, plan, title)


def _preview(path: Path, before: Motion, after: Motion, plan: Plan, title: str) -> None:
    """Both motions, by the picture's ending."""
    from core.files import replacing
    from core.preview import before_and_after, save_animation, side_by_side

    if path.suffix.lower() == ".gif":
        save_animation(path, side_by_side([("before", before), (f"after: {title}", after)]))
        return
    begin = plan.seen[0]
    sheet = before_and_after(
        title,
        [("before", before), ("after", after)],
        plan.first - begin,
        plan.last - begin,
        numbered_from=begin,
    )
    with replacing(path) as temporary:
        sheet.save(temporary, "PNG")


# --- telling -------------------------------------------------------------------------------------


def report(
    args: argparse.Namespace,
    subject: Subject,
    plan: Plan,
    made: Made,
    targets: Sequence[dict[str, Path]],
) -> dict[str, Any]:
    """What was asked, what was really made anew, and what may differ in the file."""
    about = made.edited[0].report
    begin, end = plan.seen[0], max(plan.seen[1], plan.last)
    anew = {
        "parts": list(about.parts),
        # The last cells may reach beyond what there is.
        "frames": [min(frame + begin, end) for frame in about.frames],
        "seen": [min(frame + begin, end) for frame in about.window],
        "kept_scales": about.kept_scales,
        "scales": about.scales,
    }
    return {
        "operation": plan.operation,
        "prompt": args.prompt or "",
        "fps": subject.fps,
        "has": [subject.first, subject.last],
        "asked": {"joints": list(plan.region.joints), "frames": [plan.first, plan.last]},
        "made_anew": anew if made.model else None,
        "changed_bones": list(plan.region.bones),
        "followed": list(about.adjusted),
        "untouched": list(plan.region.untouched),
        "hints": list(about.edit.hints) if made.model else [],
        "seeds": [args.seed + n for n in range(args.variations)] if made.model else [],
        "model": made.model,
        "device": made.device,
        "timings": {
            stage: [round(ms, 2) for ms in value] if isinstance(value, list) else round(value, 2)
            for stage, value in made.timings.items()
        },
        "files": [
            {"kind": kind, "path": str(path)} for target in targets for kind, path in target.items()
        ],
    }


def tell(report: dict[str, Any], as_json: bool) -> None:
    """The report: as JSON on stdout, or files there and sentences on stderr."""
    if as_json:
        print(json.dumps(report))
        return
    for file in report["files"]:
        print(Path(file["path"]))
    for line in _sentences(report):
        print(line, file=sys.stderr)


def _sentences(report: dict[str, Any]) -> list[str]:
    first, last = report["asked"]["frames"]
    seconds = (last - first + 1) / report["fps"]
    bones = report["changed_bones"]
    count = "1 bone" if len(bones) == 1 else f"{len(bones)} bones"
    lines = [
        f"asked: frames {first} to {last} ({seconds:.2f} s) of "
        f"{report['has'][0]} to {report['has'][1]}; changed: {count}, {_few(bones)}"
    ]
    if report["followed"]:
        lines.append(f"followed, so that standing feet stay: {_few(report['followed'])}")
    if report["untouched"]:
        lines.append(f"untouched, not in the model: {_few(report['untouched'])}")
    anew = report["made_anew"]
    if anew is None:
        return lines
    lines.append(
        f"made anew: {', '.join(anew['parts'])} in frames {anew['frames'][0]} to "
        f"{anew['frames'][1]}, seen were {anew['seen'][0]} to {anew['seen'][1]}, kept "
        f"{anew['kept_scales']} of {anew['scales']} scales; what is outside the asked was not used"
    )
    lines += [f"hint: {hint}" for hint in report["hints"]]
    timings = report["timings"]
    lines.append(
        f"{report['model']} on {report['device']}: loaded in {timings['load_ms'] / 1000:.1f} s, "
        f"edited in {timings['total_ms'] / 1000:.2f} s, "
        f"written in {timings['write_ms'] / 1000:.1f} s"
    )
    return lines


def _few(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

"""``rigs``: how well motions arrive on the rigs that artists have."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ScaleMoGenError
from core.files import make_folder, replacing

from .data import add_data_argument

if TYPE_CHECKING:
    from core.motion import Motion
    from core.retarget import RestRig
    from rig_library.judging import Judgement
    from rig_library.posing import Subject

_CELLS = 8  # frames of the motions in a contact sheet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--schemes", metavar="A,B", help="naming schemes (default: all)")
    parser.add_argument("--rest-poses", metavar="A,T", help="of T, A, DOWN, BENT (default: all)")
    parser.add_argument("--variation", default="usual", metavar="NAME", help="e.g. 'random roll'")
    parser.add_argument(
        "--motion",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.bvh",
        help="any humanoid BVH file, several times (default: a walk, applause and a squat)",
    )
    add_data_argument(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="table (Markdown, JSON) and contact sheets"
    )
    parser.add_argument(
        "--numpy",
        action="store_true",
        help="multiply the bones' matrices ourselves (default: evaluate in Blender's module)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure and tell; a missed target is no error."""
    import rig_library

    from .rig_judging import CONTROL_RIG_REST, CONTROL_RIGS, judge_control_rig

    known = [scheme.name for scheme in rig_library.schemes()]
    control_rigs = [] if args.numpy else list(CONTROL_RIGS)
    names = _chosen(args.schemes, [*known, *control_rigs], "scheme")
    rests = _chosen(args.rest_poses, list(rig_library.REST_POSES), "rest pose")
    variation = rig_library.VARIATIONS.get(args.variation)
    if variation is None:
        listed = ", ".join(rig_library.VARIATIONS)
        raise ScaleMoGenError(f"there is no variation '{args.variation}'; use one of {listed}")
    if args.out is not None:
        make_folder(args.out)

    from rig_library import judging, table

    from .rig_motions import motions

    clips = motions(args.motion, args.data)
    takes = [motion for _, motion in clips]
    subject_of = _judge(args.numpy)
    rows = []
    print(" | ".join(table.HEADINGS), flush=True)
    for name in names:
        judged = []
        for rest in rests:
            if name not in control_rigs:
                judged.append(judging.judge(name, rest, takes, subject_of, variation))
            elif rest == CONTROL_RIG_REST:
                judged.append(judge_control_rig(name, takes))
            else:
                continue
            rows.append(judged[-1].row)
            print(" | ".join(table.cells(rows[-1])), flush=True)
        if judged and args.out is not None:
            _write_sheet(args.out / f"{name}.png", judged, takes)
    print(" | ".join(table.cells(table.worst_of(rows))))
    if args.out is not None:
        about = [
            f"Motions: {', '.join(_described(title, motion) for title, motion in clips)}; "
            f"rigs: {args.variation}; "
            f"evaluated by {'plain matrices' if args.numpy else _blender_version()}."
        ]
        _write(args.out / "rigs.md", table.markdown(rows, about))
        _write(args.out / "rigs.json", json.dumps(table.as_json(rows), indent=1))
        print(args.out / "rigs.md", file=sys.stderr)
    return 0


def _described(title: str, motion: "Motion") -> str:
    """A motion's title, length and how far its own feet slide."""
    from rig_library import judging

    mean, most = judging.own_sliding(motion)
    return f"{title}, {motion.seconds:.1f} s, own feet slide {mean:.1f} / {most:.1f} cm/s"


def _chosen(text: str | None, known: Sequence[str], what: str) -> list[str]:
    """The words of a list with commas, all of them known."""
    if text is None:
        return list(known)
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in known:
            raise ScaleMoGenError(f"there is no {what} '{word}'; use {', '.join(known)}")
    if not words:
        raise ScaleMoGenError(f"no {what} is named; use {', '.join(known)}")
    return words


def _judge(without_blender: bool) -> "Callable[[RestRig], Subject]":
    if without_blender:
        from rig_library.posing import NumpySubject

        return NumpySubject
    from .rig_judging import judged_rig, load

    load()  # before the first rig
    return judged_rig


def _blender_version() -> str:
    from .rig_judging import blender_version

    return f"Blender {blender_version()}"


def _write_sheet(path: Path, judged: "Sequence[Judgement]", takes: "Sequence[Motion]") -> None:
    from core.cleanup import find_contacts
    from core.preview.sheet import pose_frames
    from rig_library import sheet

    per_clip = [len(part) for part in _shared(_CELLS, len(takes))]
    planted = [find_contacts(motion).planted for motion in takes]
    frames = [
        pose_frames(motion.frame_count, count + 2)[1:-1]
        for motion, count in zip(takes, per_clip, strict=True)
    ]
    source = [
        pose
        for motion, at, standing in zip(takes, frames, planted, strict=True)
        for pose in sheet.motion_poses(motion, at, standing)
    ]
    rows = [("motion", source)]
    for each in judged:
        poses = [sheet.rest_pose(each.rest, each.right)]
        for posed, at, standing in zip(each.takes, frames, planted, strict=False):
            poses += sheet.rig_poses(each.rest, each.right, posed, at, standing)
        rows.append((f"rest {each.row.rest_pose}", poses))
    picture = sheet.contact_sheet(judged[0].rest.name, rows)
    with replacing(path) as temporary:
        picture.save(temporary, "PNG")


def _shared(count: int, parts: int) -> list[range]:
    """So many things dealt out evenly."""
    return [range(part, max(count, parts), parts) for part in range(parts)]


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")

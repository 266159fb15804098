"""``edit``: some bones in some frames of a motion, by text, and nothing else."""

import argparse
import time
from pathlib import Path

from core.errors import ScaleMoGenError

from . import values
from .frame_range import frame_range
from .outputs import numbered

#: Motions that are edited as text, and those that Blender opens.
BVH = ".bvh"
BLENDER_INPUTS = (".blend", ".fbx", ".glb", ".gltf")
_OUTPUTS = (".bvh", ".blend", ".fbx", ".glb")
_MOST_SECONDS = 600.0
_MOST_BLEND = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "motion",
        type=Path,
        metavar="MOTION",
        help="a .bvh of any humanoid, or a .blend, .fbx or .glb file with an animated armature",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="the edited motion: .bvh for a .bvh, else .blend, .fbx, .glb or .bvh; a .blend keeps "
        "everything else that is in the file",
    )
    _add_what(parser)
    _add_operations(parser)
    _add_how(parser)
    values.add_model_arguments(parser)
    values.add_sampling_arguments(parser)
    values.add_cleanup_argument(parser)
    parser.add_argument(
        "--armature", metavar="NAME", help="which armature of the file, where it has several"
    )
    parser.add_argument(
        "--bone-map", type=Path, metavar="FILE.json", help="a bone map saved in Blender"
    )
    parser.add_argument(
        "--preview",
        type=Path,
        metavar="FILE",
        help="before and after as a contact sheet (.png) or an animation (.gif)",
    )
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def _add_what(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to edit")
    group.add_argument("--prompt", type=values.prompt, help="what happens there")
    group.add_argument(
        "--bones",
        action="append",
        metavar="NAME,…",
        help="body parts (left_arm, right_arm, left_leg, right_leg, spine, head, root, all) or "
        "bones by their names in the file (bone:spine where a part has that name); may be repeated "
        "(default: all)",
    )
    group.add_argument(
        "--frames",
        type=frame_range,
        metavar="FIRST:LAST",
        help="both included, in the file's own numbers: a .bvh counts from 0, other files as "
        "Blender's timeline shows them; or seconds from the first frame (1.5s:3s); an end may be "
        "left out (30:); --frames=-5:20 where numbers are negative (default: all)",
    )


def _add_operations(parser: argparse.ArgumentParser) -> None:
    box = parser.add_argument_group("instead of a prompt, or with one")
    group = box.add_mutually_exclusive_group()
    group.add_argument(
        "--in-between",
        action="store_true",
        help="make the frames anew from what is before and after them",
    )
    seconds = values.number(0.1, _MOST_SECONDS)
    group.add_argument(
        "--extend", type=seconds, metavar="SECONDS", help="go on for so long past the end"
    )
    group.add_argument(
        "--loop",
        type=seconds,
        metavar="SECONDS",
        help="make the last seconds so that the end meets the beginning",
    )
    group.add_argument(
        "--in-place", action="store_true", help="take the way out of the motion; needs no model"
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how")
    group.add_argument(
        "--keep",
        type=values.number(0, 1),
        metavar="0…1",
        help="0: all new; 1: what was there, only its detail changes (default: 0)",
    )
    group.add_argument(
        "--blend",
        type=values.whole_number(0, _MOST_BLEND),
        metavar="FRAMES",
        help="frames at each border, inside the range, over which old goes into new (default: 4)",
    )
    group.add_argument(
        "--later",
        choices=("path", "offset"),
        help="after an edit of the root: the way that was there, or the same way carried on from "
        "where the edit ends (default: path; with --in-place: offset)",
    )
    group.add_argument(
        "--keep-feet",
        choices=("on", "off"),
        default="on",
        help="feet that stand and are not edited stay when the hips are edited: their legs follow "
        "(default: on)",
    )
    group.add_argument(
        "--source-prompt", type=values.prompt, metavar="TEXT", help="what happens there so far"
    )
    group.add_argument(
        "--words-only",
        action="store_true",
        help="change only what --prompt says and --source-prompt does not",
    )
    group.add_argument(
        "--seed",
        type=values.whole_number(0, values.LARGEST_SEED),
        default=1,
        help="same seed, same edit (default: 1)",
    )
    group.add_argument(
        "--variations",
        type=values.whole_number(1, 64),
        default=1,
        metavar="N",
        help="make N edits with seed, seed + 1, …; their files end in _1, _2, …",
    )


def run(args: argparse.Namespace) -> int:
    """Read, edit, write, report."""
    started = time.perf_counter()
    check_words(args)
    targets = _targets(args)

    from . import editing
    from .outputs import check_files

    for target in targets:
        check_files(target, *_inputs(args, target))
    subject = editing.open_subject(args)
    plan = editing.planned(args, subject)
    read = time.perf_counter()
    made = editing.made(args, subject, plan)
    ready = time.perf_counter()
    for edited, target in zip(made.edited, targets, strict=True):
        editing.write(args, subject, plan, made, edited, target)
    report = editing.report(args, subject, plan, made, targets)
    report["timings"] |= {
        "read_ms": round(1000 * (read - started), 2),
        "write_ms": round(1000 * (time.perf_counter() - ready), 2),
    }
    editing.tell(report, as_json=args.json)
    return 0


def check_words(args: argparse.Namespace) -> None:
    """ScaleMoGenError for options that do not go together; costs no import of anything large."""
    suffix, out = args.motion.suffix.lower(), args.out.suffix.lower()
    if suffix not in (BVH, *BLENDER_INPUTS):
        known = ", ".join((BVH, *BLENDER_INPUTS))
        raise ScaleMoGenError(
            f"{args.motion} holds no motion that can be edited; name a {known} file"
        )
    if not args.motion.is_file():
        raise ScaleMoGenError(f"there is no file {args.motion}; check its name")
    if out not in _OUTPUTS:
        raise ScaleMoGenError(f"--out {args.out} has no known ending; use {', '.join(_OUTPUTS)}")
    if suffix == BVH and out != BVH:
        raise ScaleMoGenError(
            f"a .bvh is edited into a .bvh; name --out {args.out.with_suffix(BVH)}, then put that "
            "on a rig with the command retarget"
        )
    if suffix == BVH and args.armature is not None:
        raise ScaleMoGenError("--armature is for files that may hold several; leave it out")
    _check_operation(args)


def _check_operation(args: argparse.Namespace) -> None:
    fixed = {"--extend": args.extend, "--loop": args.loop}
    operation = next((name for name, value in fixed.items() if value is not None), None)
    if operation and args.frames is not None:
        raise ScaleMoGenError(f"{operation} says which frames; leave out --frames")
    if operation == "--extend" and args.bones:
        raise ScaleMoGenError("--extend makes the whole body; leave out --bones")
    if args.in_place:
        useless = ("prompt", "bones", "keep", "source_prompt", "variations")
        given = [name for name in useless if getattr(args, name) not in (None, 1)]
        if given:
            raise ScaleMoGenError(
                f"--in-place takes the way out and does nothing else; leave out "
                f"--{given[0].replace('_', '-')}"
            )
    elif args.prompt is None and not (args.in_between or operation):
        raise ScaleMoGenError(
            "nothing says what should happen; add --prompt 'a person waves', or one of "
            "--in-between, --extend, --loop, --in-place"
        )
    if args.in_between and args.keep:
        raise ScaleMoGenError("--in-between makes the frames anew; leave out --keep")
    if args.words_only and not (args.source_prompt and args.prompt):
        raise ScaleMoGenError("--words-only compares --prompt with --source-prompt; give both")


def _targets(args: argparse.Namespace) -> list[dict[str, Path]]:
    """Kind -> file of every variation."""
    files = {"motion": args.out}
    if args.preview is not None:
        if args.preview.suffix.lower() not in (".png", ".gif"):
            raise ScaleMoGenError(f"--preview {args.preview} does not end in .png or .gif")
        files["preview"] = args.preview
    return [numbered(files, n, args.variations) for n in range(args.variations)]


def _inputs(args: argparse.Namespace, target: dict[str, Path]) -> list[Path]:
    """What must not be overwritten: the bone map, and the motion unless --out names it itself."""
    inputs = [] if args.bone_map is None else [args.bone_map]
    if args.variations > 1 or target["motion"].resolve() != args.motion.resolve():
        inputs.append(args.motion)
    return inputs

"""From settings to a request for an edit, and what happens with its result."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy

from .. import bake, interface, results, session
from .._core import editing, errors
from .._core import skeleton as skeletons
from ..client.messages import EditRequest
from ..generate import prompt as prompts
from ..generate import sampling
from ..generate.properties import SEED_MAX
from ..overlay import place
from ..results import preview, restoring, seen
from ..results.edits import Made
from . import affected, plan, reading, span
from . import region as regions

if TYPE_CHECKING:
    from .._core.retarget.body_frame import BodyFrame
    from ..client.messages import Finished
    from .region import Region

UNACCEPTED = "'{rig}' shows a motion that is not accepted yet. Accept it to edit it, or reject it"


@dataclass(frozen=True)
class Order:
    """All that one press of a button asks for.

    operation: EDIT, FILL, EXTEND, LOOP or IN_PLACE.  names: bones or body parts.  first, last:
    scene frames; ``problem`` says why there are none.  guidance, temperature: None takes the
    model's.  source_prompt: empty takes what the rig's action remembers.
    """

    operation: str
    names: tuple[str, ...]
    first: int
    last: int
    problem: str = ""
    prompt: str = ""
    keep: float = 0.0
    blend: int = editing.DEFAULT_BLEND
    later: str = "PATH"
    keep_feet: bool = True
    words_only: bool = False
    source_prompt: str = ""
    seed: int = 0
    variations: int = 1
    guidance: float | None = None
    temperature: float | None = None
    cleanup: bool = True


#: Operations without which words nobody would know what to make.
_NEEDS_WORDS = {"EDIT"}
_ROOT = (editing.asked.PART + "root",)


def from_panel(
    operation: str, scene: bpy.types.Scene, rig: bpy.types.Object, settings: Any
) -> Order:
    """What the panel's settings ask of one of its buttons."""
    frames = frames_of(operation, scene, rig, settings)
    whole = operation in {"EXTEND", "LOOP"}
    whole = whole or (operation == "FILL" and settings.fill_bones == "ALL")
    return Order(
        operation=operation,
        names=_ROOT if operation == "IN_PLACE" else affected.names(rig, whole),
        first=frames.first,
        last=frames.last,
        problem=frames.problem,
        prompt=settings.prompt,
        keep=settings.keep if operation == "EDIT" else 0.0,
        blend=settings.blend,
        later="OFFSET" if operation in {"EXTEND", "IN_PLACE"} else settings.later,
        keep_feet=settings.keep_feet,
        words_only=settings.words_only and operation == "EDIT",
        source_prompt=settings.source_prompt,
        seed=settings.seed,
        variations=settings.variations,
        **sampling.chosen(settings),
    )


def frames_of(
    operation: str, scene: bpy.types.Scene, rig: bpy.types.Object, settings: Any
) -> span.Span:
    """The scene frames that a button of the panel changes."""
    if operation in {"EDIT", "FILL"}:
        return span.chosen(scene, rig, settings)
    filled = span.extent(rig)
    if filled is None:
        return span.Span(problem=f"'{rig.name}' has no animation yet")
    if operation == "EXTEND":
        count = frames_in(scene, settings.extend_seconds)
        return span.Span(filled.last + 1, filled.last + count)
    if operation == "IN_PLACE":
        return filled
    return span.Span(max(filled.first + 1, filled.last - settings.loop_frames + 1), filled.last)


def frames_in(scene: bpy.types.Scene, seconds: float) -> int:
    """Frames of the scene that last so long."""
    return max(1, round(seconds * bake.scene_fps(scene)))


def problem(order: Order, scene: bpy.types.Scene, rig: bpy.types.Object) -> str:
    """Why the order cannot be carried out, with the remedy; empty if it can.  Cheap."""
    words = prompts.clean(order.prompt)
    if order.operation in _NEEDS_WORDS and (found := prompts.problem(words)):
        return found if words else "Type what should happen in the range"
    if not order.names:
        return "Select the bones that may change"
    if order.problem:
        return order.problem
    if order.last < order.first:
        return "The range ends before it begins"
    if isinstance(found := affected.region(rig, order.names, order.first, order.last), str):
        return found
    if order.operation == "LOOP":
        filled = span.extent(rig)
        if filled is None or order.first - filled.first < order.last - order.first + 1:
            return "The motion is too short for a loop; let fewer frames change"
    return ""


def shown_problem(scene: bpy.types.Scene, rig: bpy.types.Object) -> str:
    """Why a rig that shows a result cannot be edited; a shown edit may be made again."""
    results_of = preview.of(scene)
    item = preview.find(scene, results_of.playing_uid)
    if item is None or item.is_edit or results_of.preview is None:
        return ""
    if not restoring.shows(rig, results_of.preview):
        return ""
    return interface.report(UNACCEPTED, rig=rig.name)


@dataclass(frozen=True)
class Prepared:
    """The motion that is there, the edit of it, and where both lie on the rig and in the scene.

    body: the frame in which the motion was read.
    """

    order: Order
    source: Any
    edit: editing.Edit
    region: Region
    first: int
    body: BodyFrame

    def made(self) -> Made:
        """What results have to remember of it."""
        return Made(
            operation=self.order.operation,
            names=self.order.names,
            parts=tuple(self.region.parts),
            at=self.first,
            source=self.source,
        )


def prepare(order: Order, scene: bpy.types.Scene, rig: bpy.types.Object) -> Prepared:
    """Look at what the rig does around the range; a result that is shown on it ends.

    ScaleMoGenError for what cannot be meant.
    """
    return reading.finished(looking(order, scene, rig))


def looking(
    order: Order, scene: bpy.types.Scene, rig: bpy.types.Object
) -> Generator[float, None, Prepared]:
    """:func:`prepare` in steps, which yield how far it is; the second time it is quick."""
    if found := problem(order, scene, rig) or shown_problem(scene, rig):
        raise errors.ScaleMoGenError(found)
    preview.end_on(rig)
    region = regions.region(rig, order.names, order.first, order.last)
    planned = plan.plan(
        _edit(order, region, rig),
        order.first,
        span.extent(rig),
        bake.scene_fps(scene),
        session.longest_seconds(),
        extends=_is_whole(region),
    )
    shown = yield from seen.steps(rig, planned.first, planned.last)
    body = shown.retargeter.body
    return Prepared(order, shown.motion, planned.edit, region, planned.first, body)


def _edit(order: Order, region: Region, rig: bpy.types.Object) -> editing.Edit:
    return editing.Edit(
        joints=tuple(region.joints),
        first=0,
        last=order.last - order.first,
        prompt=prompts.clean(order.prompt),
        keep=order.keep,
        blend=order.blend,
        later="OFFSET" if order.later == "OFFSET" else "PATH",
        loop=order.operation == "LOOP",
        words_only=order.words_only,
        source_prompt=prompts.clean(order.source_prompt) or remembered_prompt(rig),
        keep_feet=order.keep_feet,
    )


def remembered_prompt(rig: bpy.types.Object) -> str:
    """What the rig's action was generated with; empty if it was not, or does not say so."""
    animation = rig.animation_data
    action = animation.action if animation is not None else None
    known = action.get("prompt") if action is not None else None
    return known if isinstance(known, str) else ""


def _is_whole(region: Region) -> bool:
    return set(region.parts) == set(skeletons.BODY_PARTS)


def submit(
    order: Order, scene: bpy.types.Scene, rig: bpy.types.Object, interactive: bool = True
) -> session.Job:
    """Start making an edit; what is made lands in the scene's results, and is shown on the rig.

    ScaleMoGenError when the engine is busy or cannot be started, or the edit cannot be meant.
    """
    prepared = prepare(order, scene, rig)
    seeds = range(order.seed, order.seed + order.variations)
    request = EditRequest(
        source=prepared.source,
        edit=prepared.edit,
        seeds=tuple(seed % (SEED_MAX + 1) for seed in seeds),
        guidance=order.guidance,
        temperature=order.temperature,
        cleanup=order.cleanup,
        preview=not bpy.app.background,
    )
    return send(request, prepared.made(), scene, rig, order.first, interactive, prepared.body)


def send(
    request: EditRequest,
    made: Made,
    scene: bpy.types.Scene,
    rig: bpy.types.Object,
    first: int,
    interactive: bool,
    body: BodyFrame | None = None,
) -> session.Job:
    """Hand a request to the engine that is ready made; ``body``: that of the rig as it was read."""
    edit = request.edit
    standing = place.of_rig(rig) if body is None else body
    return session.submit(
        request,
        _landing(scene.session_uid, rig.session_uid, made),
        made.title(request.prompt),
        scene=scene,
        rig=rig,
        start_frame=first,
        undo_message="Edit Motion",
        interactive=interactive,
        placement=place.of_edit(standing, edit.first, edit.last),
    )


def _landing(scene_uid: int, rig_uid: int, made: Made) -> Callable[[Finished], None]:
    """Puts what was made into the list, as far as scene and rig are still there when it comes."""

    def land(finished: Finished) -> None:
        scene, rig = session.find(scene_uid, rig_uid)
        if scene is None:
            return
        if rig is None:
            session.notice(interface.label("The rig is gone; the edit is in the list"))
        results.land_edits(scene, rig, finished, made, rig is not None)

    return land


def in_place(order: Order, scene: bpy.types.Scene, rig: bpy.types.Object) -> list[str]:
    """Let the rig do on the spot what it does; the uids of the results.  Needs no engine."""
    from ..client.messages import Finished

    prepared = prepare(order, scene, rig)
    edit = prepared.edit
    edited = editing.in_place.in_place(
        prepared.source, edit.first, edit.last, later=edit.later, blend=edit.blend
    )
    finished = Finished(0, (edited.motion,), (0,), {}, edited=(edited,))
    return results.land_edits(scene, rig, finished, prepared.made(), True)

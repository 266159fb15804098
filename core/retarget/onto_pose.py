"""An edited motion onto what a rig shows already: differences, not poses; numpy only.

A bone that is asked for turns, as the world sees it, by what its joint turned in the edit; so it
does wherever the rig, its proportions or its animation differ from the model's.  Where edited and
source are the same, the channels are what is there.  Children that are not asked for keep their own
channels and are carried along; an edited arm on a trunk that is not edited keeps what it means in
the world.
"""

from collections.abc import Collection

import numpy as np

from ..motion import Motion
from .controls.retargeter import ControlRetargeter
from .onto_controls import inverse_channels, twists
from .onto_feet import feet_kept
from .pose import PoseChannels
from .posed_body import Asked, Inverse, PosedBody, location, rotation
from .shown import ShownRig
from .transfer import Retargeter

__all__ = ["Asked", "Inverse", "PosedBody", "ShownRig", "edited_channels"]


def edited_channels(
    retargeter: Retargeter, shown: ShownRig, source: Motion, edited: Motion, asked: Asked
) -> PoseChannels:
    """What to key so that the rig shows the edit: all T frames, only what is asked for.

    ``source`` is what the rig shows as a canonical motion, ``edited`` what came of it; both as long
    as ``shown``.
    """
    body = PosedBody(retargeter, shown, source, edited, asked)
    if asked.legs:
        feet_kept(body, source, edited)
    return _channels(body)


def _channels(body: PosedBody) -> PoseChannels:
    rig = body.rig
    rotations: dict[str, np.ndarray] = {}
    locations: dict[str, np.ndarray] = {}
    unkeyed: Collection[str] = ()
    if isinstance(body.retargeter, ControlRetargeter):
        unkeyed = inverse_channels(body, rotations, locations)
    for bone in body.turned_by:
        name = rig.bone_names[bone]
        if name not in unkeyed and name not in rotations:
            rotations[name] = rotation(body, bone)
    if isinstance(body.retargeter, ControlRetargeter):
        rotations.update(twists(body))
    for bone, shift in body.moves.items():
        locations[rig.bone_names[bone]] = location(body, bone, shift)
    order = {name: i for i, name in enumerate(rig.bone_names)}
    names = sorted(rotations, key=lambda name: order.get(name, len(order)))
    still = np.zeros((body.shown.frame_count, 0, 4))
    return PoseChannels(
        bones=tuple(names),
        rotations=np.stack([rotations[n] for n in names], axis=1) if names else still,
        locations=locations,
    )

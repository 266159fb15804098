"""Bodies that sank into the floor are lifted out of it, numpy only."""

from dataclasses import replace

import numpy as np

from ..motion import Motion
from .contacts import FootContacts
from .filters import smooth, widened
from .legs import body_scale, legs_of

#: Flesh around the joints of trunk, head and knees, and around those of the arms (m).
_BODY, _ARM = 0.02, 0.0
#: The lift comes and goes over about this many seconds.
_BLEND_SECONDS = 0.1


def lifted_out_of_floor(motion: Motion, contacts: FootContacts) -> Motion:
    """The motion lifted where trunk, head, knees or arms are below the floor.

    Arms count only while no foot stands: a standing figure whose hand is in the floor is not helped
    by losing its footing.  Feet are left to the foot lock.
    """
    scale, names = body_scale(motion.skeleton), motion.skeleton.joint_names
    legs = legs_of(motion.skeleton)
    feet = {joint for leg in legs for joint in (leg.ankle, leg.toe)}
    arms = [j for j, name in enumerate(names) if name.endswith(("elbow", "wrist"))]
    body = [j for j in range(len(names)) if j not in feet and j not in arms]
    heights = motion.positions()[..., 1]
    depth = _BODY * scale - heights[:, body].min(axis=-1)
    if arms:
        on_hands = ~contacts.planted.any(axis=-1)
        arm_depth = _ARM * scale - heights[:, arms].min(axis=-1)
        depth = np.where(on_hands, np.maximum(depth, arm_depth), depth)
    if depth.max() <= 0.0:
        return motion
    around = max(1, round(_BLEND_SECONDS * motion.fps))
    lift = np.maximum(smooth(widened(np.maximum(depth, 0.0), around), around / 2), 0.0)
    return replace(motion, root_positions=motion.root_positions + lift[:, None] * [0.0, 1.0, 0.0])

"""Bodies that sank into the floor are lifted out of it, numpy only."""

from dataclasses import replace

import numpy as np

from ..motion import Motion
from .filters import highest_around, smooth
from .legs import body_scale, legs_of

#: Flesh around the joints of trunk, head and knees (m).
_FLESH = 0.02
#: The lift comes and goes over about this many seconds.
_BLEND_SECONDS = 0.1


def lifted_out_of_floor(motion: Motion) -> Motion:
    """The motion lifted where trunk, head or knees are below the floor.

    Feet are left to the foot lock.  Arms do not count: lifting a whole body because of a hand that
    is a little too low takes the floor from under everything that stands on it.
    """
    scale, names = body_scale(motion.skeleton), motion.skeleton.joint_names
    feet = {joint for leg in legs_of(motion.skeleton) for joint in (leg.ankle, leg.toe)}
    body = [
        joint
        for joint, name in enumerate(names)
        if joint not in feet and not name.endswith(("elbow", "wrist"))
    ]
    depth = _FLESH * scale - motion.positions()[:, body, 1].min(axis=-1)
    if depth.max() <= 0.0:
        return motion
    around = max(1, round(_BLEND_SECONDS * motion.fps))
    lift = np.maximum(smooth(highest_around(np.maximum(depth, 0.0), around), around / 2), 0.0)
    return replace(motion, root_positions=motion.root_positions + lift[:, None] * [0.0, 1.0, 0.0])

"""Clean-up of generated motion: jitter, a drifting root, sliding and sinking feet; numpy only.

:func:`clean_up` does it all; its steps are pure functions of a :class:`~core.motion.Motion` of
their own: :func:`within_limits`, :func:`without_jitter`, :func:`find_contacts`,
:func:`root_on_feet`, :func:`lifted_out_of_floor` and :func:`lock_feet`.
"""

from dataclasses import replace

from ..motion import Motion
from .contacts import ContactPhase, FootContacts, contacts_from, find_contacts
from .floor import lifted_out_of_floor
from .foot_lock import lock_feet
from .jitter import without_jitter
from .joint_limits import within_limits
from .legs import Leg, body_scale, legs_of
from .root_path import root_on_feet
from .two_bone import TwoBoneSolution, solve_two_bones

__all__ = [
    "ContactPhase",
    "FootContacts",
    "Leg",
    "TwoBoneSolution",
    "body_scale",
    "clean_up",
    "contacts_from",
    "find_contacts",
    "legs_of",
    "lifted_out_of_floor",
    "lock_feet",
    "root_on_feet",
    "solve_two_bones",
    "within_limits",
    "without_jitter",
]


def clean_up(motion: Motion) -> Motion:
    """The motion without jitter, with joints within their limits, and with feet that stand still.

    ``contacts`` of the result are 1 where a foot joint stands after the clean-up, else 0.
    """
    if motion.frame_count < 4:
        return motion
    motion = without_jitter(within_limits(motion))
    motion = root_on_feet(motion, find_contacts(motion))
    motion = lifted_out_of_floor(motion)
    # With the drift gone speeds tell more: what looked like standing may turn out to be a step.
    motion, contacts = lock_feet(motion, find_contacts(motion))
    return replace(motion, contacts=contacts.planted.astype(float))

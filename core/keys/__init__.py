"""Fewer keys for the same motion: smooth curves through chosen frames, numpy only.

:func:`reduce` takes the channels of all bones, each sampled on every frame, and finds the fewest
frames it can at which keys with Bezier handles stay within a tolerance.  :mod:`.body` says what
that does to hands and feet, and tightens the tolerance where planted feet would slide.
"""

from .body import Body, Ends, planted, reduce_body
from .reducing import Reduced, Tolerance, reduce
from .tracks import Part, Track

__all__ = [
    "Body",
    "Ends",
    "Part",
    "Reduced",
    "Tolerance",
    "Track",
    "planted",
    "reduce",
    "reduce_body",
]

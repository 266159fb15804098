"""What the three feature layouts have in common, and where to find one by name."""

from abc import ABC, abstractmethod
from functools import cache

import numpy as np

from ..motion import Motion
from ..skeleton import Skeleton


class FeatureLayout(ABC):
    """Order, units and heading convention of one feature vector per frame.

    ``joint_columns[j]`` are the columns that belong to joint j, in the order in which the
    tokenizer's per-joint embedding reads them; together they cover every column once.
    """

    name: str
    skeleton: Skeleton
    width: int
    joint_columns: tuple[tuple[int, ...], ...]
    root_columns: slice
    velocity_columns: slice

    @abstractmethod
    def canonicalize(self, motion: Motion) -> Motion:
        """The clip turned to face +Z and standing above the origin in its first frame."""

    @abstractmethod
    def encode(self, motion: Motion) -> np.ndarray:
        """Features [T, width] of a clip with T + 1 frames at the layout's frame rate."""

    @abstractmethod
    def decode(self, features: np.ndarray) -> Motion:
        """The clip of T frames, first frame above the origin facing +Z, of features [T, width]."""


@cache
def feature_layout(name: str) -> FeatureLayout:
    """The layout ``canonical`` (ours), ``snapmogen`` or ``humanml3d``."""
    from .humanml3d import HumanML3DLayout
    from .snapmogen import SnapMoGenLayout

    if name == "humanml3d":
        return HumanML3DLayout()
    return SnapMoGenLayout(name)

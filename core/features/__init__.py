"""Motion features: the numbers that the tokenizer sees, per frame and heading-relative.

Three layouts share one interface (:class:`FeatureLayout`): ours, SnapMoGen's and HumanML3D's.
"""

from .layout import FeatureLayout, feature_layout

__all__ = ["FeatureLayout", "feature_layout"]

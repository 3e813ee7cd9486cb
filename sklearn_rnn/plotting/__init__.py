"""Pictures; matplotlib is imported when one is drawn."""

from ._attributions import SeriesAttributionDisplay, TokenAttributionDisplay
from ._label_efficiency import LabelEfficiencyDisplay

__all__ = ["LabelEfficiencyDisplay", "SeriesAttributionDisplay", "TokenAttributionDisplay"]

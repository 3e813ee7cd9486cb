"""Plots; matplotlib is imported when a plot is drawn."""

from ._attributions import SeriesAttributionDisplay, TokenAttributionDisplay
from ._codes import CodesDisplay
from ._forecast import ForecastDisplay
from ._label_efficiency import LabelEfficiencyDisplay
from ._segments import SegmentDisplay

__all__ = [
    "CodesDisplay",
    "ForecastDisplay",
    "LabelEfficiencyDisplay",
    "SegmentDisplay",
    "SeriesAttributionDisplay",
    "TokenAttributionDisplay",
]

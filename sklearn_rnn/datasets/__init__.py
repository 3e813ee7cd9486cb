"""Hiding labels, example data, and conversions from and to the formats of other libraries."""

from ._convert import from_aeon, from_tslearn, to_aeon, to_tslearn
from ._hide import hide_labels
from ._load import load_basic_motions, load_italy_power_demand, load_japanese_vowels
from ._long_frame import from_long_frame, to_long_frame
from ._make import make_sines, make_two_patterns

__all__ = [
    "from_aeon",
    "from_long_frame",
    "from_tslearn",
    "hide_labels",
    "load_basic_motions",
    "load_italy_power_demand",
    "load_japanese_vowels",
    "make_sines",
    "make_two_patterns",
    "to_aeon",
    "to_long_frame",
    "to_tslearn",
]

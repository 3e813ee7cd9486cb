"""Random changes of sequences that leave their class alone: on whole batches, length-aware, seeded.

Each is called as ``perturbation(x, lengths, generator)`` on embedded steps (n, T, E) with lengths (n,), or
None where all are T long, and returns changed steps of the same shape, zero after the end of each
sequence. All randomness is drawn from the generator, which must be on the device of x; gradients flow to x.
What is drawn for a sequence does not depend on the padding, except for noise on each step (`Jitter`,
`StepDrop`, `Swap`, `Replacement`, and the jitter of the presets), whose draws follow the padded length.
"""

from ._base import Perturbation, Steps
from ._compose import Compose
from ._presets import Light, Strong
from ._time import Crop, Permutation, TimeShift, TimeWarp, WindowSlice
from ._tokens import Replacement, StepDrop, Swap
from ._values import ChannelDrop, Jitter, MagnitudeWarp, Offset, Scaling, TimeMask, Trim

__all__ = [
    "ChannelDrop",
    "Compose",
    "Crop",
    "Jitter",
    "Light",
    "MagnitudeWarp",
    "Offset",
    "Permutation",
    "Perturbation",
    "Replacement",
    "Scaling",
    "StepDrop",
    "Steps",
    "Strong",
    "Swap",
    "TimeMask",
    "TimeShift",
    "TimeWarp",
    "Trim",
    "WindowSlice",
]

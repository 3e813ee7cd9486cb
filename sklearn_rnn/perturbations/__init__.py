"""Random changes of sequences that do not change their class; for batches of sequences with lengths.

Each is called as ``perturbation(x, lengths, generator)`` on embedded steps (n, T, E) with lengths (n,), or
None if all are T long, and returns changed steps of the same shape, zero after the end of each sequence.
All randomness is drawn from the generator, which must be on the device of x. Gradients pass through to x.
The draws for a sequence do not depend on the padding, except for draws for each step (`Jitter`, `StepDrop`,
`Swap`, `Replacement`, and the jitter of the presets), which depend on the padded length.
"""

from ._base import Perturbation, Steps
from ._compose import Compose
from ._presets import Light, Strong
from ._spectrum import FrequencyMask, SpecAugment
from ._time import Crop, Permutation, TimeShift, TimeWarp, WindowSlice
from ._tokens import Replacement, StepDrop, Swap
from ._values import ChannelDrop, Jitter, MagnitudeWarp, Offset, Scaling, TimeMask, Trim

__all__ = [
    "ChannelDrop",
    "Compose",
    "Crop",
    "FrequencyMask",
    "Jitter",
    "Light",
    "MagnitudeWarp",
    "Offset",
    "Permutation",
    "Perturbation",
    "Replacement",
    "Scaling",
    "SpecAugment",
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

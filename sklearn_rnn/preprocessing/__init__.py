"""Transformers of sequences, of equal or different lengths."""

from ._gaps import SequenceMissingIndicator
from ._impute import SequenceImputer
from ._per_timestep import PerTimestep
from ._scale import PerSequenceScaler
from ._speech import MFCC, LogMelSpectrogram
from ._steps import SequenceDifferencer, SequenceResampler
from ._windows import cut_windows, join_windows

__all__ = [
    "MFCC",
    "LogMelSpectrogram",
    "PerSequenceScaler",
    "PerTimestep",
    "SequenceDifferencer",
    "SequenceImputer",
    "SequenceMissingIndicator",
    "SequenceResampler",
    "cut_windows",
    "join_windows",
]

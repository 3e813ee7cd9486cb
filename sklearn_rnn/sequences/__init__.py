"""Whatever the user has as X, read into one container, and batches of it."""

from ._batch import Batch
from ._batches import TrainingSet, like_lengths
from ._containers import is_frame, is_words, listed
from ._reading import read_sequences
from ._sequences import Sequences, first_steps, float_like, own_ends

__all__ = [
    "Batch",
    "Sequences",
    "TrainingSet",
    "first_steps",
    "float_like",
    "is_frame",
    "is_words",
    "like_lengths",
    "listed",
    "own_ends",
    "read_sequences",
]

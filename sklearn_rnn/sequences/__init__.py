"""Reading the user's X, in any form, into one container, and batches of it."""

from ._batch import Batch
from ._batches import TrainingSet, batches_by_length
from ._containers import is_frame, is_words, listed
from ._reading import read_sequences
from ._sequences import Sequences, first_steps, float_like, unpadded_lengths

__all__ = [
    "Batch",
    "Sequences",
    "TrainingSet",
    "batches_by_length",
    "first_steps",
    "float_like",
    "is_frame",
    "is_words",
    "listed",
    "read_sequences",
    "unpadded_lengths",
]

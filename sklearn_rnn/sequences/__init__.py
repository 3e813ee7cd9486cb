"""Reading the user's X, in any form, into one container, and batches of it."""

from ._batch import Batch
from ._batches import TrainingSet, batches_by_length
from ._containers import is_frame, is_words, listed
from ._items import Catalogue, as_items, flat_items, rows_of_items, without_last
from ._reading import read_sequences
from ._sequences import Sequences, first_steps, float_like, unpadded_lengths

__all__ = [
    "Batch",
    "Catalogue",
    "Sequences",
    "TrainingSet",
    "as_items",
    "batches_by_length",
    "first_steps",
    "flat_items",
    "float_like",
    "is_frame",
    "is_words",
    "listed",
    "read_sequences",
    "rows_of_items",
    "unpadded_lengths",
    "without_last",
]

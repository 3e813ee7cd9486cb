"""Reading the user's X, in any form, into one container, and batches of it."""

from ._ahead import read_ahead
from ._batch import Batch
from ._batches import TrainingSet, batches_by_length
from ._containers import are_words, is_frame, is_words, listed
from ._evenly_spaced import evenly_spaced
from ._frame_columns import FrameColumns, groups_of
from ._gaps import last_seen
from ._items import Catalogue, as_items, flat_items, rows_of_items, without_last
from ._moments import moments_of
from ._positions import positions
from ._reading import read_sequences
from ._reading_inputs import read_inputs
from ._sequences import Sequences, all_steps, any_of_row, first_steps, float_like, unpadded_lengths
from ._series import Series, joined, read_series
from ._several import Input, SeveralInputs
from ._static import is_empty, is_sequences
from ._times import next_times, time_index
from ._windows import Columns, Futures, Windows, window_starts
from ._words import Vocabulary

__all__ = [
    "Batch",
    "Catalogue",
    "Columns",
    "FrameColumns",
    "Futures",
    "Input",
    "Sequences",
    "Series",
    "SeveralInputs",
    "TrainingSet",
    "Vocabulary",
    "Windows",
    "all_steps",
    "any_of_row",
    "are_words",
    "as_items",
    "batches_by_length",
    "evenly_spaced",
    "first_steps",
    "flat_items",
    "float_like",
    "groups_of",
    "is_empty",
    "is_frame",
    "is_sequences",
    "is_words",
    "joined",
    "last_seen",
    "listed",
    "moments_of",
    "next_times",
    "positions",
    "read_ahead",
    "read_inputs",
    "read_sequences",
    "read_series",
    "rows_of_items",
    "time_index",
    "unpadded_lengths",
    "window_starts",
    "without_last",
]

"""Tasks: how y is read, the head of the net, the loss of a labeled row, and the answers."""

from ._arrays import as_array, find_nothing, is_nothing, is_same
from ._base import Targets, Task
from ._classification import Classification
from ._decoding import beam_search, best_path
from ._forecasting import Forecasting
from ._labels import (
    Labels,
    Target,
    class_numbers,
    own_markers,
    read_groups,
    read_labels,
    read_target,
)
from ._next_item import NextItem
from ._numbers import Numbers, read_numbers
from ._ranking import RANKING, ranking_score
from ._regression import Regression
from ._representation import Representation
from ._scores import r2_of_known
from ._step_labels import flat_labels, lengths_of_labels, read_step_target, rows_of_labels
from ._tagging import Tagging
from ._transcription import Transcription
from ._transcripts import edit_distance, label_error_rate, read_transcripts

__all__ = [
    "RANKING",
    "Classification",
    "Forecasting",
    "Labels",
    "NextItem",
    "Numbers",
    "Regression",
    "Representation",
    "Tagging",
    "Target",
    "Targets",
    "Task",
    "Transcription",
    "as_array",
    "beam_search",
    "best_path",
    "class_numbers",
    "edit_distance",
    "find_nothing",
    "flat_labels",
    "is_nothing",
    "is_same",
    "label_error_rate",
    "lengths_of_labels",
    "own_markers",
    "r2_of_known",
    "ranking_score",
    "read_groups",
    "read_labels",
    "read_numbers",
    "read_step_target",
    "read_target",
    "read_transcripts",
    "rows_of_labels",
]

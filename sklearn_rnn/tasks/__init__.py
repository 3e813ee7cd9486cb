"""What a net is asked: how y is read, the head, the loss of a labeled row, the answer."""

from ._arrays import find_nothing, is_nothing
from ._base import Targets, Task
from ._classification import Classification
from ._labels import (
    Labels,
    Target,
    class_codes,
    own_markers,
    read_groups,
    read_labels,
    read_target,
)
from ._numbers import Numbers, read_numbers
from ._regression import Regression
from ._representation import Representation
from ._scores import r2_of_known

__all__ = [
    "Classification",
    "Labels",
    "Numbers",
    "Regression",
    "Representation",
    "Target",
    "Targets",
    "Task",
    "class_codes",
    "find_nothing",
    "is_nothing",
    "own_markers",
    "r2_of_known",
    "read_groups",
    "read_labels",
    "read_numbers",
    "read_target",
]

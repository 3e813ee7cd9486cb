"""What a net is asked: how y is read, the head, the loss of a labeled row, the answer."""

from ._labels import (
    Labels,
    Target,
    class_codes,
    find_nothing,
    is_nothing,
    own_markers,
    read_groups,
    read_labels,
    read_target,
)

__all__ = [
    "Labels",
    "Target",
    "class_codes",
    "find_nothing",
    "is_nothing",
    "own_markers",
    "read_groups",
    "read_labels",
    "read_target",
]

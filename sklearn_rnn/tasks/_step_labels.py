"""Reading a y with a label for each step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sequences import any_of_row, is_frame, listed
from ._arrays import as_array, is_nothing
from ._labels import Target, read_target


def rows_of_labels(y: Any) -> list[Any]:
    """Return the labels of each sequence as a list: arrays, or a marker for sequences without labels."""
    rows = None if is_frame(y) else listed(y)
    if rows is None:
        rows = list(y if isinstance(y, np.ma.MaskedArray) else np.asarray(y))
    return rows


def flat_labels(y: Any, lengths: NDArray, missing_label: Any, name: str) -> NDArray:
    """Return the labels of all steps, one sequence after the other.

    Parameters
    ----------
    y : list of array-like, or array-like of shape (n, T)
        Labels of the steps of each sequence. None, or `missing_label`, in the place of an array stands for a sequence
        without labels. Rows of an array (n, T) may be longer than their sequence; the labels beyond its end must be
        `missing_label`.
    lengths : ndarray of shape (n,)
        Number of steps of each sequence.
    missing_label : int, float, str, None or nan
        Marks unlabeled steps.
    name : str
        Name of the estimator or function, for messages.

    Raises
    ------
    ValueError
        If a sequence has not as many labels as steps; the message names it.
    """
    rows = rows_of_labels(y)
    padded = getattr(y, "ndim", 1) == 2
    parts = []
    for i, (labels, length) in enumerate(zip(rows, lengths.tolist(), strict=True)):
        if not _is_nested(labels):
            _check_marker(labels, missing_label, i, name)
            parts.append(np.full(length, missing_label, dtype=object))
            continue
        part = as_array(labels)
        if part.ndim != 1:
            raise ValueError(f"y[{i}] must be a 1-D array with a label for each step, got {part.ndim} dimensions.")
        if len(part) != length and not (padded and _is_padding(part[length:], missing_label)):
            raise ValueError(
                f"y[{i}] has {len(part)} labels, but X[{i}] has {length} steps; {name} needs one for each."
            )
        parts.append(part[:length])
    return _joined(parts, missing_label)


def _is_nested(labels: Any) -> bool:
    return isinstance(labels, list | tuple) or getattr(labels, "ndim", 0) > 0


def _is_padding(labels: NDArray, missing_label: Any) -> bool:
    """Whether there are labels, and all of them are markers."""
    return len(labels) > 0 and all(_marks(label, missing_label) for label in labels.tolist())


def _marks(label: Any, missing_label: Any) -> bool:
    same = type(label) is type(missing_label) or not isinstance(label, str)
    return is_nothing(label) or (same and bool(label == missing_label))


def _check_marker(label: Any, missing_label: Any, i: int, name: str) -> None:
    """Raise an error for a single label in the place of the labels of a sequence."""
    if not _marks(label, missing_label):
        raise ValueError(
            f"y[{i}] is {label!r}, but {name} needs a label for each step: an array of as many labels as X[{i}] has "
            f"steps. For one label per sequence, use SemiSupervisedRNNClassifier."
        )


def _joined(parts: list[NDArray], missing_label: Any) -> NDArray:
    """Join the labels of all sequences; numbers and strings together become objects."""
    labeled = [part for part in parts if part.dtype != object]
    kinds = {part.dtype.kind in "UST" for part in labeled}
    if not labeled or len(kinds) > 1 or len(labeled) < len(parts):
        joined = np.concatenate([part.astype(object) for part in parts])
        return _plain(joined, kinds, missing_label)
    return np.concatenate(labeled)


def _plain(labels: NDArray, kinds: set[bool], missing_label: Any) -> NDArray:
    """Return an array of objects as one of numbers, if all of them are."""
    if kinds <= {False} and isinstance(missing_label, int | float) and not is_nothing(missing_label):
        return as_array(labels.tolist())
    return labels


def lengths_of_labels(rows: list[Any]) -> NDArray:
    """Return the number of labels of each sequence; a marker in the place of an array is one."""
    return np.array([len(row) if _is_nested(row) else 1 for row in rows], dtype=np.int64)


def read_step_target(y: Any, missing_label: Any, name: str) -> Target:
    """Read a y with a label for each step; a row is labeled if one of its steps is, and its label is not looked at.

    Returns
    -------
    target : Target
        Its values are the positions of the rows.
    """
    lengths = lengths_of_labels(rows_of_labels(y))
    steps = read_target(flat_labels(y, lengths, missing_label, name), missing_label, name)
    missing = ~any_of_row(~steps.missing, lengths)
    return Target(np.arange(len(lengths)), missing, np.zeros(int((~missing).sum()), dtype=np.int64))

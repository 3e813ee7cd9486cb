"""Reading transcripts, which are sequences of labels, and how far two of them lie apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ._arrays import is_nothing

HOW = "Each row of y must be a sequence of labels, such as [7, 3] or a string of characters; or None, if unknown"
LABELS = (str, bool, np.bool_, int, np.integer)


@dataclass(frozen=True)
class Transcripts:
    """Transcripts of all rows: lists of labels, and None for rows without a transcript."""

    rows: list[list[Any] | None]

    @property
    def labeled(self) -> NDArray[np.int64]:
        """Positions of the rows that have a transcript, ascending."""
        return np.array([i for i, row in enumerate(self.rows) if row is not None], dtype=np.int64)

    @property
    def known(self) -> list[list[Any]]:
        """The transcripts that are known."""
        return [row for row in self.rows if row is not None]

    def classes(self) -> NDArray:
        """Return the labels that occur, sorted."""
        return np.unique(np.array(list(chain.from_iterable(self.known))))

    def numbers(self, classes: NDArray) -> NDArray[np.int64]:
        """Return the class numbers (n, L) of the labels, followed by -1."""
        place = {label: number for number, label in enumerate(classes.tolist())}
        numbers = np.full((len(self.rows), max(1, *(len(row) for row in self.known))), -1, dtype=np.int64)
        for i in self.labeled:
            row: Any = self.rows[i]
            numbers[i, : len(row)] = [place[label] for label in row]
        return numbers


def read_transcripts(y: Any, name: str) -> Transcripts:
    """Read transcripts from a list, an array or a column; rows that are None, NaN or `pandas.NA` have none.

    Parameters
    ----------
    y : list, array or column of label sequences
        A string is the sequence of its characters.
    name : str
        Name of the estimator or function, for messages.

    Raises
    ------
    ValueError
        If y is no such list, if no row has a transcript, or if labels are missing, or neither integers nor strings.
    """
    if y is None:
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    if isinstance(y, str) or not isinstance(y, Iterable):
        raise ValueError(f"y is {type(y).__name__}. {HOW}.")
    rows = Transcripts([_labels(row, i) for i, row in enumerate(y)])
    if not len(rows.labeled):
        raise ValueError(f"y has no labeled sample; {name} reads None as unlabeled, and needs at least one transcript.")
    _check_types(rows)
    return rows


def _labels(row: Any, i: int) -> list[Any] | None:
    """Return the labels of a row as a list, or None."""
    if isinstance(row, str):
        return list(row)
    if not isinstance(row, Iterable) or getattr(row, "ndim", 1) == 0:
        if is_nothing(row):
            return None
        raise ValueError(f"y[{i}] is {row!r}. {HOW}.")
    values = row.tolist() if hasattr(row, "tolist") else list(row)
    for label in values:
        if not isinstance(label, LABELS):
            missing = isinstance(label, float) or label is None
            hint = "a transcript must be known whole" if missing and is_nothing(label) else "use integers or strings"
            raise ValueError(f"y[{i}] has the label {label!r}; {hint}.")
    return [label.item() if isinstance(label, np.generic) else label for label in values]


def _check_types(transcripts: Transcripts) -> None:
    """Raise an error if labels are of two types or if there are none, and warn of labels that look like padding."""
    labels = list(dict.fromkeys(chain.from_iterable(transcripts.known)))
    if not labels:
        raise ValueError("y has only empty transcripts; at least one must have a label.")
    if len({isinstance(label, str) for label in labels}) > 1:
        raise TypeError(f"y mixes strings and other labels: {labels[:5]}. Use one type.")
    if -1 in labels:
        warn(
            "y has the label -1, which is read as a label like others. Transcripts have different lengths and are not "
            "padded, and rows without a transcript are None."
        )


def edit_distance(first: Iterable[Any], second: Iterable[Any]) -> int:
    """Least number of labels to insert, delete or replace that makes two sequences equal (Levenshtein 1966)."""
    other = list(second)
    row = list(range(len(other) + 1))
    for i, label in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, known in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (label != known))
    return row[-1]


def label_error_rate(y_true: Any, y_pred: Any) -> float:
    """Label error rate of transcripts: edit distances, as a fraction of the labels.

    Parameters
    ----------
    y_true : list of label sequences
        True transcripts. A string is the sequence of its characters. Rows that are None do not count.
    y_pred : list of label sequences
        Predicted transcripts.

    Returns
    -------
    rate : float
        The number of labels to insert, delete or replace, over all rows, divided by the number of true labels. It can
        be above 1. For words it is known as the word error rate, for characters as the character error rate.

    Raises
    ------
    ValueError
        If no row has a true transcript, all of them are empty, or the numbers of rows differ.

    References
    ----------
    Graves, Fernández, Gomez and Schmidhuber (2006), "Connectionist temporal classification: labelling unsegmented
    sequence data with recurrent neural networks", ICML.

    Examples
    --------
    >>> from sklearn_rnn.model_selection import label_error_rate
    >>> label_error_rate([[1, 2, 3], None, [4]], [[1, 3], [7], [4]])
    0.25
    """
    true, predicted = read_transcripts(y_true, "label_error_rate"), list(y_pred)
    if len(predicted) != len(true.rows):
        raise ValueError(f"y_true has {len(true.rows)} rows, but y_pred has {len(predicted)}.")
    errors = sum(
        edit_distance(row, _labels(found, i) or [])
        for i, (row, found) in enumerate(zip(true.rows, predicted, strict=True))
        if row is not None
    )
    return errors / sum(map(len, true.known))

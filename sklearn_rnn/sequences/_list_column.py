"""List columns of Arrow and of Hugging Face's `datasets`, whose numbers stay in Arrow's buffers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class ListColumn:
    """The numbers in a column of lists of Arrow, (steps, F), one list after the other, with numpy's methods.

    They are views of Arrow's buffers, which `datasets` maps from a file.

    Parameters
    ----------
    pieces : list of ndarray of shape (steps, F)
        The numbers of each chunk of the column.

    Attributes
    ----------
    block : int
        Number of neighbouring rows that training reads together.
    """

    block = 8192

    def __init__(self, pieces: list[NDArray]):
        self.pieces, self.dtype = pieces, pieces[0].dtype
        self.ends = np.cumsum([len(piece) for piece in pieces])
        self.shape = (int(self.ends[-1]), pieces[0].shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, steps: NDArray, axis: int = 0) -> NDArray:
        """Return a copy of steps (b, T), (b, T, F)."""
        flat = steps.ravel()
        owners = np.searchsorted(self.ends, flat, side="right")
        taken = np.empty((len(flat), self.shape[1]), self.dtype)
        for owner in np.unique(owners):
            here = np.flatnonzero(owners == owner)
            taken[here] = self.pieces[owner].take(flat[here] - (self.ends[owner] - len(self.pieces[owner])), axis=0)
        return taken.reshape(*steps.shape, self.shape[1])

    def __getitem__(self, steps: slice) -> NDArray:
        return self.take(np.arange(*steps.indices(len(self))))


def list_column(X: Any) -> tuple[ListColumn, NDArray[np.int64]] | None:
    """Return the numbers of a column of lists and the lengths of the lists; None if X is no such column.

    Columns of integers, which are token ids, and columns with missing values or rows are not read in this way.
    """
    column = arrow_column(X)
    if column is None or column.null_count or not len(column):
        return None
    lengths, pieces = [], []
    for chunk in getattr(column, "chunks", [column]):
        read = _numbers_of(chunk)
        if read is None:
            return None
        lengths.append(read[0])
        pieces.append(read[1])
    if len({(piece.shape[1], piece.dtype) for piece in pieces}) > 1:
        return None
    return ListColumn(pieces), np.concatenate(lengths)


def arrow_column(X: Any) -> Any:
    """Return X if it is a column of Arrow, the column of Arrow behind one of `datasets`, or None."""
    source: Any = getattr(X, "source", None)
    if hasattr(X, "column_name") and hasattr(source, "with_format"):  # of Hugging Face's datasets
        if getattr(source, "_indices", None) is None and hasattr(source, "data"):
            X = source.data.column(X.column_name)
        else:  # rows were selected or shuffled
            X = source.select_columns([X.column_name]).with_format("arrow")[:].column(0)
    return X if hasattr(X, "to_pylist") and hasattr(X, "null_count") and hasattr(X, "type") else None


def _numbers_of(lists: Any) -> tuple[NDArray[np.int64], NDArray] | None:
    """Return the lengths of lists of Arrow and their numbers (steps, F); None if they are no lists of floats."""
    read = _flattened(lists)
    if read is None:
        return None
    lengths, numbers = read
    width = 1
    if (steps := _flattened(numbers)) is not None:
        widths, numbers = steps
        if not len(widths) or widths[0] == 0 or (widths != widths[0]).any():
            return None
        width = int(widths[0])
    if numbers.null_count or str(numbers.type) not in ("halffloat", "float", "double"):
        return None
    return lengths, numbers.to_numpy(zero_copy_only=True).reshape(-1, width)


def _flattened(lists: Any) -> tuple[NDArray[np.int64], Any] | None:
    """Return the lengths and the elements of lists; None if they are no lists, or one is missing."""
    if not hasattr(lists, "value_lengths") or lists.null_count:
        return None
    return lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64), lists.flatten()

"""Sequences of items, such as ids and strings, and the catalogue that numbers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ._containers import is_frame, listed, refuse_what_is_no_array
from ._sequences import Sequences, first_steps
from ._shapes import check_not_empty

HOW = "pass a list of item sequences, such as [['tea', 'milk'], ['milk']]"


@dataclass(frozen=True)
class Catalogue:
    """The items that training had, each with a number.

    Attributes
    ----------
    items : ndarray of shape (n_items,)
        Items; sorted, unless they have different types.
    """

    items: NDArray

    @classmethod
    def of(cls, values: NDArray) -> Catalogue:
        """Return the catalogue of all items that occur."""
        if values.dtype != object:
            return cls(np.unique(values))
        try:
            items = list(dict.fromkeys(values.tolist()))
        except TypeError as error:
            raise TypeError(
                f"X has items that are not hashable ({error}); argument must be a string or a number."
            ) from error
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return cls(array)

    def numbers(self, values: NDArray) -> NDArray[np.int64]:
        """Return the number of each item; that of items outside the catalogue is the number of items."""
        n = len(self.items)
        if self.items.dtype == object or values.dtype == object or not _comparable(values, self.items):
            known = {item: i for i, item in enumerate(self.items.tolist())}
            return np.array([known.get(value, n) for value in values.tolist()], dtype=np.int64).reshape(len(values))
        places = np.searchsorted(self.items, values).clip(max=n - 1)
        return np.where(self.items[places] == values, places, n)

    def read(self, X: Any, name: str) -> Sequences:
        """Return X as token ids; it warns of items that are not in the catalogue."""
        values, lengths = flat_items(X, name)
        ids = self.numbers(values)
        if n_unknown := int((ids == len(self.items)).sum()):
            i = int(np.argmax(ids == len(self.items)))
            warn(
                f"X has {n_unknown} items that {name} was not fitted on, such as {values.tolist()[i]!r}; they are read "
                "as the unknown item."
            )
        return Sequences(ids, lengths, first_steps(lengths), "tokens")


def flat_items(X: Any, name: str) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the items of all sequences, one sequence after the other, and the lengths of the sequences.

    Raises
    ------
    TypeError
        If X is a frame, a dictionary or the like.
    ValueError
        If X is not a list of sequences of items, or an item is missing.
    """
    arrays = rows_of_items(X, name)
    lengths = np.array([len(x) for x in arrays], dtype=np.int64)
    if not lengths.all():
        i = int(np.argmin(lengths))
        raise ValueError(f"X[{i}] has 0 time step(s) while a minimum of 1 is required by {name}.")
    return _checked(_joined(arrays), lengths), lengths


def rows_of_items(X: Any, name: str) -> list[NDArray]:
    """Return the items of each sequence as an array; the errors are those of `flat_items`."""
    refuse_what_is_no_array(X)
    if is_frame(X):
        raise TypeError(
            f"X is a frame. {name} needs lists of items; convert a frame with one row for each step by "
            "datasets.from_long_frame(frame, sequence=..., time=..., item=...)."
        )
    rows = _rows(X, name)
    check_not_empty((len(rows),), name)
    return [_items(row, i) for i, row in enumerate(rows)]


def without_last(X: Any, name: str, n_last: int = 1) -> tuple[list[NDArray], list[Any]]:
    """Return each sequence without its last items, and these: one item, or an array if there are several.

    Sequences that would be left empty are left out, with a warning.
    """
    rows = rows_of_items(X, name)
    long = [row for row in rows if len(row) > n_last]
    if len(long) < len(rows):
        warn(
            f"{len(rows) - len(long)} of {len(rows)} sequences have at most {n_last} item(s) and are left out: nothing "
            "is left to predict their last from."
        )
    if not long:
        raise ValueError(f"X must have a sequence of more than {n_last} item(s).")
    last = [row[-1:].tolist()[0] if n_last == 1 else row[-n_last:] for row in long]
    return [row[:-n_last] for row in long], last


def as_items(values: Any, what: str) -> NDArray:
    """Return one sequence of items, such as `candidates`, as an array."""
    array = _items(values, what)
    return _checked(array, np.array([len(array)])) if len(array) else array


def _rows(X: Any, name: str) -> list[Any]:
    rows = listed(X)
    if rows is None:
        if hasattr(X, "toarray"):
            raise TypeError(f"Sparse data was passed for X, but dense data is required; {HOW}.")
        array = np.asarray(X)
        if array.ndim != 2:
            raise ValueError(f"Expected 2D array, got {array.ndim}D array instead. Reshape your data: {HOW}.")
        if array.shape[1] == 0:
            raise ValueError(
                f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required by {name}."
            )
        rows = list(array)
    return rows


def _items(row: Any, i: Any) -> NDArray:
    """Return the items of one sequence as a 1-D array."""
    where = f"X[{i}]" if isinstance(i, int) else i
    if isinstance(row, str | bytes):
        raise ValueError(f"{where} is a string, {row[:20]!r}; {HOW}. For characters, list(text) has one item for each.")
    array = _array(row) if isinstance(row, list | tuple) else np.asarray(row)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]  # a feature of from_long_frame
    if array.ndim != 1:
        raise ValueError(f"{where} must be a 1-D sequence of items, got {array.ndim} dimensions; {HOW}.")
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{where} has dtype {array.dtype}.")
    if array.dtype.kind == "T" or (array.dtype == object and len(array) and all(type(x) is str for x in array)):
        return array.astype(str)
    return array


def _array(row: Any) -> NDArray:
    kinds = {type(item) for item in row}
    if len(kinds) <= 1 or not any(issubclass(kind, str) for kind in kinds):
        return np.asarray(row)
    array = np.empty(len(row), dtype=object)
    array[:] = row
    return array


def _joined(arrays: list[NDArray]) -> NDArray:
    """Join arrays; numbers stay numbers if there are strings beside them."""
    texts = {x.dtype.kind in "US" for x in arrays if x.dtype != object}
    if len(texts) > 1:
        return np.concatenate([x.astype(object) for x in arrays])
    return np.concatenate(arrays)


def _checked(values: NDArray, lengths: NDArray) -> NDArray:
    """Raise an error for missing items, and warn of fractions, which are seldom items."""
    if values.dtype == object:
        missing = np.array([value is None or value != value for value in values.tolist()], dtype=bool)
    else:
        missing = values != values
    if missing.any():
        step = int(np.argmax(missing))
        i = int(np.searchsorted(np.cumsum(lengths), step, side="right"))
        raise ValueError(f"Input X contains NaN.\nX[{i}] has a missing item at step {step - lengths[:i].sum()}.")
    if values.dtype.kind == "f":
        if np.isinf(values).any():
            raise ValueError("Input X contains infinity or a value too large for dtype('float64').")
        if (values == np.floor(values)).all():
            return values.astype(np.int64) if np.abs(values).max() < 2**53 else values
        warn("X has numbers that are not whole; each number is read as an item.")
    return values


def _comparable(values: NDArray, items: NDArray) -> bool:
    """Whether two arrays are both of strings, both of bytes, or both of neither."""
    return all((values.dtype.kind == kind) == (items.dtype.kind == kind) for kind in "US")

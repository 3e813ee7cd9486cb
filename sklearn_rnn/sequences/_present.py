"""The rows of a frame that have an input, and those that lack it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._containers import as_array, listed
from ._frame_columns import FrameColumns
from ._static import is_empty


def placeholder(known: Any) -> Any:
    """Return one sequence of zeros, which no row has."""
    if known["_kind"] == "tokens":
        return [np.zeros(1, np.int64)]
    width = known["n_features_in_"]
    return np.zeros((1, width)) if known["_kind"] == "table" else [np.zeros((1, width))]


def all_missing(column: Any) -> bool:
    """Whether no row has an element of a column."""
    return all(is_empty(x) for x in (listed(column) or list(column)))


def present_rows(columns: FrameColumns, members: list[Any]) -> tuple[Any, NDArray[np.int64]]:
    """Return the sequences of the rows that have the input, and the place of each row among them, or -1."""
    column = columns.values[members[0]]
    if len(members) == 1 and len(getattr(column, "shape", ())) > 1:  # an array (n, T) or (n, T, F)
        return _present_of_array(column)
    parts = [listed(columns.values[name]) or list(columns.values[name]) for name in members]
    empty = np.array([[is_empty(x) for x in part] for part in parts])
    has = ~empty.all(0)
    places = np.where(has, np.cumsum(has) - 1, -1)
    if len(members) == 1:
        return [parts[0][i] for i in np.flatnonzero(has)], places
    rows = []
    for i in np.flatnonzero(has):
        arrays = [
            None if empty[k, i] else as_array(part[i], f"X[{name!r}][{i}]")
            for k, (name, part) in enumerate(zip(members, parts, strict=True))
        ]
        shapes = {x.shape for x in arrays if x is not None}
        if len(shapes) > 1 or len(next(iter(shapes))) != 1:
            raise ValueError(
                f"The series in row {i} of the columns {members} must be 1-D and have equal lengths, got "
                f"{sorted(shapes)}. Make each column an input of its own, if their rates differ."
            )
        gap = np.full(next(iter(shapes)), np.nan)
        rows.append(np.stack([gap if x is None else x for x in arrays], axis=1))
    return rows, places


def _present_of_array(column: Any) -> tuple[Any, NDArray[np.int64]]:
    n, places = len(column), np.arange(len(column))
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        has = ~np.isnan(column.reshape(n, -1)).all(1)
        if not has.all():
            return column[has], np.where(has, np.cumsum(has) - 1, -1)
    return column, places


def renumbered(message: str, places: NDArray[np.int64]) -> str:
    """Return an error's message in which the rows that have the input get their numbers in X."""
    rows = np.flatnonzero(places >= 0)

    def number(found: re.Match[str]) -> str:
        i = int(found[1])
        return f"X[{rows[i]}]" if i < len(rows) else found[0]

    return re.sub(r"\bX\[(\d+)\]", number, message)

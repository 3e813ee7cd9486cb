"""The columns of a frame or a dictionary, and which of them make an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._containers import check_frame, detached, is_frame, listed, refuse_what_is_no_array
from ._static import is_missing, is_sequences

STATIC = "static"  # name of the input of columns that hold no sequences
ANSWERS = ("y", "target", "targets", "label", "labels")  # keys of a dictionary that is a data set, not an X
Groups = dict[str, list[Any]]


@dataclass(frozen=True)
class FrameColumns:
    """The columns of a frame, of a dictionary, or of an array of objects.

    Attributes
    ----------
    values : dict
        The columns by their names, which are numbers if X has none.
    named : bool
        Whether X has names of columns.
    index : object or None
        Index of X, if it was a pandas object.
    """

    values: dict[Any, Any]
    named: bool
    index: Any = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return _size(next(iter(self.values.values())))

    @classmethod
    def of(cls, X: Any) -> FrameColumns | None:
        """Return the columns of X; None if X is one input."""
        X = detached(X)
        if isinstance(X, Mapping):
            return cls._of_dictionary(X)
        if is_frame(X):
            check_frame(X)
            names = list(X.column_names if hasattr(X, "column_names") else X.columns)
            values = {name: column_of(X, name, j) for j, name in enumerate(names)}
            if not any(is_sequences(column) for column in values.values()):
                return None
            named = all(isinstance(name, str) for name in names)
            if len(values) < len(names):
                raise ValueError(f"X has columns of the same name: {names}.")
            return cls(values, named, getattr(X, "index", None))
        if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 2 and X.size:
            values = {j: X[:, j] for j in range(X.shape[1])}
            return cls(values, False) if any(is_sequences(column) for column in values.values()) else None
        return None

    @classmethod
    def _of_dictionary(cls, X: Mapping) -> FrameColumns:
        sizes = {key: _size(value) for key, value in X.items()}
        if "input_ids" in X or not all(isinstance(key, str) for key in X) or len(set(sizes.values())) != 1:
            refuse_what_is_no_array(X)
        if any(key.lower() in ANSWERS for key in X):
            refuse_what_is_no_array(X)
        values: dict[Any, Any] = {}
        for key, value in X.items():
            if is_frame(value):
                values |= {f"{key}__{name}": column_of(value, name, j) for j, name in enumerate(value.columns)}
            elif key == STATIC and len(getattr(value, "shape", ())) == 2:
                values |= {f"{key}__{j}": value[:, j] for j in range(value.shape[1])}
            else:
                values[key] = value
        if not any(is_sequences(column) for column in values.values()):
            raise ValueError(f"X is a dictionary without sequences; its keys are {list(X)[:5]}. Pass an array.")
        return cls(values, True)


def _size(column: Any) -> int:
    return len(column) if hasattr(column, "__len__") else -1


def column_of(X: Any, name: Any, j: int) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[:, j]
    return X.column(j) if hasattr(X, "column_names") and hasattr(X, "column") else X[name]


def groups_of(columns: FrameColumns, groups: Any) -> Groups | None:
    """Return the columns of each input by its name; None if all columns are the features of one input."""
    names = list(columns.values)
    kinds = {name: is_sequences(column) for name, column in columns.values.items()}
    if groups is None:
        if _are_features(columns, kinds):
            return None
        chosen: Groups = {str(name): [name] for name in names if kinds[name]}
        plain = [name for name in names if not kinds[name]]
        if plain and STATIC in chosen:
            raise ValueError(f"X has a column of sequences named {STATIC!r}, and columns {plain}; name them in inputs.")
        return chosen | ({STATIC: plain} if plain else {})
    chosen = {}
    for key, members in groups.items():
        chosen[key] = [members] if isinstance(members, str | int) else list(members)
    used = [name for members in chosen.values() for name in members]
    if unknown := [name for name in used if name not in columns.values]:
        raise ValueError(f"inputs names the columns {unknown}, but X has {names}.")
    if left := [name for name in names if name not in used]:
        raise ValueError(
            f"X has the columns {left}, which inputs does not name. Add them to inputs, or drop them from X."
        )
    if len(set(used)) < len(used):
        raise ValueError(f"inputs={groups!r} names a column twice.")
    for key, members in chosen.items():
        of_group = [kinds[name] for name in members]
        if not members or len(set(of_group)) > 1:
            raise ValueError(
                f"inputs[{key!r}]={members} must be columns of sequences, or of single values, not both or none."
            )
    if not any(kinds.values()):
        raise ValueError(f"inputs={groups!r} must name a column of sequences.")
    return chosen


def _are_features(columns: FrameColumns, kinds: dict[Any, bool]) -> bool:
    """Whether all columns hold series of numbers that have equal lengths in each row, as the features of one input."""
    if len(kinds) == 1 or not all(kinds.values()):
        return False
    shapes: dict[Any, tuple[int, ...]] = {name: getattr(column, "shape", ()) for name, column in columns.values.items()}
    tables = {shape for shape in shapes.values() if len(shape) == 2}  # whose rows need not be read
    if any(len(shape) > 2 for shape in shapes.values()) or len(tables) > 1 or any(shape[1] == 0 for shape in tables):
        return False
    lengths = {shape[1] for shape in tables}
    others = [listed(columns.values[name]) or [] for name, shape in shapes.items() if len(shape) < 2]
    for cells in zip(*others, strict=True):
        row = [x for x in cells if not is_missing(x)]
        if row and (any(np.ndim(x) != 1 for x in row) or len({len(x) for x in row} | lengths) > 1 or not len(row[0])):
            return False
    return True


def matched(seen: list[Any], columns: FrameColumns, name: str) -> FrameColumns:
    """Return columns by the keys of `fit`; it is an error if they are others. Those without names go by their place."""
    given = list(columns.values)
    if {*given} == {*seen}:
        return columns
    if not columns.named or not all(isinstance(key, str) for key in seen):
        if len(given) != len(seen):
            raise ValueError(f"X has {len(given)} columns, but {name} is expecting {len(seen)} columns.")
        if columns.named or all(isinstance(key, str) for key in seen) or given == list(range(len(given))):
            return FrameColumns(dict(zip(seen, columns.values.values(), strict=True)), columns.named, columns.index)
    lines = ["The feature names should match those that were passed during fit."]
    if unseen := [column for column in given if column not in seen]:
        lines += ["Feature names unseen at fit time:", *(f"- {column}" for column in unseen)]
    if missing := [column for column in seen if column not in given]:
        lines += ["Feature names seen at fit time, yet now missing:", *(f"- {column}" for column in missing)]
    raise ValueError("\n".join(lines))


def check_no_missing(columns: FrameColumns) -> None:
    """Raise an error if a row has only some of the features of the one input."""
    for name, column in columns.values.items():
        for i, x in enumerate(listed(column) or []):
            if is_missing(x):
                groups = {str(key): [key] for key in columns.values}
                raise ValueError(
                    f"Row {i} of X has no {name!r}, but all columns are features of one input. Pass inputs={groups}, "
                    "so that a row may lack an input, or gaps=True and a series of NaN."
                )

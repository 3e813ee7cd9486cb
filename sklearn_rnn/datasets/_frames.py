"""Columns of pandas and polars frames and of Arrow tables, as numpy arrays."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Columns:
    """Columns of a frame by name, and levels of a pandas index by name.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        The frame.
    """

    def __init__(self, frame: Any):
        self.levels: dict[Hashable, Any] = {}
        if hasattr(frame, "iloc") and hasattr(frame, "columns"):
            self.names = list(frame.columns)
            self.columns = [frame.iloc[:, i] for i in range(len(self.names))]
            self.levels = {
                level: frame.index.get_level_values(level) for level in frame.index.names if level is not None
            }
        elif hasattr(frame, "get_columns"):
            self.names, self.columns = list(frame.columns), frame.get_columns()
        elif hasattr(frame, "itercolumns"):
            self.names, self.columns = list(frame.column_names), list(frame.itercolumns())
        else:
            raise TypeError(
                f"frame must be a pandas DataFrame, a polars DataFrame or a pyarrow Table, got {type(frame).__name__}."
            )

    def __getitem__(self, name: Hashable) -> NDArray:
        """Return the values of the column, or else of the index level, with this name."""
        found = [column for column, other in zip(self.columns, self.names, strict=True) if other == name]
        if not found and name in self.levels:
            found = [self.levels[name]]
        if len(found) == 1:
            return values_of(found[0])
        if found:
            raise ValueError(f"frame has {len(found)} columns with the name {name!r}.")
        levels = f", index levels {list(self.levels)}" if self.levels else ""
        raise ValueError(
            f"frame has no column {name!r}; it has {self.names}{levels}. (To name the levels of a pandas index: "
            "frame.rename_axis([...]).)"
        )

    def others(self, names: set[Hashable]) -> list[tuple[Hashable, NDArray]]:
        """Return names and values of the columns that are not among `names`."""
        pairs = zip(self.names, self.columns, strict=True)
        return [(name, values_of(column)) for name, column in pairs if name not in names]


def values_of(column: Any) -> NDArray:
    """Return the values of a column without rounding: datetimes in UTC, integers with missing values as objects."""
    dtype: Any = getattr(column, "dtype", None)
    extended = hasattr(dtype, "construct_array_type")  # an extension type of pandas
    if extended and dtype.kind == "M":
        return column.to_numpy(dtype=f"datetime64[{getattr(dtype, 'unit', 'ns')}]")
    values = column.to_numpy()
    if values.dtype.kind != "f":
        return values
    if extended:
        return column.to_numpy(dtype=object) if dtype.kind in "iu" else values
    missing = getattr(column, "null_count", 0)
    if not (missing() if callable(missing) else missing):
        return values
    return np.array(column.to_pylist() if hasattr(column, "to_pylist") else column.to_list(), dtype=object)

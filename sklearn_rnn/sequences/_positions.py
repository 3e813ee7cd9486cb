"""Positions of columns that are given by name or by position."""

from __future__ import annotations

from typing import Any

import numpy as np


def positions(chosen: Any, names: Any, n: int, parameter: str) -> tuple[int, ...]:
    """Return the positions of columns that are given by name or position."""
    if chosen is None:
        return ()
    if isinstance(chosen, str) or np.ndim(chosen) == 0:
        chosen = [chosen]
    found = []
    for column in chosen:
        if isinstance(column, str):
            if names is None:
                raise ValueError(
                    f"{parameter} has the name {column!r}, but X has no column names. Pass a frame, or positions."
                )
            if column not in names:
                raise ValueError(f"{parameter} has the column {column!r}, but X has the columns {names.tolist()}.")
            found.append(int(np.flatnonzero(names == column)[0]))
        elif isinstance(column, bool | np.bool_) or not isinstance(column, int | np.integer):
            raise ValueError(f"{parameter} must hold names or positions of columns, got {column!r}.")
        elif not 0 <= column < n:
            raise ValueError(f"{parameter} has the column {column}, but X has {n} columns, from 0 to {n - 1}.")
        else:
            found.append(int(column))
    if len(set(found)) < len(found):
        raise ValueError(f"{parameter} has a column twice: {list(chosen)}.")
    return tuple(found)

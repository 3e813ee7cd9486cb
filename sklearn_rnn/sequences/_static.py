"""Columns of one value for each row: numbers and categories, of which some may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._containers import SECONDS, TIME, listed

MANY = 1000  # categories of a column above which they are probably names of rows


@dataclass(frozen=True)
class StaticColumn:
    """What was learned of a column of one value for each row.

    Attributes
    ----------
    categories : list or None
        The categories in order; None for numbers.
    has_missing : bool
        Whether values were missing.
    origin : float
        Mean of the numbers, which is subtracted before they are rounded to float32.
    """

    categories: list[Any] | None
    has_missing: bool
    origin: float = 0.0

    @classmethod
    def of(cls, column: Any, name: Any) -> StaticColumn:
        """Learn from a column."""
        elements = plain_elements(column, name)
        known = [x for x in elements if not is_missing(x)]
        if not known:
            raise ValueError(f"X[{name!r}] is missing in all rows. Drop the column.")
        if all(isinstance(x, Real | np.bool_) for x in known):
            return cls(None, len(known) < len(elements), float(np.mean(np.array(known, dtype=np.float64))))
        odd = next((x for x in known if not isinstance(x, str)), None)
        if odd is not None:
            raise ValueError(f"X[{name!r}] must hold numbers, or strings for categories, but has {odd!r}.")
        categories = sorted({str(x) for x in known})
        if len(categories) > MANY:
            raise ValueError(
                f"X[{name!r}] has {len(categories)} different strings; a column of categories has at most {MANY}. Drop "
                "it, or convert texts to token ids with a TokenSequenceVectorizer."
            )
        return cls(categories, len(known) < len(elements))

    def read(self, column: Any, name: Any) -> NDArray[np.float64]:
        """Return the numbers (n,) of a column, or the numbers of its categories; NaN where the value is missing.

        Categories that were not learned have the number after the last.
        """
        elements = plain_elements(column, name)
        if self.categories is None:
            values = _numbers(elements, name)
            if np.isinf(values.astype(np.float32)).any():
                raise ValueError(
                    f"Input X contains infinity or a value too large for dtype('float32').\nX[{name!r}] has it in row "
                    f"{int(np.argmax(np.isinf(values.astype(np.float32))))}."
                )
            return values - self.origin
        numbers = {category: i for i, category in enumerate(self.categories)}
        odd: Any = next((x for x in list(elements) if not is_missing(x) and not isinstance(x, str)), None)
        if odd is not None:
            raise ValueError(f"X[{name!r}] has the number {odd:g}, but had categories in fit: {self.categories[:5]}.")
        return np.array([np.nan if is_missing(x) else numbers.get(x, len(numbers)) for x in elements], dtype=float)


def plain_elements(column: Any, name: Any) -> Any:
    """Return a column as floats, or as a list of numbers, strings and missing values."""
    kind = str(getattr(column, "dtype", getattr(column, "type", ""))).lower()
    if TIME.match(kind) or getattr(getattr(column, "dtype", None), "kind", "") in ("m", "M"):
        raise ValueError(f"X[{name!r}] is a column of times ({kind}). {SECONDS}")
    if isinstance(column, np.ndarray) and column.dtype.kind in "biuf":
        return column.astype(np.float64)
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            return getattr(column, method)()
    return list(column)


def is_missing(x: Any) -> bool:
    """Whether a value is None, NaN, NaT or pandas.NA."""
    if x is None or type(x).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(x, float | np.floating) and bool(np.isnan(x))


def is_empty(x: Any) -> bool:
    """Whether an element of a column of sequences is missing: no sequence, one without steps, or one of NaN alone."""
    if is_missing(x):
        return True
    if not hasattr(x, "__len__"):
        return False
    if len(x) == 0:
        return True
    first: Any = x[0] if isinstance(x, list | tuple | np.ndarray) else None
    if not is_missing(first) and np.ndim(first) == 0:
        return False
    array = np.asarray(x, dtype=object).ravel()
    return all(is_missing(value) for value in array.tolist())


def _numbers(elements: Any, name: Any) -> NDArray[np.float64]:
    if isinstance(elements, np.ndarray):
        return elements
    odd = next((x for x in elements if not is_missing(x) and not isinstance(x, Real | np.bool_)), None)
    if odd is not None:
        raise ValueError(f"X[{name!r}] had numbers in fit, but now has {odd!r}.")
    return np.array([np.nan if is_missing(x) else float(x) for x in elements], dtype=np.float64)


def is_sequences(column: Any) -> bool:
    """Whether a column of a frame, or an array, holds a sequence for each row, some of which may be missing."""
    if isinstance(column, Mapping):
        return False
    if len(getattr(column, "shape", ())) > 1:
        return True
    elements = listed(column)
    if elements is None:
        return False
    first = next((x for x in elements if not is_missing(x)), None)
    return isinstance(first, list | tuple) or getattr(first, "ndim", 0) > 0 or hasattr(first, "columns")

"""Numbers of any type as floats that do not round them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._labels import find_nothing
from .._sequences import float_like


def as_floats(values: Any, name: str, *, ndim: int = 1) -> NDArray:
    """Convert to float32, or to float64 where that would round; what is missing or masked becomes NaN.

    Raises
    ------
    ValueError
        Values are no numbers or have another number of dimensions; `name` says whose they are.
    """
    array = values if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, got shape {array.shape}.")
    if array.dtype == object:
        array = _numbers(array, name)
    if array.dtype.kind in "mM":
        raise ValueError(
            f"{name} has dtype {array.dtype}, but must have numbers; make seconds of its times: "
            "(times - times[0]) / numpy.timedelta64(1, 's')."
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must have numbers, got dtype {array.dtype}.")
    return np.ma.filled(array.astype(float_like(array.dtype), copy=False), np.nan)


def _numbers(array: NDArray, name: str) -> NDArray[np.float64]:
    """Read objects as numbers; strings are none, whatever they spell."""
    flat = np.ravel(array)
    known = ~find_nothing(flat)
    if strings := [value for value in flat[known] if isinstance(value, str | bytes)]:
        raise ValueError(f"{name} must have numbers, got the string {strings[0]!r}; pandas.to_numeric makes numbers.")
    numbers = np.full(len(flat), np.nan)
    try:
        numbers[known] = flat[known]
    except (TypeError, ValueError) as error:
        kind = type(flat[known][0]).__name__
        hint = "; pandas.to_datetime makes datetimes" if "date" in kind or kind == "Timestamp" else ""
        raise ValueError(f"{name} must have numbers, got values of type {kind}{hint}.") from error
    return numbers.reshape(array.shape)

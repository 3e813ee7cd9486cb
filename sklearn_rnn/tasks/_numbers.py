"""Reading a y of numbers, some of which are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ._arrays import as_array, find_nothing, is_nothing


@dataclass(frozen=True)
class Numbers:
    """Numbers (n, k), float64, with NaN for missing ones, and whether y had one dimension."""

    values: NDArray[np.float64]
    one_column: bool

    @property
    def known(self) -> NDArray[np.bool_]:
        """Mask (n, k) of the known numbers."""
        return ~np.isnan(self.values)

    @property
    def labeled(self) -> NDArray:
        """Positions of the rows with at least one known number."""
        return np.flatnonzero(self.known.any(1))


def read_numbers(y: Any, missing_label: Any, name: str, *, needs_label: bool = True) -> Numbers:
    """Read a y of numbers from any container.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, k)
        Numbers; missing ones are None, NaN, `pandas.NA` or the marker.
    missing_label : float or None
        Marks missing numbers. None, NaN and `pandas.NA` always mark missing numbers too.
    name : str
        Name of the estimator or function, for messages.
    needs_label : bool, default=True
        Whether a y without a known number is an error.

    Raises
    ------
    ValueError
        If y is not numeric, is infinite, or has a column without known numbers.
    """
    if y is None:
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
    values = _floats(y, name)
    if not is_nothing(missing_label):
        values = np.where(values == missing_label, np.nan, values)
    if np.isinf(values).any():
        raise ValueError(f"Input y contains infinity. {name} needs finite numbers, and NaN where y is unknown.")
    one_column = values.ndim == 1
    numbers = Numbers(values[:, None] if one_column else values, one_column)
    if needs_label and not numbers.known.any(0).all():
        if not numbers.known.any():
            raise ValueError(
                f"y has no labeled sample; {name} reads missing_label={missing_label!r} as unlabeled, and needs at "
                "least one number."
            )
        column = int(np.argmin(numbers.known.any(0)))
        raise ValueError(f"y has no known number in column {column}; leave the column out.")
    return numbers


def warn_of_one_value(numbers: Numbers) -> None:
    """Warn if all known numbers of a column are equal."""
    for column in range(numbers.values.shape[1]):
        known = numbers.values[numbers.known[:, column], column]
        if len(known) > 1 and known.min() == known.max():
            column_of = f" in column {column}" if numbers.values.shape[1] > 1 else ""
            warn(f"All known numbers{column_of} of y are {known[0]:g}.")


def _floats(y: Any, name: str) -> NDArray[np.float64]:
    """Array of float64 with one or two dimensions, and NaN for missing numbers."""
    array = as_array(y)
    if array.dtype == object:
        nothing = find_nothing(array.ravel()).reshape(array.shape)
        if text := next((value for value in array.ravel() if isinstance(value, str)), None):
            raise ValueError(f"y has the string {text!r}, but {name} needs numbers.")
        array = np.where(nothing, np.nan, array)
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(
            f"y should be a 1d array of n numbers, or a 2d array (n, k); got an array of shape {array.shape}."
        )
    if array.dtype.kind in "mMcSUTV":
        raise ValueError(f"y has values of type {array.dtype}, but {name} needs numbers.")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y must hold numbers for {name}: {error}.") from error

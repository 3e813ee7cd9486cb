"""A y of numbers of which some are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ._arrays import as_array, find_nothing, is_nothing


@dataclass(frozen=True)
class Numbers:
    """Numbers (n, k), float64, NaN where missing, and whether y had one dimension."""

    values: NDArray[np.float64]
    one_column: bool

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which numbers (n, k) are known."""
        return ~np.isnan(self.values)

    @property
    def labeled(self) -> NDArray:
        """Rows in which at least one number is known."""
        return np.flatnonzero(self.known.any(1))


def read_numbers(y: Any, missing_label: Any, asker: str, *, needs_label: bool = True) -> Numbers:
    """Read a y of numbers from any container.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, k)
        Numbers; None, NaN, `pandas.NA` or the marker where missing.
    missing_label : float or None
        Marks missing numbers. None and NaN are one marker, which is always understood.
    asker : str
        Who asks, for messages.
    needs_label : bool, default=True
        Whether it is an error if no number is known.

    Raises
    ------
    ValueError
        y is no numbers, infinite, or has no known number.
    """
    if y is None:
        raise ValueError(f"This {asker} estimator requires y to be passed, but the target y is None.")
    values = _floats(y, asker)
    if not is_nothing(missing_label):
        values = np.where(values == missing_label, np.nan, values)
    if np.isinf(values).any():
        raise ValueError(f"Input y contains infinity. {asker} needs finite numbers, and NaN where y is unknown.")
    one_column = values.ndim == 1
    numbers = Numbers(values[:, None] if one_column else values, one_column)
    if needs_label and not numbers.known.any(0).all():
        if not numbers.known.any():
            raise ValueError(
                f"y has no labeled sample; {asker} reads missing_label={missing_label!r} as unlabeled, and needs at "
                "least one number."
            )
        column = int(np.argmin(numbers.known.any(0)))
        raise ValueError(f"y has no known number in column {column}; leave the column out.")
    return numbers


def warn_of_one_value(numbers: Numbers) -> None:
    """Warn where all known numbers of a column are the same."""
    for column in range(numbers.values.shape[1]):
        known = numbers.values[numbers.known[:, column], column]
        if len(known) > 1 and known.min() == known.max():
            where = f" of column {column}" if numbers.values.shape[1] > 1 else ""
            warn(f"All known numbers{where} of y are {known[0]:g}.")


def _floats(y: Any, asker: str) -> NDArray[np.float64]:
    """Array of float64 of one or two dimensions; what is missing is NaN."""
    array = as_array(y)
    if array.dtype == object:
        nothing = find_nothing(array.ravel()).reshape(array.shape)
        array = np.where(nothing, np.nan, array)
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(
            f"y should be a 1d array of n numbers, or a 2d array (n, k); got an array of shape {array.shape}."
        )
    if array.dtype.kind in "mMcSUTV":
        raise ValueError(f"y has values of type {array.dtype}, but {asker} needs numbers.")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y must hold numbers for {asker}: {error}.") from error

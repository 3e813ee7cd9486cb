"""Arrays of targets in which missing values stay missing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._sklearn import is_pandas_na


def is_nothing(label: Any) -> bool:
    """Whether a label is None, NaN, NaT or `pandas.NA`. They are one marker, because pandas may keep any of them."""
    if label is None or is_pandas_na(label):
        return True
    if isinstance(label, str):
        return False
    unequal = label != label
    return isinstance(unequal, bool | np.bool_) and bool(unequal)


def is_same(label: Any, other: Any) -> bool:
    """Whether two labels, or markers, are equal; None, NaN, NaT and `pandas.NA` are one marker."""
    if is_nothing(label) or is_nothing(other):
        return is_nothing(label) and is_nothing(other)
    equal = label == other
    return isinstance(equal, bool | np.bool_) and bool(equal)


def find_nothing(values: NDArray, y: Any = None) -> NDArray[np.bool_]:
    """Mask of the values that are None, NaN, NaT or `pandas.NA`.

    In a numpy array of strings y, this includes 'nan', because numpy converts NaN to it.
    """
    if values.dtype == object:
        return np.array([is_nothing(label) for label in values], dtype=bool)
    if values.dtype.kind == "U" and isinstance(y, np.ndarray):
        return values == "nan"
    return values != values


def as_array(y: Any) -> NDArray:
    """Array of y in which missing labels are not converted to text, and integers not to floats because of them."""
    if isinstance(y, np.ma.MaskedArray):
        values = np.ma.getdata(y).astype(object)
        values[np.ma.getmaskarray(y)] = None
        return values
    if isinstance(y, list | tuple):
        return np.asarray(y, dtype=object if len({type(label) for label in y}) > 1 else None)
    array = np.asarray(y)
    if array.dtype.kind == "T":  # numpy's StringDType
        return array.astype(object)
    if array.dtype.kind == "f" and not isinstance(getattr(y, "dtype", None), np.dtype) and np.isnan(array).any():
        for method in ("to_pylist", "to_list", "tolist"):  # of pyarrow, pandas and polars, arrays of pandas
            if hasattr(y, method):
                return np.asarray(getattr(y, method)(), dtype=object)
    return array

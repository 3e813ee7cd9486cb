"""Conversions from and to the formats of aeon, sktime and tslearn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sequences import unpadded_lengths
from ._floats import as_floats


def from_aeon(X: Any) -> Any:
    """Convert from the format of aeon and sktime, which has features before steps.

    Parameters
    ----------
    X : array-like of shape (n, F, T), or list of (F, T_i) arrays
        Collection of series, aeon's `numpy3D` or `np-list`.

    Returns
    -------
    X : ndarray of shape (n, T, F), or list of (T_i, F) arrays
        Values are float32, or float64 if float32 would round them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import from_aeon
    >>> from_aeon(np.zeros((5, 2, 30))).shape
    (5, 30, 2)
    """
    return _transposed(X)


def to_aeon(X: Any) -> Any:
    """Convert to the format of aeon and sktime, which has features before steps.

    Parameters
    ----------
    X : array-like of shape (n, T, F), or list of (T_i, F) arrays
        Sequences.

    Returns
    -------
    X : ndarray of shape (n, F, T), or list of (F, T_i) arrays
        Values are float32, or float64 if float32 would round them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import to_aeon
    >>> [x.shape for x in to_aeon([np.zeros((30, 2)), np.zeros((20, 2))])]
    [(2, 30), (2, 20)]
    """
    return _transposed(X)


def _transposed(X: Any) -> Any:
    if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.dtype == object):
        return [np.ascontiguousarray(as_floats(x, f"X[{i}]", ndim=2).T) for i, x in enumerate(X)]
    return np.ascontiguousarray(as_floats(X, "X", ndim=3).transpose(0, 2, 1))


def from_tslearn(X: Any) -> Any:
    """Convert from the format of tslearn, in which short series are padded with NaN.

    Parameters
    ----------
    X : array-like of shape (n, T, F)
        A time series dataset of tslearn.

    Returns
    -------
    X : ndarray of shape (n, T, F), or list of (T_i, F) arrays
        A list if the lengths differ, without the steps of NaN at the end of a series. Values are float32, or float64
        if float32 would round them.

    Raises
    ------
    ValueError
        If all values of a series are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import from_tslearn
    >>> [len(x) for x in from_tslearn([[[1.0], [2.0]], [[3.0], [np.nan]]])]
    [2, 1]
    """
    X = as_floats(X, "X", ndim=3)
    ends = unpadded_lengths(X)
    if not ends.all():
        raise ValueError(f"All steps of X[{int(np.argmin(ends))}] are NaN.")
    return X if (ends == X.shape[1]).all() else [x[:end] for x, end in zip(X, ends, strict=True)]


def to_tslearn(X: Any) -> NDArray:
    """Convert to the format of tslearn, in which short series are padded with NaN.

    Parameters
    ----------
    X : array-like of shape (n, T, F), or list of (T_i, F) arrays
        Sequences.

    Returns
    -------
    X : ndarray of shape (n, T, F)
        T is the longest length; Values are float32, or float64 if float32 would round them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import to_tslearn
    >>> to_tslearn([np.ones((2, 1)), np.ones((1, 1))])[:, :, 0]
    array([[ 1.,  1.],
           [ 1., nan]])
    """
    arrays = [as_floats(x, f"X[{i}]", ndim=2) for i, x in enumerate(X)]
    padded = np.full((len(arrays), max(map(len, arrays)), arrays[0].shape[1]), np.nan, np.result_type(*arrays))
    for row, x in zip(padded, arrays, strict=True):
        row[: len(x)] = x
    return padded

"""Sequences from and to the forms of aeon, sktime, tslearn and pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import extra
from .._sequences import own_ends


def from_aeon(X: Any) -> Any:
    """Convert from aeon and sktime, which put features first.

    Parameters
    ----------
    X : array-like of shape (n, F, T), or list of (F, T_i) arrays
        Collection of series, aeon's `numpy3D` or `np-list`.

    Returns
    -------
    X : ndarray of shape (n, T, F), float32, or list of (T_i, F) arrays

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import from_aeon
    >>> from_aeon(np.zeros((5, 2, 30))).shape
    (5, 30, 2)
    """
    return _transposed(X)


def to_aeon(X: Any) -> Any:
    """Convert to aeon and sktime, which put features first.

    Parameters
    ----------
    X : array-like of shape (n, T, F), or list of (T_i, F) arrays
        Sequences.

    Returns
    -------
    X : ndarray of shape (n, F, T), float32, or list of (F, T_i) arrays

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
        return [np.ascontiguousarray(_of_dim(x, 2, f"X[{i}]").T) for i, x in enumerate(X)]
    return np.ascontiguousarray(_of_dim(X, 3, "X").transpose(0, 2, 1))


def _of_dim(x: Any, ndim: int, name: str) -> NDArray[np.float32]:
    x = np.asarray(x, dtype=np.float32)
    if x.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, got shape {x.shape}.")
    return x


def from_tslearn(X: Any) -> Any:
    """Convert from tslearn, which pads short series with NaN.

    Parameters
    ----------
    X : array-like of shape (n, T, F)
        Time series dataset.

    Returns
    -------
    X : ndarray of shape (n, T, F), float32, or list of (T_i, F) arrays
        A list where lengths differ. Steps of NaN at the end are no part of a series.

    Raises
    ------
    ValueError
        A series is all NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import from_tslearn
    >>> [len(x) for x in from_tslearn([[[1.0], [2.0]], [[3.0], [np.nan]]])]
    [2, 1]
    """
    X = _of_dim(X, 3, "X")
    ends = own_ends(X)
    if not ends.all():
        raise ValueError(f"X[{int(np.argmin(ends))}] has no step that is not NaN.")
    return X if (ends == X.shape[1]).all() else [x[:end] for x, end in zip(X, ends, strict=True)]


def to_tslearn(X: Any) -> NDArray:
    """Convert to tslearn, which pads short series with NaN.

    Parameters
    ----------
    X : array-like of shape (n, T, F), or list of (T_i, F) arrays
        Sequences.

    Returns
    -------
    X : ndarray of shape (n, T, F), float32
        T is the longest length.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import to_tslearn
    >>> to_tslearn([np.ones((2, 1)), np.ones((1, 1))])[:, :, 0]
    array([[ 1.,  1.],
           [ 1., nan]], dtype=float32)
    """
    arrays = [_of_dim(x, 2, f"X[{i}]") for i, x in enumerate(X)]
    padded = np.full((len(arrays), max(map(len, arrays)), arrays[0].shape[1]), np.nan, np.float32)
    for row, x in zip(padded, arrays, strict=True):
        row[: len(x)] = x
    return padded


def from_long_frame(frame: Any, *, sequence: str, time: str | None = None, label: str | None = None) -> Any:
    """Convert from a long pandas frame: one row for each step.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns that are not named below are features.
    sequence : str
        Column that says which sequence a row is a step of.
    time : str, default=None
        Column to order the steps by; the frame's order by default.
    label : str, default=None
        Column with the label of the sequence, the same in all its rows.

    Returns
    -------
    X : list of ndarray of shape (T_i, F), float32
        In sorted order of `sequence`.
    y : ndarray of shape (n,)
        Only where `label` is given.

    Raises
    ------
    ValueError
        A sequence has two labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_rnn.datasets import from_long_frame
    >>> frame = pd.DataFrame({"person": [1, 1, 2], "hour": [1, 0, 0], "pulse": [60.0, 70, 80]})
    >>> [x[:, 0].tolist() for x in from_long_frame(frame, sequence="person", time="hour")]
    [[70.0, 60.0], [80.0]]
    """
    named = [name for name in (sequence, time, label) if name is not None]
    frame = frame.sort_values([name for name in (sequence, time) if name is not None], kind="stable")
    steps = frame.drop(columns=named).to_numpy(dtype=np.float32)
    ends = frame.groupby(sequence, dropna=False).size().cumsum().to_numpy()
    X = np.split(steps, ends[:-1])
    if label is None:
        return X
    labels = frame.groupby(sequence, dropna=False)[label]
    several = labels.nunique(dropna=False) > 1
    if several.any():
        raise ValueError(f"{label!r} must have one value for each sequence, but {several.idxmax()} has several.")
    return X, frame[label].to_numpy()[ends - 1]


def to_long_frame(X: Any, y: Any = None, *, columns: Any = None) -> Any:
    """Convert to a long pandas frame: one row for each step.

    Parameters
    ----------
    X : array-like of shape (n, T, F), or list of (T_i, F) arrays
        Sequences.
    y : array-like of shape (n,), default=None
        Labels, for a column `"label"`.
    columns : list of str, default=None
        Names of the features; ``"x0"``, ``"x1"``, ... by default.

    Returns
    -------
    frame : pandas.DataFrame
        Columns `"sequence"` and `"time"`, numbered from 0, the features, and `"label"`.

    Raises
    ------
    ImportError
        pandas is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import to_long_frame
    >>> to_long_frame([np.ones((2, 1)), np.zeros((1, 1))], ["a", "b"]).values.tolist()
    [[0, 0, 1.0, 'a'], [0, 1, 1.0, 'a'], [1, 0, 0.0, 'b']]
    """
    pd = extra("pandas", "frames")
    arrays = [_of_dim(x, 2, f"X[{i}]") for i, x in enumerate(X)]
    lengths = [len(x) for x in arrays]
    names = [f"x{j}" for j in range(arrays[0].shape[1])] if columns is None else list(columns)
    frame = pd.DataFrame(np.concatenate(arrays), columns=names)
    frame.insert(0, "sequence", np.repeat(np.arange(len(arrays)), lengths))
    frame.insert(1, "time", np.concatenate([np.arange(length) for length in lengths]))
    if y is not None:
        frame["label"] = np.repeat(np.asarray(y), lengths)
    return frame

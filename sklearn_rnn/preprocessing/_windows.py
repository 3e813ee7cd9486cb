"""Cutting a long series into windows, and joining them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._sklearn import COUNT, validate_params


@validate_params(
    {"series": ["array-like"], "length": COUNT, "stride": [*COUNT, None]}, prefer_skip_nested_validation=True
)
def cut_windows(series: Any, length: int, *, stride: int | None = None) -> NDArray:
    """Cut a long series into windows.

    Parameters
    ----------
    series : array-like of shape (T,) or (T, F)
        The series.
    length : int
        Number of steps in each window.
    stride : int, default=None
        Number of steps from the start of a window to the start of the next; `length` by default, so that windows do
        not overlap. The last window always ends with the series, and may overlap.

    Returns
    -------
    windows : ndarray of shape (n_windows, length) or (n_windows, length, F)
        Copies of the steps.

    Raises
    ------
    ValueError
        If the series is shorter than a window.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import cut_windows
    >>> cut_windows(np.arange(5), 2)
    array([[0, 1],
           [2, 3],
           [3, 4]])
    """
    series = np.asarray(series)
    return series[_starts(len(series), length, stride)[:, None] + np.arange(length)]


@validate_params(
    {"windows": ["array-like"], "n_steps": COUNT, "stride": [*COUNT, None]}, prefer_skip_nested_validation=True
)
def join_windows(windows: Any, n_steps: int, *, stride: int | None = None) -> NDArray:
    """Join windows: each step becomes the mean over the windows that contain it.

    Parameters
    ----------
    windows : array-like of shape (n_windows, length) or (n_windows, length, F)
        Windows, or values for each of their steps. To use scores of whole windows, repeat them:
        ``np.repeat(scores[:, None], length, axis=1)``.
    n_steps : int
        Number of steps in the series.
    stride : int, default=None
        As in `cut_windows`.

    Returns
    -------
    series : ndarray of shape (n_steps,) or (n_steps, F)

    Raises
    ------
    ValueError
        If `windows` is one-dimensional, a series of `n_steps` has another number of windows, or a step is in no window.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import cut_windows, join_windows
    >>> join_windows(cut_windows(np.arange(5), 2), 5)
    array([0., 1., 2., 3., 4.])
    """
    windows = np.asarray(windows)
    if windows.ndim < 2:
        raise ValueError(
            f"windows must have shape (n_windows, length) or (n_windows, length, F), got {windows.shape}; repeat "
            "scores of whole windows: np.repeat(scores[:, None], length, axis=1)."
        )
    length = windows.shape[1]
    starts = _starts(n_steps, length, stride)
    if len(windows) != len(starts):
        raise ValueError(
            f"A series of n_steps={n_steps} has {len(starts)} windows of {length} step(s), got {len(windows)}."
        )
    if len(starts) > 1 and np.diff(starts).max() > length:
        raise ValueError(
            f"Windows of {length} step(s) with stride={stride} do not contain all steps; cut them with stride={length}."
        )
    rows = starts[:, None] + np.arange(length)
    total, count = np.zeros((n_steps, *windows.shape[2:])), np.zeros(n_steps)
    np.add.at(total, rows, windows)
    np.add.at(count, rows, 1)
    return total / count.reshape(-1, *[1] * (total.ndim - 1))


def _starts(n_steps: int, length: int, stride: int | None) -> NDArray:
    """Return the first step of each window."""
    if n_steps < length:
        raise ValueError(f"The series has {n_steps} step(s), fewer than a window of length={length}.")
    starts = np.arange(0, n_steps - length + 1, stride or length)
    return starts if starts[-1] == n_steps - length else np.append(starts, n_steps - length)

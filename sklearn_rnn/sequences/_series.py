"""Reading long series: one or several, as arrays, lists or frames with a time index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ._containers import arrays_of, as_array, detached, is_frame, refuse_text_columns, times_among, unmasked
from ._reading import read_sequences
from ._sequences import BLOCK, Pages, first_steps
from ._times import check_times

FILL = "To fill gaps: preprocessing.SequenceImputer().fit_transform([X])[0]."


@dataclass(frozen=True)
class Series:
    """Long series, one after the other, with their lengths.

    Attributes
    ----------
    values : ndarray of shape (steps, F)
        The steps of all series; a view of X where that is possible.
    lengths, starts : ndarray of shape (n,)
        Number of steps of each series, and position of its first step in `values`.
    single : bool
        Whether X was one series.
    flat : bool
        Whether X had one value per step, without an axis of features.
    spacing : int or None
        Time between two steps in nanoseconds, the median, if X has a time index.
    pages : Pages or None
        The memory map that `values` is a view of.
    """

    values: NDArray
    lengths: NDArray[np.int64]
    starts: NDArray[np.int64]
    single: bool
    flat: bool
    spacing: int | None = None
    pages: Pages | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    def blocks(self) -> Any:
        """Yield the values of all series in blocks (1, steps, F); none spans two series."""
        size = max(2, BLOCK // self.values.shape[1])
        for start, length in zip(self.starts, self.lengths, strict=True):
            for first in range(start, start + length, size):
                block = self.values[first : min(first + size, start + length)]
                if self.pages is not None:
                    self.pages.release(block.nbytes)
                yield block[None]


def read_series(estimator: BaseEstimator, X: Any, *, reset: bool) -> Series:
    """Read and check long series, and set or check the estimator's attributes that describe the input.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets `n_features_in_`, `feature_names_in_` and `_kind` when `reset`.
    X : array-like of shape (T,), (T, F) or (n, T, F), frame, or list of (T_i, F) or (T_i,) arrays or frames
        One series, if there are one or two dimensions; else several.
    reset : bool
        True in `fit`.
    """
    X = detached(X)
    if issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required. Use '.toarray()' to convert to a dense numpy "
            "array."
        )
    _refuse_time_columns(X)
    names = None if reset else getattr(estimator, "feature_names_in_", None)
    arrays, named = arrays_of(X, None, names)
    if arrays is None and _n_dimensions(X) <= 2:
        series = _read_one(estimator, X, named, reset)
    else:
        series = _read_several(estimator, X, reset, arrays)
    if reset:
        estimator._kind, estimator.n_features_in_ = "series", series.values.shape[1]
    elif series.values.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {series.values.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
            + (" Each row is a step of one series; for several series, pass a list of arrays." if series.single else "")
        )
    return series


def _read_one(estimator: BaseEstimator, X: Any, named: Any, reset: bool) -> Series:
    name = type(estimator).__name__
    spacing = check_times(X, "X")
    validate_data(estimator, named, reset=reset, skip_check_array=True, ensure_2d=False)
    if isinstance(X, np.ma.MaskedArray):
        X = unmasked(X)
    if isinstance(X, np.ndarray) and X.dtype.kind in "mM":
        as_array(X, "X")
    if is_frame(X):
        refuse_text_columns(X, "X")
    columns = [str(column) for column in X.columns] if hasattr(X, "iloc") and hasattr(X, "columns") else None
    pages = Pages.behind(X)
    X = check_array(X, ensure_2d=False, ensure_all_finite=False, ensure_min_features=0, input_name="X", estimator=name)
    if X.ndim == 2 and X.shape[1] == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required by {name}.")
    values = X[:, None] if X.ndim == 1 else X
    one = np.array([len(X)])
    series = Series(values, one, one * 0, True, X.ndim == 1, spacing, pages)
    _check_finite(series, columns)
    return series


def _read_several(estimator: BaseEstimator, X: Any, reset: bool, arrays: Any) -> Series:
    spacings = [check_times(frame, f"X[{i}]") for i, frame in enumerate(X)] if isinstance(X, list | tuple) else []
    sequences = read_sequences(estimator, X, reset=reset, exact=True, values=True)
    values, lengths, starts = sequences.values, sequences.lengths, sequences.starts
    if starts is None:  # a grid
        starts = np.arange(len(lengths)) * values.shape[1]
        values = values.reshape(-1, values.shape[2])
    flat = arrays is not None and arrays[0].ndim == 1
    return Series(values, lengths, starts, False, flat, spacings[0] if spacings else None, sequences.pages)


def _n_dimensions(X: Any) -> int:
    return len(X.shape) if hasattr(X, "shape") else np.ndim(X)


def _refuse_time_columns(X: Any) -> None:
    """Raise an error for a frame with a column of times, which belongs into the index."""
    frame = X[0] if isinstance(X, list | tuple) and len(X) else X
    if is_frame(frame) and hasattr(frame, "set_index") and (times := times_among(frame)):
        raise ValueError(
            f"X has times in the columns {times}. Set the times of the steps as the index: X.set_index({times[0]!r})."
        )


def _check_finite(series: Series, columns: list[str] | None) -> None:
    step = 0
    for block in series.blocks():
        with np.errstate(over="ignore", invalid="ignore"):
            single = block[0].astype(np.float32, copy=False)
            finite = bool(np.isfinite(single.sum())) or bool(np.isfinite(single).all())
        if not finite:
            row, column = (int(k) for k in np.argwhere(~np.isfinite(single))[0])
            place = f"at step {step + row}"
            if single.shape[1] > 1:
                place += f" in column {column if columns is None else repr(columns[column])}"
            if np.isnan(single).any() and not np.isinf(single).any():
                raise ValueError(f"Input X contains NaN.\nX has NaN {place}. {FILL}")
            raise ValueError(f"Input X contains infinity or a value too large for dtype('float32').\nX has it {place}.")
        step += len(single)


def joined(parts: list[Series]) -> Series:
    """Return all series of several sets of series."""
    steps = np.array([len(part.values) for part in parts])
    starts = [part.starts + first for part, first in zip(parts, first_steps(steps), strict=True)]
    values, lengths = np.concatenate([part.values for part in parts]), [part.lengths for part in parts]
    return Series(values, np.concatenate(lengths), np.concatenate(starts), False, False)

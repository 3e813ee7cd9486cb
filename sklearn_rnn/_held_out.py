"""Scores of sequences by estimators that were not fitted on them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import KFold, check_cv

from ._sequences import own_ends
from ._sklearn import _safe_indexing


def held_out_scores(estimator: Any, X: Any, y: Any, cv: Any) -> dict[Any, float]:
    """Score rows of X by clones of `estimator` that were fitted on other rows.

    Parameters
    ----------
    estimator : estimator with `score_samples`
        Cloned for each fold.
    X, y : array-like or list
        What `estimator` is fitted on.
    cv : int, splitter or iterable
        The folds.

    Returns
    -------
    scores : dict
        By the key of a row (see `row_keys`); the mean where it was held out more than once.
    """
    keys = row_keys(X)
    X, y = (data if data is None or hasattr(data, "columns") else _each(data) for data in (X, y))  # frames keep names
    scores: dict[Any, list[float]] = {}
    for train, test in _folds(cv, len(keys)):
        part = clone(estimator)
        with warnings.catch_warnings():  # the fit on all rows warns of what is wrong with them
            warnings.simplefilter("ignore", UserWarning)
            part.fit(_rows(X, train), None if y is None else _rows(y, train))
            for i, score in zip(test, part.score_samples(_rows(X, test)), strict=True):
                scores.setdefault(keys[i], []).append(float(score))
    return {key: sum(several) / len(several) for key, several in scores.items()}


def known_scores(scores: dict[Any, float], X: Any) -> NDArray[np.float64]:
    """Look up the score of each row of X; NaN where it has none."""
    return np.array([scores.get(key, np.nan) for key in row_keys(X)])


def _folds(cv: Any, n: int) -> Iterator[tuple[NDArray, NDArray]]:
    if isinstance(cv, int | np.integer):
        cv = KFold(min(int(cv), n), shuffle=True, random_state=0)
    for train, test in check_cv(cv).split(np.zeros(n)):
        yield np.arange(n)[train], np.arange(n)[test]


def _rows(X: Any, rows: NDArray) -> Any:
    """Take rows out: as a slice where they are consecutive, since a slice of a memory map is not read."""
    if (np.diff(rows) == 1).all():
        return _safe_indexing(X, slice(int(rows[0]), int(rows[-1]) + 1))
    return _safe_indexing(X, rows)


def row_keys(X: Any) -> list[Any]:
    """Return what tells the sequences of X apart: equal where all values are equal, in any dtype or container."""
    return [row if isinstance(row, str) else _digest(row) for row in map(_values, _each(X))]


def row_lengths(X: Any) -> NDArray[np.int64]:
    """Steps of each sequence of X; none for strings."""
    return np.array([len(row) for row in map(_values, _each(X)) if not isinstance(row, str)], dtype=np.int64)


def _each(X: Any) -> Any:
    return X if isinstance(X, list | tuple) else np.asarray(X)


def _values(row: Any) -> Any:
    """Return a sequence as float64, without a tail of steps that are all NaN; words as they are."""
    if isinstance(row, str):
        return row
    try:
        values = np.asarray(row, dtype=np.float64)
    except (TypeError, ValueError):
        return row
    return values[: own_ends(values[None])[0]] if values.ndim == 2 else values


def _digest(row: Any) -> Any:
    if isinstance(row, np.ndarray) and row.dtype == np.float64:
        return blake2b((row + 0.0).tobytes(), digest_size=16).digest()  # -0.0 is 0.0
    return repr(row if isinstance(row, list | tuple) else np.asarray(row, dtype=object).tolist())

"""Splits of sequences of items: the last items of each, or what happened after a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator

from .._sklearn import COUNT, _num_samples, validate_params
from ..sequences import rows_of_items, without_last


@validate_params({"n_last": COUNT}, prefer_skip_nested_validation=True)
def leave_last_out(X: Any, n_last: int = 1) -> tuple[list[NDArray], list[Any]]:
    """Split each sequence of items into what came before, and its last items.

    Parameters
    ----------
    X : list of sequences of items, or array-like of shape (n, T)
        What each user did, in the order of time.
    n_last : int, default=1
        Number of items that are left out. Sequences with no more items are left out, with a warning.

    Returns
    -------
    X_past : list of ndarray
        The sequences without their last items.
    y_next : list
        The last item of each sequence; an array of items if `n_last` is more than 1.

    Raises
    ------
    ValueError
        If no sequence has more than `n_last` items.

    Examples
    --------
    >>> from sklearn_rnn.model_selection import leave_last_out
    >>> X_past, y_next = leave_last_out([["tea", "milk", "sugar"], ["milk", "tea"]])
    >>> [x.tolist() for x in X_past], y_next
    ([['tea', 'milk'], ['milk']], ['sugar', 'tea'])
    """
    return without_last(X, "leave_last_out", n_last)


class LeaveLastOut(BaseCrossValidator):
    """Cross-validation in which all users train, and their next items are the test.

    X and y are those of `leave_last_out`. A recommender learns from X, the pasts, and never sees y; the scorer compares
    what it recommends after these pasts with y. So there is one split, in which all rows train and all rows test. For
    an estimator that learns from y, it would be a leak.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_rnn import RNNNextItemRecommender
    >>> from sklearn_rnn.model_selection import LeaveLastOut, leave_last_out
    >>> X = [["tea", "milk", "sugar"], ["milk", "sugar", "tea"]] * 10
    >>> search = GridSearchCV(
    ...     RNNNextItemRecommender(max_epochs=1, random_state=0), {"hidden_size": [4, 8]}, cv=LeaveLastOut()
    ... )
    >>> search.fit(*leave_last_out(X)).n_splits_
    1
    """

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray, NDArray]]:
        """Generate row numbers of training and test sets.

        Parameters
        ----------
        X : list of sequences of items, of n users
            Pasts.
        y : list of n items
            What came next.
        groups : None
            Ignored.

        Yields
        ------
        train, test : ndarray of shape (n,)
            All rows, twice.

        Raises
        ------
        ValueError
            If y is None: the last items of X would be learned, and then be the test.
        """
        if y is None:
            raise ValueError("y should be the next item of each sequence: X, y = leave_last_out(X).")
        rows = np.arange(_num_samples(X))
        yield rows, rows

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Count the splits.

        Parameters
        ----------
        X, y, groups : None
            Ignored.

        Returns
        -------
        n_splits : int
            1.
        """
        return 1


def split_by_time(X: Any, times: Any, cutoff: Any) -> tuple[list[NDArray], list[NDArray], list[Any]]:
    """Split sequences of items at a point in time, as in use: learn from the past of all, then predict.

    Parameters
    ----------
    X : list of sequences of items
        What each user did, in the order of time.
    times : list of arrays
        Time of each item, as numbers or datetimes; `datasets.from_long_frame(..., return_times=True)` returns it.
    cutoff : number or datetime
        Items before this time are the past.

    Returns
    -------
    X_train : list of ndarray
        Pasts of all users who have one, to learn from.
    X_past : list of ndarray
        Pasts of the users who also have later items.
    y_next : list
        The first later item of each of these users.

    Raises
    ------
    ValueError
        If times do not ascend or do not fit X, or no user has items before and after the cutoff.

    Examples
    --------
    >>> from sklearn_rnn.model_selection import split_by_time
    >>> X_train, X_past, y_next = split_by_time([["a", "b", "c"], ["b"]], [[1, 2, 8], [3]], 5)
    >>> [x.tolist() for x in X_train], [x.tolist() for x in X_past], y_next
    ([['a', 'b'], ['b']], [['a', 'b']], ['c'])
    """
    rows = rows_of_items(X, "split_by_time")
    clocks = [np.asarray(clock) for clock in times]
    if [len(row) for row in rows] != [len(clock) for clock in clocks]:
        raise ValueError("times should have a time for each item of X.")
    for i, clock in enumerate(clocks):
        if (clock[1:] < clock[:-1]).any():
            raise ValueError(f"times[{i}] does not ascend; sort each sequence of X by time.")
    counts = [
        int((clock < np.asarray(cutoff, clock.dtype if clock.dtype.kind in "mM" else None)).sum()) for clock in clocks
    ]
    X_train = [row[:n] for row, n in zip(rows, counts, strict=True) if n]
    both = [(row[:n], row[n : n + 1].tolist()[0]) for row, n in zip(rows, counts, strict=True) if 0 < n < len(row)]
    if not both:
        raise ValueError(f"No sequence of X has items before and after cutoff={cutoff!r}.")
    return X_train, [past for past, _ in both], [item for _, item in both]

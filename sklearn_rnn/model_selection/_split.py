"""Splits of partially labeled data."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.model_selection import BaseCrossValidator, KFold, PredefinedSplit, TimeSeriesSplit, check_cv
from sklearn.utils.validation import check_consistent_length

from .._sklearn import MARKER, HasMethods, Interval, _safe_indexing, validate_parameter_constraints
from ..tasks import Target, read_groups, read_step_target, read_target


class PartiallyLabeledSplit(BaseCrossValidator):
    """Cross-validation that tests on labeled rows only, and trains on labeled and unlabeled rows.

    A splitter of scikit-learn divides the labeled rows. Unlabeled rows are added to each training set, except those
    that share a group with a test row. With a `TimeSeriesSplit`, unlabeled rows after the first labeled row that
    follows the training rows are not added either, because they would not be known yet.

    Parameters
    ----------
    cv : int or splitter, default=5
        An int is the number of folds: stratified by class, or not stratified for numbers (floats that are not whole, or
        one of which occurs less often than there are folds; or several columns). Otherwise any splitter, such as
        ``GroupKFold(3)``, which gets the labeled rows only. The folds of a `PredefinedSplit` are for all rows.
    missing_label : int, float, str, None or nan, default=-1
        Marks the unlabeled rows of y; NaN for a regressor. If y has several columns, rows in which only some numbers
        are known are always in the training set.
    per_step : bool, default=False
        Whether y has a label for each step: a list of arrays, or an array (n, T). A row counts as labeled if one of its
        steps is, and an int as `cv` means folds that are not stratified.

    Raises
    ------
    ValueError
        If y is None or has no labeled row, or the splitter raises an error for the labeled rows.

    Notes
    -----
    A splitter of scikit-learn alone would put unlabeled rows into test folds, where the marker counts as a further
    class. With metadata routing, `groups` is requested.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.model_selection import PartiallyLabeledSplit
    >>> X = np.arange(8.0)[:, None]
    >>> y = np.array([0, -1, 0, -1, 1, -1, 1, -1])
    >>> for train, test in PartiallyLabeledSplit(2).split(X, y):
    ...     print(train, test)
    [1 2 3 5 6 7] [0 4]
    [0 1 3 4 5 7] [2 6]
    """

    __metadata_request__split = {"groups": True}
    _parameter_constraints: dict[str, list[Any]] = {
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split", "get_n_splits"])],
        "missing_label": MARKER,
        "per_step": ["boolean"],
    }

    def __init__(self, cv: Any = 5, missing_label: Any = -1, *, per_step: bool = False):
        self.cv = cv
        self.missing_label = missing_label
        self.per_step = per_step

    @property
    def shuffle(self) -> bool:
        """Whether the splitter shuffles; successive halving reads it."""
        return getattr(self.cv, "shuffle", True)

    @property
    def random_state(self) -> Any:
        """Random state of the splitter; successive halving needs an int."""
        return getattr(self.cv, "random_state", 0)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray, NDArray]]:
        """Generate row numbers of training and test sets.

        Parameters
        ----------
        X : array-like or list of arrays, of n samples
            Samples.
        y : array-like of shape (n,) or (n, k), or list of arrays
            Labels, or numbers; missing ones are `missing_label`.
        groups : array-like of shape (n,), default=None
            Groups of all rows, labeled and unlabeled.

        Yields
        ------
        train : ndarray
            Rows to train on, labeled and unlabeled, ascending.
        test : ndarray
            Rows to test on, all labeled.
        """
        self._validate()
        check_consistent_length(X, y, groups)
        target, groups = self._read(y, groups)
        labeled, unlabeled = target.labeled, np.flatnonzero(target.missing)
        splitter = self._splitter(target)
        for train, test in splitter.split(*_rows(target, X, groups)):
            kept = unlabeled
            if groups is not None:
                kept = kept[~np.isin(groups[kept], groups[labeled[test]])]
            if isinstance(splitter, TimeSeriesSplit):
                kept = kept[kept < labeled[train[-1] + 1]]
            yield np.sort(np.concatenate([labeled[train], kept])), labeled[test]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Count the splits.

        Parameters
        ----------
        X : array-like or list of arrays, of n samples, default=None
            Samples.
        y : array-like of shape (n,), default=None
            Labels; needed if the number of splits depends on rows or groups.
        groups : array-like of shape (n,), default=None
            Groups of all rows.

        Returns
        -------
        n_splits : int
        """
        self._validate()
        if y is None:
            return int(self.cv) if isinstance(self.cv, Integral) else self.cv.get_n_splits(X, y, groups)
        target, groups = self._read(y, groups)
        return self._splitter(target).get_n_splits(*_rows(target, X, groups))

    def _validate(self) -> None:
        parameters = {"cv": self.cv, "missing_label": self.missing_label, "per_step": self.per_step}
        validate_parameter_constraints(self._parameter_constraints, parameters, type(self).__name__)

    def _read(self, y: Any, groups: Any) -> tuple[Target, NDArray | None]:
        read = read_step_target if self.per_step else read_target
        target = read(y, self.missing_label, type(self).__name__)
        return target, None if groups is None else read_groups(groups)

    def _splitter(self, target: Target) -> Any:
        """Return the splitter of the labeled rows."""
        if isinstance(self.cv, PredefinedSplit):
            return PredefinedSplit(self.cv.test_fold[target.labeled])
        classes = not (isinstance(self.cv, Integral) and _are_numbers(target.known, int(self.cv)))
        return check_cv(self.cv, target.known, classifier=classes)


def _are_numbers(known: NDArray, n_splits: int) -> bool:
    """Whether whole floats are numbers rather than classes: one of them is too rare to be stratified."""
    return (
        known.ndim == 1 and known.dtype.kind == "f" and bool(np.unique(known, return_counts=True)[1].min() < n_splits)
    )


def _rows(target: Target, X: Any, groups: NDArray | None) -> tuple[Any, NDArray, Any]:
    """Return X, y and groups of the labeled rows, for a splitter."""
    rows = target.labeled
    return None if X is None else _safe_indexing(X, rows), target.known, None if groups is None else groups[rows]


def splitter_for(estimator: Any, cv: Any, missing_label: Any) -> PartiallyLabeledSplit:
    """Return the splitter of a `cv` parameter; an int means plain folds for a regressor."""
    if isinstance(cv, PartiallyLabeledSplit):
        return cv
    per_step = getattr(estimator, "task_name", None) == "tagging"
    if isinstance(cv, Integral) and is_regressor(estimator):
        cv = KFold(int(cv))
    return PartiallyLabeledSplit(cv, missing_label, per_step=per_step)

"""Predictions for labeled rows by estimators that were not trained on them."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from .._sklearn import MARKER, HasMethods, _check_method_params, _safe_indexing, validate_params
from .._warnings import warn
from ..datasets._hide import put_labels
from ..tasks import read_target
from ._labeled import check_marker
from ._split import splitter_for

BY_CLASS = ("predict_proba", "predict_log_proba", "decision_function")


@validate_params(
    {
        "estimator": [HasMethods("fit")],
        "y": ["array-like"],
        "groups": ["array-like", None],
        "method": [str],
        "n_jobs": [Integral, None],
        "params": [dict, None],
        "missing_label": MARKER,
    },
    prefer_skip_nested_validation=False,
)
def cross_val_predict(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    cv: Any = 5,
    method: str = "predict",
    n_jobs: int | None = None,
    params: dict[str, Any] | None = None,
    missing_label: Any = -1,
) -> NDArray:
    """Predict each labeled row with an estimator that was not trained on it.

    Parameters
    ----------
    estimator : estimator
        Any semi-supervised estimator, which is cloned for each fold.
    X : array-like or list of arrays, of n samples
        Samples.
    y : array-like of shape (n,)
        Labels; unlabeled rows have `missing_label`.
    groups : array-like of shape (n,), default=None
        Groups of all rows.
    cv : int or splitter, default=5
        As for `PartiallyLabeledSplit`, or a `PartiallyLabeledSplit`. Must test each labeled row once.
    method : str, default="predict"
        Method that is called, such as ``"predict_proba"``.
    n_jobs : int, default=None
        Number of folds that are computed in parallel.
    params : dict, default=None
        Passed to `fit`; of values with n entries, those of the training rows.
    missing_label : int, float, str, None or nan, default=-1
        Marks the unlabeled rows of y.

    Returns
    -------
    predictions : ndarray of shape (n,) or (n, n_classes)
        One row for each row of X. Unlabeled rows have `missing_label`, or NaN if `method` is not ``"predict"``. The
        columns are the classes among the labels, in sorted order.

    Raises
    ------
    ValueError
        If a labeled row is not tested exactly once, or `missing_label` is not that of the estimator.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from sklearn_rnn.model_selection import cross_val_predict
    >>> X, y = np.array([[0], [1], [2], [3], [7], [8], [9], [10]]), np.array([0, 0, 0, -1, -1, 1, 1, 1])
    >>> cross_val_predict(LabelSpreading(), X, y, cv=3)
    array([ 0,  0,  0, -1, -1,  1,  1,  1])
    """
    check_marker(estimator, missing_label)
    splitter = splitter_for(estimator, cv, missing_label)
    if splitter.per_step:
        raise ValueError(
            "cross_val_predict is not for labels of steps; fit the tagger on each split of PartiallyLabeledSplit(cv, "
            "per_step=True)."
        )
    target = read_target(y, missing_label, "cross_val_predict")
    y = target.values
    splits = list(splitter.split(X, y, groups))
    tested = np.concatenate([test for _, test in splits])
    if not np.array_equal(np.sort(tested), target.labeled):
        raise ValueError("cross_val_predict needs a cv that tests each labeled sample once.")
    classes = np.unique(target.known)
    parts = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_predict)(clone(estimator), X, y, train, test, method, params or {}, classes)
        for train, test in splits
    )
    predicted = np.concatenate(parts)
    if len(tested) == len(y):  # all rows have a prediction
        return predicted[np.argsort(tested)]
    return put_labels(predicted, tested, len(y), missing_label if method == "predict" else np.nan)


def _fit_and_predict(
    estimator: Any,
    X: Any,
    y: NDArray,
    train: NDArray,
    test: NDArray,
    method: str,
    params: dict[str, Any],
    classes: NDArray,
) -> NDArray:
    params = _check_method_params(X, params, indices=train)
    estimator.fit(_safe_indexing(X, train), y[train], **params)
    predicted = getattr(estimator, method)(_safe_indexing(X, test))
    return _in_columns(predicted, estimator.classes_, method, classes) if method in BY_CLASS else predicted


def _in_columns(predicted: NDArray, seen: NDArray, method: str, classes: NDArray) -> NDArray:
    """Return a column for each class, also for classes that are not in the fold."""
    if len(seen) == len(classes):
        return predicted
    if predicted.ndim == 1:
        raise ValueError(f"A training fold has {len(seen)} of {len(classes)} classes; {method} needs a stratified cv.")
    absent = 0.0 if method == "predict_proba" else np.finfo(predicted.dtype).min
    warn(
        f"A training fold has {len(seen)} of {len(classes)} classes; the others get {absent:.3g}.",
        RuntimeWarning,
    )
    columns = np.full((len(predicted), len(classes)), absent, predicted.dtype)
    columns[:, np.searchsorted(classes, seen)] = predicted
    return columns

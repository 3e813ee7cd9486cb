"""Unlabeled rows as a parameter of an estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from .._sklearn import MARKER, HasMethods, _num_samples
from ..datasets._hide import dtype_with_marker
from ..tasks import own_markers, read_target
from ._delegate import Delegate
from ._labeled import check_marker
from ._same_form import check_same_form


class WithUnlabeled(Delegate):
    """Semi-supervised estimator that has its unlabeled rows as a parameter, and is fitted on labeled rows.

    For scikit-learn it is a supervised classifier. Use it in `BaggingClassifier`, `OneVsRestClassifier`,
    `VotingClassifier` and others, which would treat the marker of unlabeled rows as a class.

    Put a Pipeline inside it: ``WithUnlabeled(make_pipeline(scaler, classifier), X_unlabeled)``. As a step of a
    Pipeline, `WithUnlabeled` would get `X` transformed, but not `X_unlabeled`.

    Parameters
    ----------
    estimator : estimator
        Any semi-supervised classifier or regressor, which is cloned in `fit`.
    X_unlabeled : array-like or list of arrays
        Unlabeled samples, which are added to those of each `fit`. Each clone copies them.
    missing_label : int, float, str, None or nan, default=-1
        Marks unlabeled rows; must be the marker of `estimator`.

    Attributes
    ----------
    estimator_ : estimator
        The fitted copy of the estimator.
    classes_ : ndarray of shape (n_classes,)
        Classes of the fitted estimator.
    n_features_in_ : int
        Number of features of the fitted estimator.

    Raises
    ------
    ValueError
        If y has unlabeled rows, `missing_label` is not that of the estimator, or X and `X_unlabeled` differ in form or,
        in nearly all rows, several times in scale.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import BaggingClassifier
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from sklearn_rnn.model_selection import WithUnlabeled
    >>> X, y = np.arange(12.0)[:, None], np.array([0, -1, -1] * 2 + [1, -1, -1] * 2)
    >>> clf = WithUnlabeled(LabelSpreading(), X[y == -1])
    >>> BaggingClassifier(clf, random_state=0).fit(X[y != -1], y[y != -1]).predict([[1.0], [10.0]])
    array([0, 1])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods("fit")],
        "X_unlabeled": ["array-like"],
        "missing_label": MARKER,
    }

    _fit_takes_metadata = False

    def __init__(self, estimator: Any, X_unlabeled: Any, *, missing_label: Any = -1):
        self.estimator = estimator
        self.X_unlabeled = X_unlabeled
        self.missing_label = missing_label

    def fit(self, X: Any, y: Any) -> WithUnlabeled:
        """Fit a copy of the estimator on `X` and the unlabeled rows.

        Parameters
        ----------
        X : array-like or list of arrays, of n samples
            Samples, in the form of `X_unlabeled`.
        y : array-like of shape (n,)
            Labels.

        Returns
        -------
        self : WithUnlabeled
        """
        self._validate_params()
        check_marker(self.estimator, self.missing_label)
        target = read_target(y, self.missing_label, type(self).__name__, needs_label=False)
        if target.missing.any():
            raise ValueError(
                f"y has unlabeled rows, but {type(self).__name__} has them in X_unlabeled and is fitted on labeled "
                "rows, because the estimator around it may treat the marker as a class; pass X[labeled], y[labeled]."
            )
        check_same_form(X, self.X_unlabeled, type(self).__name__)
        y = target.known
        dtype = dtype_with_marker(y, self.missing_label)
        markers = np.full((_num_samples(self.X_unlabeled), *y.shape[1:]), self.missing_label, dtype)
        y = np.concatenate([y.astype(dtype), markers])
        with own_markers():
            self.estimator_ = clone(self.estimator).fit(_joined(X, self.X_unlabeled), y)
        return self


def _joined(X: Any, X_unlabeled: Any) -> Any:
    """Return the rows of both, in the form of X."""
    if hasattr(X, "iloc"):
        import pandas as pd

        if not hasattr(X_unlabeled, "iloc"):
            rows = X_unlabeled
            X_unlabeled = pd.DataFrame(np.asarray(rows), columns=X.columns) if X.ndim == 2 else pd.Series(list(rows))
        return pd.concat([X, X_unlabeled])
    if hasattr(X, "vstack"):
        import polars as pl

        if not hasattr(X_unlabeled, "vstack"):
            X_unlabeled = pl.DataFrame(np.asarray(X_unlabeled), schema=X.columns)
        return pl.concat([X, X_unlabeled], how="vertical_relaxed")
    if any(isinstance(rows, list | tuple) or np.asarray(rows).dtype == object for rows in (X, X_unlabeled)):
        return [*X, *X_unlabeled]
    return np.concatenate([np.asarray(X), np.asarray(X_unlabeled)])  # of arrays or torch tensors

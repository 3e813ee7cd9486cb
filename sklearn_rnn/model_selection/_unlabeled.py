"""Unlabeled rows that come with the estimator instead of with the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from .._sklearn import MARKER, HasMethods, _num_samples
from ..datasets._hide import dtype_with_marker
from ..tasks import own_markers, read_target
from ._alike import check_alike
from ._delegate import Delegate
from ._labeled import check_marker


class WithUnlabeled(Delegate):
    """Semi-supervised estimator that brings its unlabeled rows along, and is fitted on labeled ones.

    To all of scikit-learn it is an ordinary supervised classifier: `BaggingClassifier`,
    `OneVsRestClassifier`, `VotingClassifier` and others, which take the marker of unlabeled rows for a
    class, get labeled rows only.

    A Pipeline goes inside: ``WithUnlabeled(make_pipeline(scaler, classifier), X_unlabeled)``. As a step of one,
    `WithUnlabeled` would get `X` transformed and `X_unlabeled` not.

    Parameters
    ----------
    estimator : estimator
        Any semi-supervised classifier; cloned in `fit`.
    X_unlabeled : array-like or list of arrays
        Unlabeled samples, added to those of each `fit`. Each clone copies them.
    missing_label : int, float, str, None or nan, default=-1
        Marks unlabeled rows, as for `estimator`.

    Attributes
    ----------
    estimator_ : estimator
        The copy that was fitted.
    classes_ : ndarray of shape (n_classes,)
        Its classes.
    n_features_in_ : int
        Its features.

    Raises
    ------
    ValueError
        y has unlabeled rows, `missing_label` is not the estimator's, or X and `X_unlabeled` differ in form or, nearly
        all rows of them, several times in scale.

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
                f"y has unlabeled rows, but {type(self).__name__} brings its own and takes labeled ones only, "
                "or else what it is in counts the marker as a class; pass X[labeled], y[labeled]."
            )
        check_alike(X, self.X_unlabeled, type(self).__name__)
        y = target.known
        dtype = dtype_with_marker(y, self.missing_label)
        markers = np.full((_num_samples(self.X_unlabeled), *y.shape[1:]), self.missing_label, dtype)
        y = np.concatenate([y.astype(dtype), markers])
        with own_markers():
            self.estimator_ = clone(self.estimator).fit(_joined(X, self.X_unlabeled), y)
        return self


def _joined(X: Any, others: Any) -> Any:
    """Rows of both."""
    if hasattr(X, "iloc"):
        import pandas as pd

        if not hasattr(others, "iloc"):
            others = pd.DataFrame(np.asarray(others), columns=X.columns) if X.ndim == 2 else pd.Series(list(others))
        return pd.concat([X, others])
    if hasattr(X, "vstack"):
        import polars as pl

        others = others if hasattr(others, "vstack") else pl.DataFrame(np.asarray(others), schema=X.columns)
        return pl.concat([X, others], how="vertical_relaxed")
    if any(isinstance(rows, list | tuple) or np.asarray(rows).dtype == object for rows in (X, others)):
        return [*X, *others]
    return np.concatenate([np.asarray(X), np.asarray(others)])  # tensors too

"""Learning from a limited number of labels."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from sklearn.base import clone, is_regressor

from .._sklearn import COUNT, MARKER, HasMethods
from ..datasets import hide_labels
from ..tasks import own_markers
from ._delegate import Delegate
from ._labeled import check_marker


class LabelBudget(Delegate):
    """Estimator that is fitted with a limited number of labels; it hides the others.

    Its `n_labeled` can be searched: ``validation_curve(LabelBudget(clf), param_name="n_labeled", ...)`` measures the
    label efficiency of `clf`.

    Parameters
    ----------
    estimator : estimator
        Any semi-supervised classifier or regressor, which is cloned in `fit`.
    n_labeled : int, default=None
        Number of labels to keep; all by default.
    stratify : bool, default=True
        Whether each class keeps its fraction of the labels, and at least one.
    missing_label : int, float, str, None or nan, default=-1
        Marks unlabeled rows; must be the marker of `estimator`.
    random_state : int, RandomState or None, default=None
        Seeds the choice of the labels to keep.

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
        If `missing_label` is not that of the estimator, or `n_labeled` labels cannot be kept; see
        `sklearn_rnn.datasets.hide_labels`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import validation_curve
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from sklearn_rnn.model_selection import LabelBudget
    >>> X, y = load_iris(return_X_y=True)
    >>> budget = LabelBudget(LabelSpreading(), random_state=0)
    >>> _, scores = validation_curve(budget, X, y, param_name="n_labeled", param_range=[3, 30])
    >>> scores.mean(1).round(2)
    array([0.75, 0.95])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods("fit")],
        "n_labeled": [*COUNT, None],
        "stratify": ["boolean"],
        "missing_label": MARKER,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        n_labeled: int | None = None,
        *,
        stratify: bool = True,
        missing_label: Any = -1,
        random_state: Any = None,
    ):
        self.estimator = estimator
        self.n_labeled = n_labeled
        self.stratify = stratify
        self.missing_label = missing_label
        self.random_state = random_state

    def fit(self, X: Any, y: Any, **fit_params: Any) -> LabelBudget:
        """Hide labels, and fit a copy of the estimator.

        Parameters
        ----------
        X : array-like or list of arrays, of n samples
            Samples.
        y : array-like of shape (n,)
            Labels; unlabeled rows have `missing_label`.
        **fit_params : dict
            Passed to the estimator's `fit`.

        Returns
        -------
        self : LabelBudget
        """
        self._validate_params()
        check_marker(self.estimator, self.missing_label)
        context: Any = nullcontext()
        if self.n_labeled is not None:
            y = hide_labels(
                y,
                self.n_labeled,
                stratify=self.stratify and not is_regressor(self.estimator),
                missing_label=self.missing_label,
                random_state=self.random_state,
            )
            context = own_markers()
        with context:
            self.estimator_ = clone(self.estimator).fit(X, y, **self._routed("fit", fit_params))
        return self

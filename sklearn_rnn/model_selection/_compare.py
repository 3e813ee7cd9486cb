"""Comparing an estimator with a supervised one, to see whether the unlabeled data help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import cross_validate

from .._sklearn import MARKER, HasMethods, Interval, validate_params
from ..estimators import LabeledEstimator
from ..tasks import read_step_target, read_target
from ._labeled import check_marker
from ._split import splitter_for


@dataclass(frozen=True)
class SupervisedComparison:
    """Scores with and without the unlabeled rows, on the same splits.

    Attributes
    ----------
    scores : ndarray of shape (n_splits,)
        Scores with the unlabeled rows.
    supervised_scores : ndarray of shape (n_splits,)
        Scores without them.
    gain : float
        Mean difference of the scores.
    interval : tuple of float
        Confidence interval of the gain, from a t-test for overlapping training sets.
    confidence : float
        Confidence level of the interval.
    """

    scores: NDArray
    supervised_scores: NDArray
    gain: float
    interval: tuple[float, float]
    confidence: float

    def __str__(self) -> str:
        low, high = self.interval
        verdict = "helped" if low > 0 else "hurt" if high < 0 else "made no difference that these splits can show"
        without, with_them = self.supervised_scores.mean(), self.scores.mean()
        return (
            f"The unlabeled data {verdict}: {without:.3f} without, {with_them:.3f} with, "
            f"gain {self.gain:+.3f} [{low:+.3f}, {high:+.3f}] ({self.confidence:.0%}, {len(self.scores)} splits)"
        )


@validate_params(
    {
        "estimator": [HasMethods("fit")],
        "y": ["array-like"],
        "supervised": [HasMethods("fit"), None],
        "groups": ["array-like", None],
        "scoring": [str, callable, None],
        "n_jobs": [Integral, None],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "missing_label": MARKER,
    },
    prefer_skip_nested_validation=False,
)
def compare_to_supervised(
    estimator: Any,
    X: Any,
    y: Any,
    cv: Any = 5,
    *,
    supervised: Any = None,
    groups: Any = None,
    scoring: Any = None,
    n_jobs: int | None = None,
    confidence: float = 0.95,
    missing_label: Any = -1,
) -> SupervisedComparison:
    """Compare an estimator with a supervised one on the same splits, to see whether the unlabeled data help.

    Parameters
    ----------
    estimator : estimator
        Any semi-supervised estimator.
    X : array-like or list of arrays, of n samples
        Samples.
    y : array-like of shape (n,), or list of arrays
        Labels; unlabeled rows have `missing_label`. Labels of steps, as a tagger reads them, if `cv` is a
        `PartiallyLabeledSplit` with ``per_step=True``.
    cv : int or splitter, default=5
        As for `PartiallyLabeledSplit`, or a `PartiallyLabeledSplit`. For a tagger, an int also means labels of steps.
    supervised : estimator, default=None
        The estimator to compare with, which is fitted on the labeled rows only. By default a copy of `estimator`, in
        which each `SemiSupervisedRNNClassifier`, `SemiSupervisedRNNRegressor` and `SemiSupervisedRNNTagger` has
        ``objective="supervised"`` and no `pretraining`. Required if `estimator` is a search over these parameters.
    groups : array-like of shape (n,), default=None
        Groups of all rows.
    scoring : str or scorer, default=None
        By default, the `score` of the estimator.
    n_jobs : int, default=None
        Number of splits that are computed in parallel.
    confidence : float, default=0.95
        Confidence level of the interval.
    missing_label : int, float, str, None or nan, default=-1
        Marks the unlabeled rows of y.

    Returns
    -------
    comparison : SupervisedComparison
        The scores and the interval; prints as a sentence.

    Raises
    ------
    ValueError
        If there are fewer than two splits, or `missing_label` is not that of the estimator.

    References
    ----------
    Nadeau and Bengio (2003), "Inference for the generalization error", Machine Learning 52.

    Examples
    --------
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_rnn.datasets import hide_labels
    >>> from sklearn_rnn.model_selection import compare_to_supervised
    >>> X, y = load_iris(return_X_y=True)
    >>> print(compare_to_supervised(LabelSpreading(), X, hide_labels(y, 30, random_state=0)))
    The unlabeled data made no difference that these splits can show: ...
    """
    check_marker(estimator, missing_label)
    splitter = splitter_for(estimator, cv, missing_label)
    if splitter.per_step:
        target = read_step_target(y, missing_label, "compare_to_supervised")
    else:
        target = read_target(y, missing_label, "compare_to_supervised")
        y = target.values
    splits = list(splitter.split(X, y, groups))
    labeled_splits = [(np.intersect1d(train, target.with_labels), test) for train, test in splits]
    if len(splits) < 2:
        raise ValueError(f"compare_to_supervised needs two splits or more, got {len(splits)}; raise cv.")
    supervised = _without_objective(estimator) if supervised is None else supervised
    scores, supervised_scores = (
        cross_validate(compared, X, y, cv=rows, scoring=scoring, n_jobs=n_jobs, error_score="raise")["test_score"]
        for compared, rows in ((estimator, splits), (supervised, labeled_splits))
    )
    ratio = float(np.mean([len(test) / len(train) for train, test in labeled_splits]))
    gain, interval = _interval(scores - supervised_scores, ratio, confidence)
    return SupervisedComparison(scores, supervised_scores, gain, interval, confidence)


def _without_objective(estimator: Any) -> Any:
    """Copy an estimator, and make every recurrent classifier or regressor in it supervised."""
    estimator = clone(estimator)
    params = estimator.get_params()
    nets = [part for part in [estimator, *params.values()] if isinstance(part, LabeledEstimator)]
    for key, options in _searched(params):
        of_nets = nets and {"objective", "pretraining"} & set(key.split("__"))
        if of_nets or any(isinstance(option, LabeledEstimator) for option in options):
            raise ValueError(
                f"estimator searches over {key}, so a supervised copy of it cannot be made; pass the estimator to "
                "compare with as supervised."
            )
    for net in nets:
        net.set_params(objective="supervised", pretraining=None)
    return estimator


def _searched(params: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each parameter that a search among `params` varies, and the list of its values (empty if not a list)."""
    for name, grid in params.items():
        if name.rpartition("__")[2] in ("param_grid", "param_distributions") and grid is not None:
            for options_by_key in [grid] if isinstance(grid, dict) else grid:
                for key, options in options_by_key.items():
                    yield key, options if isinstance(options, list | tuple) else []


def _interval(differences: NDArray, ratio: float, confidence: float) -> tuple[float, tuple[float, float]]:
    """Mean and confidence interval; `ratio` is the number of test rows per training row (Nadeau 2003)."""
    k = len(differences)
    mean, variance = float(differences.mean()), differences.var(ddof=1)
    half = float(stats.t.ppf((1 + confidence) / 2, k - 1) * np.sqrt((1 / k + ratio) * variance))
    return mean, (mean - half, mean + half)

"""Plots of scores against the number of labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit, cross_validate

from .._sklearn import Interval, validate_parameter_constraints
from ..model_selection import LabelBudget, PartiallyLabeledSplit
from ._axes import axes_or_new


class LabelEfficiencyDisplay:
    """Plot of scores against the number of labels, for one or several estimators.

    Make it with `from_estimator` or `from_estimators`.

    Parameters
    ----------
    n_labeled : array-like of shape (n_budgets,)
        Numbers of labels.
    scores : dict of str to array-like of shape (n_budgets, n_draws)
        Test scores of each estimator by its name, with a column for each draw of the labels.
    score_name : str, default="accuracy"
        Name of the scores.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the plot.
    lines_ : dict of str to matplotlib Line2D
        The line of each estimator by its name.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from sklearn_rnn.plotting import LabelEfficiencyDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> display = LabelEfficiencyDisplay.from_estimators(
    ...     {"spreading": LabelSpreading(), "wide": LabelSpreading(gamma=0.1)}, X, y, n_labeled=[3, 30]
    ... )
    >>> display.scores["spreading"].shape
    (2, 5)
    """

    def __init__(self, n_labeled: Any, scores: Mapping[str, Any], *, score_name: str = "accuracy"):
        self.n_labeled = n_labeled
        self.scores = scores
        self.score_name = score_name

    def plot(self, ax: Any = None) -> LabelEfficiencyDisplay:
        """Draw the mean over the draws, and bars of one standard deviation.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        self : LabelEfficiencyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes_or_new(ax)
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, {}
        for k, (name, scores) in enumerate(self.scores.items()):
            self.lines_[name] = self._draw(name, np.asarray(scores), k - (len(self.scores) - 1) / 2)
        ax.set_xscale("log")
        ax.set_xticks(self.n_labeled, [f"{n:,}" for n in self.n_labeled])
        ax.minorticks_off()
        n_draws = np.shape(next(iter(self.scores.values())))[1]
        ax.set_xlabel("labels")
        ax.set_ylabel(f"{self.score_name} (mean ± sd of {n_draws} draws)")
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
        return self

    def _draw(self, name: str, scores: NDArray, place: float) -> Any:
        """Draw the line of one estimator, shifted a little so that the bars of several do not overlap."""
        deviation = scores.std(1, ddof=1) if scores.shape[1] > 1 else None
        x = np.asarray(self.n_labeled) * 1.03**place
        return self.ax_.errorbar(x, scores.mean(1), deviation, marker="o", capsize=3, elinewidth=1, label=name)[0]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_labeled: Sequence[int],
        name: str | None = None,
        **parameters: Any,
    ) -> LabelEfficiencyDisplay:
        """Measure the scores of one estimator, and draw them.

        Parameters
        ----------
        estimator : estimator
            Any semi-supervised classifier or regressor.
        X : array-like or list of arrays, of n samples
            Samples.
        y : array-like of shape (n,)
            Labels; unlabeled rows have `missing_label`.
        n_labeled : sequence of int
            Numbers of labels to learn from.
        name : str, default=None
            Name in the legend; by default the name of the class.
        **parameters : dict
            Parameters of `from_estimators`.

        Returns
        -------
        display : LabelEfficiencyDisplay
        """
        name = type(estimator).__name__ if name is None else name
        return cls.from_estimators({name: estimator}, X, y, n_labeled=n_labeled, **parameters)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, Any],
        X: Any,
        y: Any,
        *,
        n_labeled: Sequence[int],
        cv: Any = None,
        groups: Any = None,
        scoring: Any = None,
        missing_label: Any = -1,
        random_state: int = 0,
        n_jobs: int | None = None,
        ax: Any = None,
    ) -> LabelEfficiencyDisplay:
        """Measure the scores of estimators on the same splits and labels, and draw them.

        Parameters
        ----------
        estimators : dict of str to estimator
            Semi-supervised classifiers or regressors, by their names in the legend.
        X : array-like or list of arrays, of n samples
            Samples.
        y : array-like of shape (n,)
            Labels; unlabeled rows have `missing_label`.
        n_labeled : sequence of int
            Numbers of labels to learn from. The other labels are hidden, but their rows are used.
        cv : int or splitter, default=None
            As for `PartiallyLabeledSplit`: each split is a draw of the labels. By default there are five splits; each
            tests a random fifth of the labeled rows.
        groups : array-like of shape (n,), default=None
            Groups of all rows.
        scoring : str or scorer, default=None
            By default, the `score` of the estimators.
        missing_label : int, float, str, None or nan, default=-1
            Marks the unlabeled rows of y; NaN for a regressor.
        random_state : int, default=0
            Seeds the choice of splits and labels, which are the same for all estimators.
        n_jobs : int, default=None
            Number of fits that are computed in parallel.
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        display : LabelEfficiencyDisplay

        Raises
        ------
        ValueError
            If `estimators` or `n_labeled` is empty, or `n_labeled` has anything but positive integers.
        """
        parameters = {"estimators": estimators, "random_state": random_state}
        constraints = {"estimators": [Mapping], "random_state": [Interval(Integral, 0, None, closed="left")]}
        validate_parameter_constraints(constraints, parameters, cls.__name__)
        if not estimators:
            raise ValueError(f"The 'estimators' parameter of {cls.__name__} must have an estimator, but is empty.")
        n_labeled = _budgets(n_labeled, cls.__name__)
        of_regressors = all(is_regressor(estimator) for estimator in estimators.values())
        if cv is None:
            kind = ShuffleSplit if of_regressors else StratifiedShuffleSplit
            cv = kind(5, test_size=0.2, random_state=random_state)
        splitter = cv if isinstance(cv, PartiallyLabeledSplit) else PartiallyLabeledSplit(cv, missing_label)
        splits = list(splitter.split(X, y, groups))
        scores = {}
        for name, estimator in estimators.items():
            budgets = [
                LabelBudget(estimator, n, missing_label=missing_label, random_state=random_state) for n in n_labeled
            ]
            measured = [
                cross_validate(budget, X, y, cv=splits, scoring=scoring, n_jobs=n_jobs, error_score="raise")
                for budget in budgets
            ]
            scores[name] = np.array([results["test_score"] for results in measured])  # (n_budgets, n_draws)
        default = "R²" if of_regressors else "accuracy"
        score_name = default if scoring is None else scoring if isinstance(scoring, str) else "score"
        return cls(n_labeled, scores, score_name=score_name).plot(ax)


def _budgets(n_labeled: Any, name: str) -> list[int]:
    """Return numbers of labels as a list; raise an error if they are none."""
    numbers = list(n_labeled) if isinstance(n_labeled, Iterable) else []
    if not numbers or not all(isinstance(n, Integral) and int(n) > 0 for n in numbers):
        raise ValueError(
            f"The 'n_labeled' parameter of {name} must be a sequence of positive integers, such as [10, 100]; got "
            f"{n_labeled!r}."
        )
    return [int(n) for n in numbers]

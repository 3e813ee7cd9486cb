"""Regression of sequences from few known targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length

from .._documented import documented, parameter
from .._sklearn import COUNT, NUMERIC_MARKER, SHARE, StrOptions
from .._state import all_or_nothing
from ..modules import POOLINGS
from ..objectives import Objective
from ..sequences import Sequences
from ..tasks import Regression, Targets, Task, r2_of_known, read_numbers
from ._input_parameters import InputParameters
from ._labeled import LabeledEstimator


def _has_quantiles(self: Any) -> bool:
    return bool(self.net_.module_.task.quantiles) if hasattr(self, "net_") else self.loss == "quantile"


@documented
@dataclass(repr=False, eq=False)
class SemiSupervisedRNNRegressor(RegressorMixin, InputParameters, LabeledEstimator):
    """Recurrent regressor of sequences that learns from labeled and unlabeled sequences.

    It predicts one number or several for each sequence. It reads numbers in another way than the classifier does. They
    pass no layer norm before the recurrence, so that the net sees how large they are. Changes from step to step, and
    random kernels, count little or not at all where they are mostly white noise, which a net would overfit. An
    autoencoder that is trained inside `fit` (`pretraining`) reads in the same way; one that was fitted before, or
    whose encoder is in a file, reads as it did then.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    transduction_ : ndarray of shape (n,) or (n, k), float64
        Targets of the training rows, with predictions for missing ones.
    n_outputs_ : int
        Number k of targets of each sequence.
    %(attributes)s

    Raises
    ------
    %(raises)s

    References
    ----------
    Ellefsen, Bjørlykhaug, Æsøy, Ushakov and Zhang (2019), "Remaining useful life predictions for turbofan engine
    degradation using semi-supervised deep architecture", Reliability Engineering and System Safety.

    Koenker and Bassett (1978), "Regression quantiles", Econometrica.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SemiSupervisedRNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> level = rng.uniform(size=60)
    >>> X = rng.normal(size=(60, 8, 1)) * 0.1 + level[:, None, None]
    >>> partly = np.where(np.arange(60) < 30, level, np.nan)
    >>> reg = SemiSupervisedRNNRegressor(hidden_size=8, n_kernels=8, lr=0.03, max_epochs=2, random_state=0)
    >>> reg = reg.fit(X, partly)
    >>> reg.score(X, level) > 0.8
    True
    """

    __metadata_request__fit = {"sample_weight": True}
    __metadata_request__score = {"sample_weight": True}
    task_name = "regression"
    _auto = "supervised"
    # A number, unlike a class, depends on how large the values are; and a net overfits noise.
    _layer_norm = False
    _drops_noise = True
    _numbers_lr = 0.002

    objective: str | Objective = parameter(
        "auto",
        [str, Objective],
        "str or Objective",
        """
        What is minimised: a name such as `"mean_teacher"`, or an instance from `sklearn_rnn.objectives`, which is
        cloned. Objectives that need classes are an error. `"auto"` is `Supervised()`.
        """,
        positional=True,
    )
    missing_label: Any = parameter(
        np.nan,
        NUMERIC_MARKER,
        "float, int or None",
        "Marks missing numbers of y. None, NaN and `pandas.NA` always mark missing numbers too.",
    )
    loss: str = parameter(
        "squared",
        [StrOptions({"squared", "absolute", "huber", "quantile"})],
        '{"squared", "absolute", "huber", "quantile"}',
        """
        Loss of a labeled row, in units of the standard deviation of y: the squared error, the absolute error, the
        Huber loss (squared below 1 deviation, absolute above), or the mean pinball loss of the `quantiles`.
        """,
    )
    quantiles: Any = parameter(
        (0.1, 0.5, 0.9),
        ["array-like"],
        "tuple of float",
        'Levels of the quantiles, ascending, between 0 and 1; used with ``loss="quantile"``.',
    )

    pooling: str = parameter(
        "auto",
        [StrOptions({"auto", *POOLINGS})],
        '{"auto", "last", "mean", "max", "mean_max", "attention"}',
        """
        How the states of all steps are combined to one vector. Padding does not count. `"auto"` is that of an
        autoencoder or an encoder file in `pretraining`; otherwise `"last"` for numbers, and `"mean_max"` for token ids.
        """,
    )
    dropout: float = parameter(
        0.4, SHARE, "float", "Fraction of values that are dropped between layers and before the output, in training."
    )
    max_epochs: int = parameter(
        12,
        COUNT,
        "int",
        """
        Number of passes over the labeled rows, each of at least 25 optimiser steps. Unlabeled rows come beside them.
        """,
    )

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SemiSupervisedRNNRegressor:
        """Learn from all sequences and from the targets of some of them.

        Parameters
        ----------
        X : array-like of shape (n, T) or (n, T, F), or list of (T_i, F), (T_i,) or token id arrays
            Sequences.
        y : array-like of shape (n,) or (n, k)
            Numbers, in any unit; missing ones are NaN or `missing_label`. Of a row in which some of the k numbers are
            missing, the others are used.
        sample_weight : array-like of shape (n,), default=None
            Weights of the labeled rows.

        Returns
        -------
        self : SemiSupervisedRNNRegressor
        """
        return self._fit(X, y, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _pooling(self, tokens: bool) -> str:
        return ("mean_max" if tokens else "last") if self.pooling == "auto" else self.pooling

    def _view_options(self, objective: Objective) -> dict[str, float]:
        return {"jitter": 0}

    def _make_task(self) -> Task:
        return Regression(self.missing_label, self.loss, checked_levels(self.quantiles), type(self).__name__)

    def _forget(self, task: Task) -> None:
        super()._forget(task)
        self.n_outputs_ = task.n_numbers  # type: ignore[attr-defined]

    def _transduce(self, sequences: Sequences, targets: Targets) -> None:
        task: Any = self.net_.module_.task
        assert targets.given is not None
        values, unknown = targets.given.copy(), np.isnan(targets.given)
        rows = np.flatnonzero(unknown.any(1))
        if len(rows):
            predicted = task.decide(self._compute(sequences, lambda model: model, rows))
            values[rows] = np.where(unknown[rows], predicted.reshape(len(rows), -1), values[rows])
        self.transduction_ = task.shaped(values)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict the targets of sequences.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        y : ndarray of shape (n,) or (n, k), float64
            With ``loss="quantile"``, the quantile whose level is nearest to 0.5.
        """
        outputs = self._compute(self._read(X), lambda model: model)
        return self.net_.module_.task.decide(outputs)

    @available_if(_has_quantiles)
    def predict_quantiles(self, X: Any) -> NDArray[np.float64]:
        """Predict quantiles of the targets of sequences.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.

        Returns
        -------
        y : ndarray of shape (n, n_quantiles) or (n, k, n_quantiles), float64
            In the order of `quantiles`; they do not cross. With few labels they lie too close together: with 100
            labeled images of scikit-learn's digits, 27% and 69% of new numbers were below the quantiles 0.1 and 0.9.
        """
        outputs = self._compute(self._read(X), lambda model: model).astype(np.float64)
        task: Any = self.net_.module_.task
        return task.shaped(task.restored(task.in_order(outputs)))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination, R², on the labeled rows.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences, as in `fit`.
        y : array-like of shape (n,) or (n, k)
            True numbers; missing ones do not count.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        r2 : float
            At most 1; predicting the mean of y gives 0. With several targets, the mean of their R².

        Raises
        ------
        ValueError
            If all numbers of y, or of a column of y, are missing.
        """
        true, predicted = read_numbers(y, self.missing_label, type(self).__name__), self.predict(X)
        check_consistent_length(predicted, true.values, sample_weight)
        if true.values.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {true.values.shape[1]} columns, but {type(self).__name__} was fitted with {self.n_outputs_}."
            )
        return r2_of_known(true, predicted.reshape(true.values.shape), sample_weight)


def checked_levels(quantiles: Any) -> tuple[float, ...]:
    """Return the levels of quantiles; it is an error if they do not ascend or are not between 0 and 1."""
    levels = np.asarray(quantiles)
    if levels.ndim != 1 or not len(levels) or levels.dtype.kind not in "iuf":
        raise ValueError(f"quantiles must be a sequence of numbers between 0 and 1, got {quantiles!r}.")
    if not (levels > 0).all() or not (levels < 1).all() or not (np.diff(levels) > 0).all():
        raise ValueError(f"quantiles must be ascending and between 0 and 1, got {levels.tolist()}.")
    return tuple(float(level) for level in levels)

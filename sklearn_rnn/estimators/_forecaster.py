"""Forecasts of what follows long series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._documented import documented, parameter
from .._sklearn import COUNT, COUNT_OR_ZERO, OPEN_FRACTION, POSITIVE, SHARE, StrOptions
from .._state import all_or_nothing
from ..objectives import Objective, Supervised
from ..sequences import Columns, Futures, Series, TrainingSet, Windows, read_series, window_starts
from ..tasks import Forecasting
from ..training import FitWatch, one_random, with_callbacks
from ._autoencoder import RNNAutoencoderTransformer
from ._forecast_model import forecast_model, most_windows
from ._forecasting import ForecastingEstimator
from ._long_series import auto_context, check_lengths, columns_of, held_out_steps, moments, tails
from ._options import Pretraining
from ._pretraining import fine_tuning
from ._regressor import checked_levels
from ._trained import check_device, draw_seed

MAX_SCORES = 4096  # windows from which intervals are corrected


@documented
@dataclass(repr=False, eq=False)
class RNNForecaster(ForecastingEstimator):
    """Recurrent forecaster: what follows a long series, or each of many, and how sure that is.

    It learns from all windows of `context` steps and the `horizon` steps after each. Windows are cut out batch by
    batch, never copied together. The last value of each window is subtracted before the net reads it, and added to the
    forecast, so that a level which `fit` never saw does not matter. The context is read in patches (segments), and a
    recurrent cell decodes all segments of the horizon at once, as SegRNN does (Lin 2023).

    An X of one or two dimensions is one series: each row is a step, as in `TimeSeriesSplit`. A 3-D array or a list of
    arrays holds several series.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    context_ : int
        Number of steps that are read.
    targets_ : ndarray of shape (n_targets,)
        Columns that are forecast: their positions in X.
    scale_ : ndarray of shape (n_features,), float64
        Standard deviation of each column, in which errors are measured in training.
    interval_correction_ : ndarray of shape (horizon, n_targets), float64
        With `conformal`, what is added to both sides of intervals, in units of X.
    %(attributes)s

    Raises
    ------
    %(raises)s

    References
    ----------
    Lin, Lin, Wu, Zhao, Mo and Zhang (2023), "SegRNN: segment recurrent neural network for long-term time series
    forecasting", arXiv:2308.11200.

    Salinas, Flunkert, Gasthaus and Januschowski (2020), "DeepAR: probabilistic forecasting with autoregressive
    recurrent networks", International Journal of Forecasting 36 (for ``decoder="recursive"``).

    Romano, Patterson and Candès (2019), "Conformalized quantile regression", NeurIPS (for `conformal`).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNForecaster
    >>> rng = np.random.default_rng(0)
    >>> t = np.arange(400)
    >>> series = 0.02 * t + np.sin(2 * np.pi * t / 12) + 0.1 * rng.normal(size=400)
    >>> forecaster = RNNForecaster(12, period=12, hidden_size=16, lr=0.01, max_epochs=6, random_state=0)
    >>> forecaster = forecaster.fit(series[:300])
    >>> forecaster.predict().shape
    (12,)
    >>> forecaster.predict_interval(series[:350]).shape
    (12, 2)
    >>> forecaster.score(series[300:]) > -0.9  # less error than the last season has
    True
    """

    task_name = "forecasting"
    _layer_norm = False
    _numbers_lr = 0.002
    # What the other estimators have as parameters, and the encoder of a forecaster has not.
    bidirectional, pooling, n_kernels, embedding = False, "last", 0, None
    max_length = augmentation = strong_augmentation = None

    horizon: int = parameter(1, COUNT, "int", "Number of steps that are forecast.", positional=True)
    context: int | str = parameter(
        "auto",
        [*COUNT, StrOptions({"auto"})],
        'int or "auto"',
        """
        Number of steps that are read before each forecast. `"auto"` is four times `period` or, without one, twice
        `horizon`, and at least 24; but at most a third of what the longest series leaves beside the horizon.
        """,
    )
    targets: Any = parameter(
        None,
        ["array-like", str, *COUNT_OR_ZERO, None],
        "list of column names or positions, or None",
        "Columns of X that are forecast; the others are only read. None for all but those in `future`.",
    )
    future: Any = parameter(
        None,
        ["array-like", str, *COUNT_OR_ZERO, None],
        "list of column names or positions, or None",
        """
        Columns that are known ahead, such as the hour or a holiday. They are read, not forecast, and `predict` needs
        their values after the end of each series.
        """,
    )
    period: int | None = parameter(
        None,
        [*COUNT, None],
        "int or None",
        "Number of steps of a season: `score` then divides errors by those of the seasonal naive forecast.",
    )
    channels: str = parameter(
        "independent",
        [StrOptions({"independent", "joint"})],
        '{"independent", "joint"}',
        """
        Whether each target is read alone, with the columns that are not forecast, by one net for all targets; or all
        together.
        """,
    )
    decoder: str = parameter(
        "parallel",
        [StrOptions({"parallel", "recursive"})],
        '{"parallel", "recursive"}',
        """
        Whether all steps are decoded at once, or each is drawn given the one before, for `sample`. The latter learns
        a Laplace distribution of each step, and does not use `loss`; its quantiles come from 200 paths.
        """,
    )
    loss: str = parameter(
        "quantile",
        [StrOptions({"squared", "absolute", "huber", "quantile"})],
        '{"squared", "absolute", "huber", "quantile"}',
        """
        Loss of a value, in standard deviations of its column: the mean pinball loss of the `quantiles`, of which the
        middle one is the forecast; or the squared, absolute or Huber loss of the forecast alone.
        """,
    )
    quantiles: Any = parameter(
        (0.1, 0.5, 0.9),
        ["array-like"],
        "tuple of float",
        "Levels of the quantiles, ascending, between 0 and 1. `predict_interval` is between the first and the last.",
    )
    conformal: bool = parameter(
        False,
        ["boolean"],
        "bool",
        """
        Whether intervals are widened or narrowed so that they hold the right fraction of the values in the last part
        of each series, which is then held out (`validation_fraction`); for each step and target.
        """,
    )
    patch_size: int | str = parameter(
        "auto",
        [StrOptions({"auto"}), *COUNT],
        'int or "auto"',
        """
        Number of steps of a segment, which is one recurrent step. `"auto"` is a quarter of the context, at most 24.
        """,
    )
    pretraining: Any = parameter(
        None,
        [str, Objective, RNNAutoencoderTransformer, Pretraining, None],
        "str, Objective, RNNAutoencoderTransformer, Pretraining or None",
        """
        Unsupervised training of the encoder before it learns to forecast: an objective of the autoencoder, such as
        `"masked_reconstruction"`. It is trained on all contexts, also those without a known future, and those of the
        series that `fit` gets as `unlabeled`.
        """,
    )
    hidden_size: int = parameter(
        128, COUNT, "int", "Number of units of each layer, and width of the vectors of segments."
    )
    dropout: float = parameter(
        0.2, SHARE, "float", "Fraction of the state after the context (and between layers) that is dropped in training."
    )
    max_epochs: int = parameter(
        8, COUNT, "int", "Number of passes over all windows, each of at least 25 optimiser steps."
    )
    lr: float | str = parameter(
        "auto",
        [StrOptions({"auto"}), *POSITIVE],
        'float or "auto"',
        """
        Peak learning rate, per optimiser step, of one cycle (30% cosine warm-up, then cosine to 0). `"auto"` is 0.002.
        """,
    )
    batch_size: int = parameter(
        512,
        COUNT,
        "int",
        "Largest number of rows in an optimiser step. A row is a window of one target or, of joint channels, of all.",
    )
    early_stopping: bool = parameter(
        False,
        ["boolean"],
        "bool",
        """
        Whether to hold out the last part of each series, stop when its loss no longer falls, and keep the weights with
        the lowest loss. The net does not learn from that part.
        """,
    )
    validation_fraction: float = parameter(
        0.1,
        OPEN_FRACTION,
        "float",
        "Fraction of each series, at its end and at least `horizon` steps, that is held out.",
    )

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, *, unlabeled: Any = None) -> RNNForecaster:
        """Learn from one or several series.

        Parameters
        ----------
        X : array-like of shape (T,), (T, F) or (n, T, F), frame, or list of (T_i, F) or (T_i,) arrays or frames
            One series, if there are one or two dimensions (each row is a step); else several. Of series that are
            shorter than `context` + `horizon`, only the context is used. A time index must have equal steps.
        y : None
            Ignored.
        unlabeled : as X, default=None
            Further series, which are only used for `pretraining`.

        Returns
        -------
        self : RNNForecaster
        """
        return self._fit(X, unlabeled)

    @with_callbacks
    def _fit(self, X: Any, unlabeled: Any) -> Any:
        self._validate_params()
        callbacks = self._checked_callbacks()
        check_device(self.device)
        series = read_series(self, X, reset=not self._goes_on)
        columns = columns_of(self, series)
        context = auto_context(self, series)
        check_lengths(self, series, context)
        if not self._goes_on:
            self._center, self.scale_ = moments(self, series, columns)
        windows, training, validation = self._training_sets(series, columns, context)
        scored = self._scored(series, windows, len(training.labeled))
        task, random = self._task_of(columns, context), one_random(check_random_state(self.random_state))
        task.read(training.targets, len(windows), self.net_.module_.task if self._goes_on else None)
        with self._computing():
            others = None if unlabeled is None else read_series(self, unlabeled, reset=False)
            model = forecast_model(self, windows, task, series, others, random)
            self.context_, self._columns = context, (columns.targets, columns.known, columns.read, columns.joint)
            self.targets_, self._spacing = np.array(columns.targets), series.spacing
            self._ending, self._single, self._flat = tails(series, context), series.single, series.flat
            self.__dict__.pop("interval_correction_", None)
            stops = validation if self.early_stopping else None
            self._train(model, Supervised(), training, stops, draw_seed(random), FitWatch(self, X), callbacks)
            if scored is not None:
                self.interval_correction_ = self._correction(scored)
        return self

    def _scored(self, series: Series, windows: Windows, n_trained: int) -> Windows | None:
        """Return the held-out windows from which intervals are corrected; None if they are not."""
        if not self.conformal or (self.loss != "quantile" and self.decoder == "parallel"):
            return None
        assert windows.starts is not None
        starts = windows.starts[n_trained // windows.columns.n_rows :][-MAX_SCORES:]
        self._rank(len(starts))
        return self._windows(series, starts, windows.columns, windows.context)

    def _training_sets(self, series: Series, columns: Columns, context: int) -> tuple[Windows, Any, Any]:
        """Return the windows, the rows to train on, and those whose targets are held out, None if there are none."""
        length, zeros, limit = context + self.horizon, 0 * series.lengths, most_windows(columns)
        ends = series.lengths - held_out_steps(self, series, context)
        trained = window_starts(series, length, zeros, ends, limit)
        held_out = window_starts(series, length, np.maximum(ends - context, 0), series.lengths, limit)
        held_out = held_out[:0] if (ends == series.lengths).all() else held_out
        starts = np.concatenate([trained, held_out])
        windows = self._windows(series, starts, columns, context, shows=True)
        n, none = len(trained) * columns.n_rows, np.arange(0)
        futures: Any = Futures(windows)
        training = TrainingSet(windows, futures, None, np.arange(n), none)
        validation = TrainingSet(windows, futures, None, np.arange(n, len(windows)), none)
        return windows, training, validation if len(held_out) else None

    def _make_task(self) -> Forecasting:
        return self._task_of(Columns(*self._columns), self.context_)

    def _task_of(self, columns: Columns, context: int) -> Forecasting:
        quantiles = checked_levels(self.quantiles)
        return Forecasting(int(self.horizon), context, columns, self.loss, quantiles, self.decoder)

    def _fine_tuning(self) -> dict[str, Any]:
        return fine_tuning(self.pretraining)

    def _pooling(self, tokens: bool) -> str:
        return self.pooling

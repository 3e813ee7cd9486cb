"""The base of forecasters: forecasts, intervals, paths and scores of a trained net."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..sequences import Columns, Series, Windows, read_series
from ..training import in_batches
from ._long_series import known_ahead, tails
from ._trained import TrainedEstimator, draw_seed

BLOCK = 1 << 22  # values that are forecast together
N_PATHS = 200  # from which quantiles are taken
PATHS_AT_ONCE = 1024


def _has_intervals(self: Any) -> bool:
    return self.decoder == "recursive" or self.loss == "quantile"


def _has_paths(self: Any) -> bool:
    return self.decoder == "recursive"


@dataclass(frozen=True)
class Form:
    """The form of X, in which forecasts are returned: whether it was one series, and had one value per step."""

    single: bool
    flat: bool

    def __call__(self, forecasts: NDArray, axis: int = 2) -> NDArray:
        """Drop the `axis` of targets, if X had none, and the first axis, if X was one series."""
        forecasts = forecasts.take(0, axis=axis) if self.flat else forecasts
        return forecasts[0] if self.single else forecasts


@dataclass(repr=False, eq=False)
class ForecastingEstimator(TrainedEstimator):
    """Base of forecasters.

    A subclass has the parameters of a forecaster, and sets in `fit` what the methods read: the net, the `context_`,
    `scale_`, and the ends of the series.
    """

    @abstractmethod
    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn from one or several series."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def predict(self, X: Any = None, *, future: Any = None) -> NDArray[np.float64]:
        """Forecast the steps after the end of series.

        Parameters
        ----------
        X : as in `fit`, or None, default=None
            Series of at least `context_` steps; None for those of `fit`. The forecasts follow their ends.
        future : array-like of shape (horizon, C) or (n, horizon, C), frame or list of frames, default=None
            The columns that are known ahead, if there are any, for the steps of the forecasts.

        Returns
        -------
        forecasts : ndarray of shape (horizon, n_targets) or (n, horizon, n_targets), float64
            In units of X; without the first axis if X is one series, and without the last if X has one value per step.
        """
        windows, form = self._after(X, future)
        return form(self._forecast(windows))

    @available_if(_has_intervals)
    def predict_quantiles(self, X: Any = None, *, future: Any = None) -> NDArray[np.float64]:
        """Forecast quantiles of the steps after the end of series.

        Parameters
        ----------
        X, future : object
            As in `predict`.

        Returns
        -------
        quantiles : ndarray of shape (..., n_quantiles), float64
            The shape of `predict`, with an axis for the `quantiles`, which do not cross.
        """
        windows, form = self._after(X, future)
        return form(self._forecast(windows, quantiles=True))

    @available_if(_has_intervals)
    def predict_interval(self, X: Any = None, *, future: Any = None) -> NDArray[np.float64]:
        """Forecast intervals that hold the steps after the end of series, each with a certain probability.

        They lie between the first and the last of the `quantiles` (80% by default), and are corrected if `conformal`.

        Parameters
        ----------
        X, future : object
            As in `predict`.

        Returns
        -------
        intervals : ndarray of shape (..., 2), float64
            The shape of `predict`, with an axis for the lower and the upper end.
        """
        windows, form = self._after(X, future)
        return form(self._corrected(self._forecast(windows, quantiles=True)))

    @available_if(_has_paths)
    def sample(
        self, n_paths: int = 100, X: Any = None, *, future: Any = None, random_state: Any = None
    ) -> NDArray[np.float64]:
        """Draw paths of the steps after the end of series, each step given the ones before.

        Only with ``decoder="recursive"``.

        Parameters
        ----------
        n_paths : int, default=100
            Number of paths of each series.
        X, future : object
            As in `predict`.
        random_state : int, RandomState or None, default=None
            Seeds the draws.

        Returns
        -------
        paths : ndarray of shape (n_paths, horizon, n_targets) or (n, n_paths, horizon, n_targets), float64
            Without the last axis if X has one value per step. Of ``channels="independent"``, the paths of different
            targets are independent.
        """
        check_scalar(n_paths, "n_paths", int, min_val=1)
        windows, form = self._after(X, future)
        generator = torch.Generator().manual_seed(draw_seed(check_random_state(random_state)))
        rows, n_targets = np.arange(len(windows)), windows.columns.n_targets
        noise = laplace((n_paths, len(windows), windows.horizon, n_targets), generator)
        paths = self._paths(windows, noise, rows).swapaxes(0, 1)
        in_units = [by_window(windows.restored(rows, path), windows) for path in paths]
        return form(np.stack(in_units, axis=1), axis=3)

    def backtest(self, X: Any, stride: int = 1) -> Any:
        """Forecast from each origin in a series, as if what follows was not known.

        The first origin is the step `context_`, the last one leaves `horizon` steps. Compare with
        ``np.lib.stride_tricks.sliding_window_view(X[context_:], horizon, axis=0)``.

        Parameters
        ----------
        X : as in `fit`
            Series of at least `context_` + `horizon` steps.
        stride : int, default=1
            Number of steps from one origin to the next.

        Returns
        -------
        forecasts : ndarray of shape (n_origins, horizon, n_targets), float64, or list of these
            A list if X is several series; of a series that is too short, there are no origins.
        """
        check_scalar(stride, "stride", int, min_val=1)
        series = self._read(X)
        forecasts = []
        for i in range(len(series)):
            starts = self._origins(series, stride, [i])
            parts = [self._forecast(windows) for windows in self._blocks(series, starts)]
            empty = np.empty((0, int(self.horizon), len(self.targets_)))
            steps = np.concatenate(parts) if parts else empty
            forecasts.append(steps[:, :, 0] if series.flat else steps)
        return forecasts[0] if series.single else forecasts

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the mean absolute error over all origins in a series (see `backtest`).

        Parameters
        ----------
        X : as in `fit`
            Series of at least `context_` + `horizon` steps.
        y : None
            Ignored.

        Returns
        -------
        score : float
            At most 0. With a `period`, the errors of each target are divided by those of the seasonal naive forecast
            (the last season again) from the same origins, so that -1 is as good as that; else they are in units of X.
        """
        series = self._read(X)
        starts = self._origins(series, 1, range(len(series)))
        if not len(starts):
            raise ValueError(
                f"X has {int(series.lengths.max())} time step(s), but a score needs at least {self._length}: "
                f"context={self.context_} steps before an origin and horizon={self.horizon} after it. Pass a longer "
                f"series; in cross-validation, TimeSeriesSplit(test_size={self._length}) or more."
            )
        errors, naive = np.zeros(len(self.targets_)), np.zeros(len(self.targets_))
        for windows in self._blocks(series, starts):
            truth = self._truth(windows)
            errors += np.abs(self._forecast(windows) - truth).sum((0, 1))
            if self.period is not None:
                naive += np.abs(self._seasonal(windows, int(self.period)) - truth).sum((0, 1))
        n = len(starts) * int(self.horizon)
        if self.period is None:
            return -float(np.mean(errors / n))
        return -float(np.mean(errors / np.maximum(naive, np.finfo(np.float64).tiny)))

    @property
    def _length(self) -> int:
        return int(self.context_ + self.horizon)

    def _windows(self, series: Series, starts: NDArray, columns: Columns, context: int, shows: bool = False) -> Windows:
        """Return the windows of series that begin at `starts`."""
        recursive = self.decoder == "recursive"
        return Windows.of(
            series,
            starts,
            columns,
            context,
            int(self.horizon),
            (self._center, self.scale_),
            n_ahead=int(self.horizon) if recursive or columns.known else 0,
            shows_targets=shows and recursive,
        )

    def _read(self, X: Any) -> Series:
        """Read series with the columns and the spacing of `fit`."""
        check_is_fitted(self, "net_")
        series = read_series(self, X, reset=False)
        if self._spacing and series.spacing and not 0.8 < series.spacing / self._spacing < 1.25:
            hours = [spacing / 3.6e12 for spacing in (series.spacing, self._spacing)]
            raise ValueError(
                f"The steps of X are {hours[0]:g} hours apart, but {type(self).__name__} was fitted with steps of "
                f"{hours[1]:g} hours. Bring X to the same steps, with X.resample(...).mean() or X.asfreq(...)."
            )
        return series

    def _after(self, X: Any, future: Any) -> tuple[Windows, Form]:
        """Return the windows at the ends of series, and the form of X."""
        check_is_fitted(self, "net_")
        if X is None:
            ends, single, flat = self._ending, self._single, self._flat
        else:
            series = self._read(X)
            i = int(np.argmin(series.lengths))
            if series.lengths[i] < self.context_:
                raise ValueError(
                    f"{'X' if series.single else f'X[{i}]'} has {series.lengths[i]} time step(s), but context="
                    f"{self.context_} steps are read before each forecast. Pass a longer series."
                )
            ends, single, flat = tails(series, self.context_), series.single, series.flat
        columns, n = Columns(*self._columns), len(ends)
        known = known_ahead(self, future, n, columns)
        steps = np.zeros((n, int(self.horizon), ends.shape[2]))
        if known is not None:
            steps[:, :, list(columns.known)] = known
        values = np.concatenate([ends, steps], axis=1)
        lengths = np.full(n, values.shape[1])
        padded = Series(values.reshape(-1, values.shape[2]), lengths, np.arange(n) * values.shape[1], single, flat)
        return self._windows(padded, padded.starts, columns, self.context_), Form(single, flat)

    def _origins(self, series: Series, stride: int, chosen: Any) -> NDArray[np.int64]:
        """Return the first steps of the windows of the `chosen` series, each `stride` after the one before."""
        starts = [
            series.starts[i] + np.arange(0, series.lengths[i] - self._length + 1, stride, dtype=np.int64)
            for i in chosen
        ]
        return np.concatenate(starts)

    def _blocks(self, series: Series, starts: NDArray) -> Iterator[Windows]:
        """Yield windows in blocks that fit the memory."""
        columns = Columns(*self._columns)
        size = max(1, BLOCK // (self._length * len(columns.targets)))
        for first in range(0, len(starts), size):
            yield self._windows(series, starts[first : first + size], columns, self.context_)

    def _forecast(self, windows: Windows, quantiles: bool = False) -> NDArray[np.float64]:
        """Forecasts (m, horizon, n_targets), or quantiles with a last axis, of m windows, in units of X."""
        rows, task = np.arange(len(windows)), self.net_.module_.task
        if self.decoder == "parallel":
            answers = self._compute(windows, lambda model: model)
            steps = task.in_order(answers) if quantiles else task.decide(answers)
        elif quantiles:
            steps = self._quantiles_of_paths(windows)
        else:
            medians = np.zeros((1, 1, windows.horizon, windows.columns.n_targets), np.float32)
            steps = self._paths(windows, medians, rows)[:, 0]
        return by_window(windows.restored(rows, steps), windows)

    def _quantiles_of_paths(self, windows: Windows) -> NDArray:
        """Quantiles (rows, horizon, K, q) of paths; all rows have the same noise, so that none depends on others."""
        generator = torch.Generator().manual_seed(self.net_.seed)
        noise = laplace((N_PATHS, 1, windows.horizon, windows.columns.n_targets), generator)
        size, parts = max(1, BLOCK // noise.size), []
        for first in range(0, len(windows), size):
            paths = self._paths(windows, noise, np.arange(first, min(first + size, len(windows))))
            parts.append(np.moveaxis(np.quantile(paths, self.quantiles, axis=1), 0, -1))
        return np.concatenate(parts)

    def _paths(self, windows: Windows, noise: NDArray, rows: NDArray) -> NDArray[np.float32]:
        """Draw paths (n, P, horizon, K) of n rows, given their noise (P, n, horizon, K) or one noise (P, 1, ...)."""
        model = self.net_.module_
        paths = np.empty((len(rows), len(noise), *noise.shape[2:]), np.float32)
        with self._computing(), torch.inference_mode():
            for places, values, lengths in in_batches(model, windows, rows, PATHS_AT_ONCE):
                embeddings = model.embed_sequences(values, lengths)
                mine = np.resize(places, len(values)) if noise.shape[1] > 1 else np.zeros(len(values), np.int64)
                size = max(1, PATHS_AT_ONCE // len(values))
                for first in range(0, len(noise), size):
                    draws = torch.from_numpy(noise[first : first + size, mine]).to(values.device)  # (p, b, horizon, K)
                    repeated = embeddings.repeat(len(draws), 1)
                    steps = model.head.paths(repeated, draws.flatten(0, 1)).reshape(draws.shape)
                    paths[places, first : first + size] = steps.cpu().numpy().swapaxes(0, 1)[: len(places)]
        return paths

    def _truth(self, windows: Windows) -> NDArray[np.float64]:
        """Return what follows the contexts of windows, (m, horizon, n_targets), in units of X."""
        rows = np.arange(len(windows))
        return by_window(windows.restored(rows, windows.ahead(rows)), windows)

    def _seasonal(self, windows: Windows, period: int) -> NDArray[np.float64]:
        """Return the last season of each context, repeated: (m, horizon, n_targets)."""
        assert windows.starts is not None
        steps = windows.context - period + np.arange(windows.horizon) % period
        places = windows.starts[:, None] + steps
        return windows.values[places[:, :, None], self.targets_].astype(np.float64)

    def _corrected(self, quantiles: NDArray) -> NDArray[np.float64]:
        """Intervals (..., 2) between the outer quantiles (m, horizon, n_targets, q), corrected if there are scores."""
        lower, upper = quantiles[..., 0], quantiles[..., -1]
        if hasattr(self, "interval_correction_"):
            half = (upper - lower) / 2  # an interval cannot be narrower than nothing
            change = np.maximum(self.interval_correction_, -half)
            lower, upper = lower - change, upper + change
        return np.stack([lower, upper], axis=-1)

    def _rank(self, n: int) -> int:
        """Return the rank among `n` scores of held-out windows that corrects intervals."""
        rank = math.ceil((n + 1) * float(self.quantiles[-1] - self.quantiles[0]))
        if not 0 < rank <= n:
            raise ValueError(
                f"conformal=True has {n} window(s) held out, too few for quantiles={list(self.quantiles)}. Raise "
                "validation_fraction, or pass longer series."
            )
        return rank

    def _correction(self, windows: Windows) -> NDArray[np.float64]:
        """Learn from held-out windows what to add to both sides of intervals, (horizon, n_targets)."""
        quantiles, truth = self._forecast(windows, quantiles=True), self._truth(windows)
        scores = np.maximum(quantiles[..., 0] - truth, truth - quantiles[..., -1])  # (m, horizon, n_targets)
        return np.sort(scores, axis=0)[self._rank(len(scores)) - 1]


def by_window(steps: NDArray, windows: Windows) -> NDArray:
    """Bring steps (rows, horizon, K, ...) into the shape (m, horizon, n_targets, ...)."""
    if windows.columns.joint:
        return steps
    steps = steps.reshape(-1, windows.columns.n_rows, windows.horizon, *steps.shape[3:])
    return np.moveaxis(steps, 1, 2)


def laplace(shape: tuple[int, ...], generator: torch.Generator) -> NDArray[np.float32]:
    """Draw from a Laplace distribution of scale 1."""
    uniform = torch.rand(shape, generator=generator, dtype=torch.float64) - 0.5
    return (-uniform.sign() * torch.log1p(-2 * uniform.abs())).float().numpy()

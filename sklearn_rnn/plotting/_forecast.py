"""Plots of forecasts: history, forecast, interval, and what came."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import extra
from ..sequences import next_times, time_index
from ._axes import axes_or_new

PARTS = 4  # horizons of history that are drawn


class ForecastDisplay:
    """Plot of a forecast after the end of a series, with its interval and, if it is known, what came.

    Make it with `from_estimator`.

    Parameters
    ----------
    history : array-like of shape (T,)
        Values before the forecast.
    forecast : array-like of shape (horizon,)
        Forecast values.
    interval : array-like of shape (horizon, 2), default=None
        Lower and upper ends of the intervals.
    truth : array-like of shape (at most horizon,), default=None
        What came.
    times : array-like of shape (T + horizon,), default=None
        Times of the history and of the forecast; by default the numbers of the steps, 0 for the first forecast.
    name : str, default="value"
        Name of the column.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of the plot.
    lines_ : dict of str to matplotlib Line2D
        The lines by their names in the legend.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from sklearn_rnn import RNNForecaster
    >>> from sklearn_rnn.plotting import ForecastDisplay
    >>> X = np.sin(np.arange(120) / 4)
    >>> forecaster = RNNForecaster(10, context=20, hidden_size=8, max_epochs=1, random_state=0).fit(X[:100])
    >>> display = ForecastDisplay.from_estimator(forecaster, X[:100], truth=X[100:])
    >>> sorted(display.lines_)
    ['forecast', 'history', 'truth']
    """

    def __init__(
        self,
        history: Any,
        forecast: Any,
        *,
        interval: Any = None,
        truth: Any = None,
        times: Any = None,
        name: str = "value",
    ):
        self.history = history
        self.forecast = forecast
        self.interval = interval
        self.truth = truth
        self.times = times
        self.name = name

    def plot(self, ax: Any = None, *, level: str = "") -> ForecastDisplay:
        """Draw the lines, and the interval as a band.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.
        level : str, default=""
            What the band holds, such as "80%", for the legend.

        Returns
        -------
        self : ForecastDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes_or_new(ax, figsize=(8, 3.5))
        self.ax_, self.figure_ = ax, ax.figure
        self.lines_: dict[str, Any] = {}
        n, horizon = len(self.history), len(self.forecast)
        times = np.arange(-n, horizon) if self.times is None else self.times
        ahead = times[n:]
        if self.interval is not None:
            lower, upper = np.asarray(self.interval).T
            ax.fill_between(ahead, lower, upper, color="C0", alpha=0.25, linewidth=0, label=f"interval {level}".strip())
        self._draw("history", times[:n], self.history, "#7f7f7f")
        if self.truth is not None:
            self._draw("truth", ahead[: len(self.truth)], self.truth, "black")
        self._draw("forecast", ahead, self.forecast, "C0")
        ax.set_ylabel(self.name)
        if self.times is None:
            ax.set_xlabel("steps from the forecast")
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
        if self.times is not None:
            self._label_times()
        return self

    def _draw(self, name: str, times: Any, values: Any, color: str) -> None:
        self.lines_[name] = self.ax_.plot(times, values, color=color, linewidth=1.5, label=name)[0]

    def _label_times(self) -> None:
        """Label the axis with short dates, if the times are dates."""
        if np.asarray(self.times).dtype.kind == "M":
            dates = extra("matplotlib.dates", "plot")
            locator = dates.AutoDateLocator()
            self.ax_.xaxis.set_major_locator(locator)
            self.ax_.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))

    @classmethod
    def from_estimator(
        cls,
        forecaster: Any,
        X: Any,
        *,
        truth: Any = None,
        future: Any = None,
        column: Any = None,
        n_history: int | None = None,
        ax: Any = None,
    ) -> ForecastDisplay:
        """Forecast what follows a series, and draw it.

        Parameters
        ----------
        forecaster : RNNForecaster
            A fitted forecaster.
        X : array-like of shape (T,) or (T, F), or frame
            One series; the forecast follows its end. A time index labels the axis.
        truth : array-like of shape (horizon,) or (horizon, F), or frame, default=None
            The steps after X, with the columns of X.
        future : array-like or frame, default=None
            The columns that are known ahead, as in `predict`.
        column : str or int, default=None
            The column that is drawn: one that is forecast, by default the first.
        n_history : int, default=None
            Number of steps that are drawn before the forecast; by default four times the horizon.
        ax : matplotlib Axes, default=None
            Axes to draw on; a new figure by default.

        Returns
        -------
        display : ForecastDisplay
        """
        if np.ndim(X) > 2 or (isinstance(X, list | tuple) and np.ndim(X[0]) > 1):
            raise ValueError("X must be one series of shape (T,) or (T, F). Draw several one by one.")
        forecast = forecaster.predict(X, future=future)
        interval = None
        if hasattr(forecaster, "predict_interval"):
            interval = forecaster.predict_interval(X, future=future)
        place, target, name = _chosen(forecaster, X, column)
        history = _column(X, place)[-(PARTS * len(forecast) if n_history is None else n_history) :]
        index = time_index(X)
        times = None
        if index is not None:
            times = index[-len(history) :].append(next_times(index, len(forecast)))
            times = (times.to_timestamp() if hasattr(times, "to_timestamp") else times).to_numpy()
        flat = forecast.ndim == 1
        display = cls(
            history,
            forecast if flat else forecast[:, target],
            interval=None if interval is None else interval if flat else interval[:, target],
            truth=None if truth is None else _column(truth, place)[: len(forecast)],
            times=times,
            name=name,
        )
        levels = np.asarray(forecaster.quantiles, dtype=np.float64)
        return display.plot(ax, level=f"{100 * (levels[-1] - levels[0]):.0f}%")


def _chosen(forecaster: Any, X: Any, column: Any) -> tuple[int, int, str]:
    """Return the position of a column in X, that among the targets, and its name."""
    names, targets = getattr(forecaster, "feature_names_in_", None), forecaster.targets_.tolist()
    place: Any = targets[0] if column is None else column
    if isinstance(column, str):
        place = next((k for k, name in enumerate([] if names is None else names) if name == column), None)
    if place not in targets:
        known = targets if names is None else [str(names[k]) for k in targets]
        raise ValueError(f"column={column!r} is not forecast; choose from {known}.")
    given = getattr(X, "name", None) if np.ndim(X) == 1 else None if names is None else names[place]
    return int(place), targets.index(place), "value" if given is None else str(given)


def _column(X: Any, place: int) -> NDArray:
    values = np.asarray(X)
    return values if values.ndim == 1 else values[:, place]

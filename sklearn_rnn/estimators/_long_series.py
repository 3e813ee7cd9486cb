"""What a forecaster needs of long series: columns, moments, lengths, and their ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sequences import Columns, Series, is_frame, moments_of, positions

LEAST_CONTEXT = 24  # that context="auto" stands for at least, if the series are long enough
NOISE = 1e-14  # deviation of a constant, relative to its value, that is due to rounding in float64


def columns_of(estimator: Any, series: Series) -> Columns:
    """Return the columns that are forecast, known ahead, and only read."""
    names, n = getattr(estimator, "feature_names_in_", None), series.values.shape[1]
    known = positions(estimator.future, names, n, "future")
    rest = tuple(k for k in range(n) if k not in known)
    targets = rest if estimator.targets is None else positions(estimator.targets, names, n, "targets")
    if not targets:
        raise ValueError("No column is left to forecast: X has no columns but those in future. Add the targets to X.")
    if both := sorted({*targets} & {*known}):
        raise ValueError(
            f"Columns {[_name(names, k) for k in both]} are in targets and in future. What is known ahead needs no "
            "forecast: take them out of one of the two."
        )
    read = tuple(k for k in rest if k not in targets)
    return Columns(targets, known, read, estimator.channels == "joint")


def moments(estimator: Any, series: Series, columns: Columns) -> tuple[NDArray, NDArray]:
    """Return the means and deviations (F,) of all columns; it is an error if a target is constant."""
    found = moments_of((block.astype(np.float64), None) for block in series.blocks())
    constant = found.deviation <= NOISE * np.abs(found.mean)
    names = getattr(estimator, "feature_names_in_", None)
    if wrong := [k for k in columns.targets if constant[k]]:
        what = f"Column {_name(names, wrong[0])!r} of X is" if series.values.shape[1] > 1 else "X is"
        raise ValueError(
            f"{what} constant ({found.mean[wrong[0]]:g}), so there is nothing to learn for a forecast. "
            + ("Leave it out, or name the other columns in targets." if len(columns.targets) > 1 else "Check the data.")
        )
    return found.mean, np.where(constant, 1.0, found.deviation)


def auto_context(estimator: Any, series: Series) -> int:
    """Return the number of steps that are read."""
    if estimator.context != "auto":
        return int(estimator.context)
    wanted = 4 * estimator.period if estimator.period else 2 * estimator.horizon
    least = estimator.period or 1
    room = (int(series.lengths.max()) - estimator.horizon) // 3
    return int(max(least, 1, min(max(wanted, LEAST_CONTEXT), room)))


def check_lengths(estimator: Any, series: Series, context: int) -> None:
    """Raise an error if no series holds a context and a horizon, or one holds no context."""
    horizon, longest, shortest = int(estimator.horizon), int(series.lengths.max()), int(series.lengths.min())
    if estimator.period is not None and estimator.period > context:
        raise ValueError(f"period={estimator.period} must be at most context={context}. Raise context.")
    if longest < context + horizon:
        what = "X has" if series.single else "The longest series of X has"
        raise ValueError(
            f"{what} {longest} time step(s), but context={context} and horizon={horizon} need at least "
            f"{context + horizon}. Lower context or horizon, or pass a longer series."
        )
    if shortest < context:
        i = int(np.argmin(series.lengths))
        raise ValueError(
            f"X[{i}] has {shortest} time step(s), but context={context} steps are read before each forecast. Lower "
            "context, or leave the series out."
        )


def held_out_steps(estimator: Any, series: Series, context: int) -> NDArray[np.int64]:
    """Return the number of steps (n,) at the end of each series that are held out."""
    if not estimator.early_stopping and not estimator.conformal:
        return 0 * series.lengths
    horizon = int(estimator.horizon)
    steps = np.maximum(np.round(estimator.validation_fraction * series.lengths).astype(np.int64), horizon)
    if int((series.lengths - steps).max()) < context + horizon:
        raise ValueError(
            f"early_stopping and conformal hold out the last {int(steps[0])} time step(s), which leaves too few for "
            f"context={context} and horizon={horizon}. Set both to False, lower context, or pass a longer series."
        )
    return np.where(series.lengths >= context + horizon, steps, 0)


def tails(series: Series, context: int) -> NDArray:
    """Return the last steps (n, context, F) of each series."""
    ends = series.starts + series.lengths
    return series.values[(ends - context)[:, None] + np.arange(context)]


def known_ahead(estimator: Any, future: Any, n: int, columns: Columns) -> NDArray[np.float64] | None:
    """Return the columns (n, horizon, C) that are known ahead; it is an error if they are missing."""
    horizon, names = int(estimator.horizon), getattr(estimator, "feature_names_in_", None)
    wanted = [_name(names, k) for k in columns.known]
    if not wanted:
        if future is not None:
            raise ValueError("future was passed, but no columns are known ahead. Name them in the parameter future.")
        return None
    if future is None:
        raise ValueError(
            f"Columns {wanted} are known ahead: pass their values for the {horizon} step(s) after each series, "
            "predict(X, future=...)."
        )
    frames = future if isinstance(future, list | tuple) else [future]
    if all(is_frame(frame) for frame in frames):
        if missing := [name for name in wanted if name not in frames[0].columns]:
            raise ValueError(f"future lacks the columns {missing}; it has {list(frames[0].columns)}.")
        frames = [frame[wanted] for frame in frames]
        future = frames if isinstance(future, list | tuple) else frames[0]
    values = np.asarray(future, dtype=np.float64)
    if values.ndim == 1 and len(wanted) == 1:
        values = values[:, None]
    values = values[None] if values.ndim == 2 else values
    if values.shape != (n, horizon, len(wanted)):
        raise ValueError(
            f"future must have a row for each of {horizon} step(s) and the columns {wanted}"
            f"{f', for each of {n} series' if n > 1 else ''}; got the shape {np.shape(future)}."
        )
    if not np.isfinite(values).all():
        raise ValueError("future contains NaN or infinity. Pass all values of the columns that are known ahead.")
    return values


def _name(names: Any, column: int) -> Any:
    return column if names is None else str(names[column])

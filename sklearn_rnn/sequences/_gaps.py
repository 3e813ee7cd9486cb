"""Values that are missing at steps, and columns with the times of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._warnings import warn
from ._evenly_spaced import evenly_spaced

MAX_ROUNDING = 0.1  # largest rounding of times, relative to the mean time between steps, without a warning
EXAMINED = 1000  # rows whose times are examined for it


def last_seen(missing: NDArray[np.bool_], axis: int = 0) -> NDArray[np.int64]:
    """Return for each value the position of the last value along an axis that is not missing; -1 if there is none."""
    shape = [1] * missing.ndim
    shape[axis] = -1
    place = np.arange(missing.shape[axis]).reshape(shape)
    return np.maximum.accumulate(np.where(missing, -1, place), axis=axis)


def changes_since_seen(values: NDArray) -> NDArray:
    """Changes (n, T - 1, F) of values (n, T, F) since each was last seen; NaN where it is not seen, or never was."""
    last = last_seen(np.isnan(values), axis=1)[:, :-1]
    return values[:, 1:] - np.take_along_axis(values, np.maximum(last, 0), axis=1)


def with_gaps_of_times(rows: list[NDArray] | NDArray, column: int, name: Any) -> list[NDArray] | NDArray:
    """Return sequences in which a column of times is replaced by the time since the step before, 0 at the first step.

    Parameters
    ----------
    rows : list of ndarray of shape (T_i, F), or ndarray of shape (n, T, F)
        Sequences; final steps of an array that are all NaN are padding.
    column : int
        Position of the column of times.
    name : str or int
        Its name, for errors.

    Raises
    ------
    ValueError
        If the times of a sequence decrease, or a time is missing at a step.
    """
    _warn_of_rounding(rows, column, name)
    if isinstance(rows, list):
        return [_with_gaps(row[None], column, name, i)[0] for i, row in enumerate(rows)]
    return _with_gaps(rows, column, name, 0, padded=True)


def _warn_of_rounding(rows: list[NDArray] | NDArray, column: int, name: Any) -> None:
    """Warn of times whose type is too short for them, as float32 is for seconds since 1970."""
    for i in evenly_spaced(len(rows), EXAMINED):
        times = rows[i][:, column]
        if times.dtype.kind != "f":
            return
        times = times[np.isfinite(times)]
        if len(times) < 2 or (largest := np.abs(times).max()) == 0:
            continue
        rounding, span = float(np.spacing(largest)), float(np.ptp(times))
        is_exact = rounding <= 1 and span > 0 and bool(np.all(times == np.round(times)))
        is_lost = span == 0 and times.dtype == np.float32 and rounding >= 1
        if is_lost or (not is_exact and rounding * (len(times) - 1) > MAX_ROUNDING * span > 0):
            warn(
                f"The times in column {name!r} are {times.dtype} numbers near {times[0]:.3g}, which are rounded to "
                f"multiples of {rounding:g}: the times between steps are not exact. Pass float64, or subtract the "
                "first time of each sequence."
            )
            return


def _with_gaps(block: NDArray, column: int, name: Any, first: int, padded: bool = False) -> NDArray:
    """Replace the times in a block (n, T, F), whose first row has the number `first` in X."""
    times = block[:, :, column].astype(np.float64)
    empty: NDArray[np.bool_] = np.isnan(block).all(2) if block.dtype.kind == "f" else np.zeros(times.shape, bool)
    none: NDArray[np.bool_] = np.all(empty, axis=1)  # rows of which nothing is known, not even the times
    backward: NDArray[np.bool_] = np.logical_and.accumulate(empty[:, ::-1], axis=1)
    padding = backward[:, ::-1] & padded
    known: NDArray[np.bool_] = ~(padding | none[:, None])
    _check_known(np.isfinite(times) | ~known, times, name, first)
    gaps = np.diff(times, axis=1, prepend=times[:, :1])
    backwards: NDArray[np.bool_] = known & (gaps < 0)
    if backwards.any():
        i, step = (int(k) for k in np.argwhere(backwards)[0])
        raise ValueError(
            f"The times in column {name!r} must increase within a sequence, but X[{first + i}] has "
            f"{times[i, step]:g} at step {step} after {times[i, step - 1]:g}. Sort the steps by time."
        )
    gaps[none] = 0
    changed = block.astype(np.result_type(block, np.float32))
    changed[:, :, column] = gaps
    return changed


def _check_known(known: NDArray[np.bool_], times: NDArray, name: Any, first: int) -> None:
    if not known.all():
        i, step = (int(k) for k in np.argwhere(~known)[0])
        raise ValueError(
            f"The times in column {name!r} must be known at each step, but X[{first + i}] has {times[i, step]:g} at "
            f"step {step}. Leave such steps out."
        )

"""Conversions from and to long frames, which have one row for each step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._extras import extra
from ..sequences import first_steps
from ..tasks import find_nothing
from ._floats import as_floats
from ._frames import Columns

TIMES = "pass numbers or datetimes, or leave time out"


def from_long_frame(
    frame: Any,
    *,
    sequence: Any,
    time: Any = None,
    label: Any = None,
    item: Any = None,
    time_delta: bool = False,
    sort: bool = False,
    return_ids: bool = False,
    return_times: bool = False,
) -> Any:
    """Convert from a long frame, which has one row for each step.

    All columns that the parameters do not name are features: numbers, booleans, time differences (in seconds) and
    datetimes (in seconds since the earliest one of the sequence; NaT becomes NaN).

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        The steps. Index levels of pandas are not features.
    sequence : str
        Column, or index level of pandas, with the id of the sequence that a row belongs to.
    time : str, default=None
        Column or index level, of numbers or datetimes, by which the steps are ordered. By default, steps have the order
        of the frame; so do steps of a sequence with the same time.
    label : str, default=None
        Column or index level with the label of the sequence. It must be the same in all rows of a sequence, or missing
        in some of them. If it is missing in all rows, the label of the sequence is missing.
    item : str, default=None
        Column or index level with the item of each step, such as a product or a word. X is then the sequences of items,
        as `RNNNextItemRecommender` reads them; other columns are not used.
    time_delta : bool, default=False
        Whether to add a feature at the end, the time since the last step: 0 at the first step, in seconds if `time` has
        datetimes. Use it if the intervals between steps differ, because the nets do not read times.
    sort : bool, default=False
        Whether sequences are sorted by their ids; by default they have the order of their first rows.
    return_ids : bool, default=False
        Whether to return the ids of the sequences.
    return_times : bool, default=False
        Whether to return the times of the steps.

    Returns
    -------
    X : list of ndarray of shape (T_i, F), or (T_i,) if `item` is given
        Sequences; float32, or float64 if float32 would round the values. Items have the type of their column.
    y : ndarray of shape (n,)
        Labels; only if `label` is given.
    ids : ndarray of shape (n,)
        Value of `sequence` for each sequence in X; only if `return_ids`. To bring a table with one row per sequence
        into the order of X: ``table.loc[ids]``.
    times : list of ndarray of shape (T_i,)
        Value of `time` for each step in X; only if `return_times`.

    Raises
    ------
    ValueError
        If a row has no id, no time or no item, a sequence has two labels, a column does not exist, or a feature is not
        numeric.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_rnn.datasets import from_long_frame
    >>> frame = pd.DataFrame({"person": ["b", "b", "a"], "hour": [1, 0, 0], "pulse": [60.0, 70, 80]})
    >>> X, ids = from_long_frame(frame, sequence="person", time="hour", return_ids=True)
    >>> [x[:, 0].tolist() for x in X], ids.tolist()
    ([[70.0, 60.0], [80.0]], ['b', 'a'])
    """
    if time is None and (time_delta or return_times):
        name = "time_delta" if time_delta else "return_times"
        raise ValueError(f"{name}=True needs time, the column with the times of the steps.")
    if item is not None and time_delta:
        raise ValueError("time_delta=True adds a feature, but with item=... X has no features.")
    columns = Columns(frame)
    ids, numbers = _number_sequences(columns[sequence], sequence, sort)
    lengths = np.bincount(numbers)
    times = None if time is None else _read_times(columns[time], time)
    order = np.argsort(numbers, kind="stable") if times is None else np.lexsort((times, numbers))
    firsts = first_steps(lengths)
    if item is not None:
        X = np.split(_read_items(columns[item][order], item), firsts[1:])
    else:
        X = _read_features(columns, {sequence, time, label} - {None}, order, lengths, times if time_delta else None)
    y = [] if label is None else [_labels_of_sequences(columns[label][order], label, ids, firsts, lengths)]
    output = [X, *y, *([ids] if return_ids else [])]
    if return_times:
        output.append(np.split(times[order], firsts[1:]))  # type: ignore[index]
    return tuple(output) if len(output) > 1 else X


def _read_items(values: NDArray, name: Any) -> NDArray:
    """Return the items of all steps; it is an error if one is missing."""
    if n_missing := int(find_nothing(values).sum()):
        raise ValueError(f"{n_missing} row(s) have no item in {name!r}; drop them.")
    return values


def _read_features(
    columns: Columns, used: set[Any], order: NDArray, lengths: NDArray, times: NDArray | None
) -> list[NDArray]:
    """Return the features (T_i, F) of each sequence: all columns that are not `used` and, given `times`, intervals."""
    firsts = first_steps(lengths)
    features = [_read_feature(values[order], name, firsts, lengths) for name, values in columns.others(used)]
    if times is not None:
        features.append(_time_deltas(times[order], firsts))
    if not features:
        raise ValueError(f"frame has no feature: its only columns are {columns.names}.")
    return np.split(np.stack(features, axis=1), firsts[1:])


def to_long_frame(X: Any, y: Any = None, *, columns: Any = None) -> Any:
    """Convert to a long pandas frame, which has one row for each step.

    Parameters
    ----------
    X : array-like of shape (n, T, F), or list of (T_i, F) arrays
        Sequences.
    y : array-like of shape (n,), default=None
        Labels, for a column `"label"`.
    columns : list of str, default=None
        Names of the features; ``"x0"``, ``"x1"``, ... by default.

    Returns
    -------
    frame : pandas.DataFrame
        Columns `"sequence"` and `"time"`, numbered from 0, the features, and `"label"`.

    Raises
    ------
    ImportError
        If pandas is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.datasets import to_long_frame
    >>> to_long_frame([np.ones((2, 1)), np.zeros((1, 1))], ["a", "b"]).values.tolist()
    [[0, 0, 1.0, 'a'], [0, 1, 1.0, 'a'], [1, 0, 0.0, 'b']]
    """
    pd = extra("pandas", "frames")
    arrays = [as_floats(x, f"X[{i}]", ndim=2) for i, x in enumerate(X)]
    lengths = [len(x) for x in arrays]
    names = [f"x{j}" for j in range(arrays[0].shape[1])] if columns is None else list(columns)
    frame = pd.DataFrame(np.concatenate(arrays), columns=names)
    frame.insert(0, "sequence", np.repeat(np.arange(len(arrays)), lengths))
    frame.insert(1, "time", np.concatenate([np.arange(length) for length in lengths]))
    if y is not None:
        frame["label"] = np.repeat(np.asarray(y), lengths)
    return frame


def _number_sequences(values: NDArray, name: Any, sort: bool) -> tuple[NDArray, NDArray]:
    """Return the ids of the sequences, and for each row the number of its sequence."""
    if len(values) == 0:
        raise ValueError("frame has no rows.")
    if n_missing := int(find_nothing(values).sum()):
        raise ValueError(f"{n_missing} row(s) have no id in {name!r}; drop them, or fill in their ids.")
    ids, numbers = _distinct(values)
    if not sort:
        return ids, numbers
    try:
        order = np.argsort(ids, kind="stable")
    except TypeError as error:
        raise ValueError(f"sort=True cannot order the ids in {name!r}: {error}.") from error
    return ids[order], np.argsort(order)[numbers]


def _distinct(values: NDArray) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the distinct values in order of first appearance, and for each value its number among them."""
    if values.dtype == object:
        seen: dict[Any, int] = {}
        numbers = np.array([seen.setdefault(value, len(seen)) for value in values])
        firsts = np.unique(numbers, return_index=True)[1]
        return values[firsts], numbers
    _, firsts, numbers = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    return values[firsts[order]], np.argsort(order)[numbers]


def _read_times(values: NDArray, name: Any) -> NDArray:
    """Return the times; it is an error if one is missing."""
    if values.dtype.kind not in "mM":
        wide = {"i": np.int64, "u": np.uint64}.get(
            values.dtype.kind
        )  # differences of small integer types would overflow
        if wide is None:
            values = as_floats(values, f"time={name!r}", source=f"frame[{name!r}]", words=TIMES)
        else:
            values = values.astype(wide)
    if n_missing := int((~np.isfinite(values)).sum()):
        raise ValueError(f"{n_missing} row(s) have no finite time in {name!r}; drop them, or leave time out.")
    return values


def _read_feature(values: NDArray, name: Any, firsts: NDArray, lengths: NDArray) -> NDArray:
    """Return the values of all steps as floats; datetimes as seconds since the earliest one of their sequence."""
    if values.dtype.kind == "M":
        values = values - np.repeat(np.fmin.reduceat(values, firsts), lengths)
    if values.dtype.kind == "m":
        return values / np.timedelta64(1, "s")
    return as_floats(values, f"column {name!r}", source=f"frame[{name!r}]")


def _time_deltas(times: NDArray, firsts: NDArray) -> NDArray[np.float64]:
    """Return the time since the last step of the sequence."""
    deltas = np.diff(times, prepend=times[:1])
    deltas[firsts] = 0
    return deltas / np.timedelta64(1, "s") if deltas.dtype.kind == "m" else deltas.astype(np.float64)


def _labels_of_sequences(values: NDArray, name: Any, ids: NDArray, firsts: NDArray, lengths: NDArray) -> NDArray:
    """Return the labels of the sequences, each from any of its rows that has one."""
    numbers = np.full(len(values), -1)
    known = ~find_nothing(values)
    numbers[known] = _distinct(values[known])[1]
    first_known = np.minimum.reduceat(np.where(known, np.arange(len(values)), len(values)), firsts)
    rows = np.where(first_known < len(values), first_known, firsts)
    wrong = known & (numbers != np.repeat(numbers[rows], lengths))
    if wrong.any():
        i = int(np.searchsorted(firsts, np.argmax(wrong), side="right")) - 1
        raise ValueError(f"{name!r} must have one value for each sequence, but {ids[i]} has several.")
    return values[rows]

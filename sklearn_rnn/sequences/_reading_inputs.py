"""Reading a frame, or a dictionary of arrays, of which a row has several inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ._containers import as_array, is_frame, listed
from ._frame_columns import FrameColumns, Groups, check_no_missing, column_of, groups_of, matched
from ._input_times import check_times, place_of, times_of_input
from ._present import all_missing, placeholder, present_rows, renumbered
from ._reading import read_sequences
from ._sequences import Sequences
from ._several import Input, SeveralInputs
from ._shapes import check_not_empty
from ._static import StaticColumn, is_sequences

KNOWN = ("_kind", "n_features_in_", "feature_names_in_")  # attributes that describe one input


def read_inputs(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    max_length: int | None = None,
    gaps: bool = False,
    exact: bool = False,
    origins: Any = None,
    groups: Any = None,
    times: Any = None,
) -> Any:
    """Read an X of one input or of several, and set or check the estimator's attributes that describe it.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets what `read_sequences` sets, with the kind `"inputs"`, and `inputs_`, if there are several inputs.
    X : frame, dict of arrays, or what `read_sequences` takes
        The user's X.
    reset, max_length, gaps, exact
        See `read_sequences`.
    origins : list of ndarray or None
        The origins of a fitted net, one for each input.
    groups : dict or None
        The parameter `inputs`.
    times : str, int, dict or None
        Column with the times of steps; a dictionary has one for each input, by its name.

    Returns
    -------
    sequences : Sequences or SeveralInputs
    """
    origin = None if origins is None else origins[0]
    options: dict[str, Any] = {
        "reset": reset,
        "max_length": max_length,
        "gaps": gaps,
        "exact": exact,
        "times": times,
    }
    _check_rows_of(estimator, X)
    columns = None if isinstance(X, Sequences | SeveralInputs) else FrameColumns.of(X)
    if isinstance(X, SeveralInputs):
        return X.cut(max_length)
    if not reset and getattr(estimator, "_kind", None) == "inputs":
        return _read_known(estimator, _expected(estimator, X, columns), options, origins)
    if reset:
        for name in ("inputs_", "_column", "_columns", "_members", "_inputs"):
            vars(estimator).pop(name, None)
    if columns is None:
        if reset and groups is not None:
            raise ValueError(
                f"inputs={groups!r} names columns, but X has no columns of sequences. Pass a frame, or a dictionary of "
                "arrays, with a column of sequences."
            )
        return read_sequences(estimator, X, origin=origin, **options)
    if reset:
        chosen = groups_of(columns, groups)
        if chosen is None or len(chosen) == 1:
            return _read_one(estimator, X, columns, chosen, options, origin)
        return _read_new(estimator, columns, chosen, options)
    return _read_one(estimator, X, columns, None, options, origin)


def _read_one(
    estimator: Any, X: Any, columns: FrameColumns, chosen: Groups | None, options: dict[str, Any], origin: Any
) -> Sequences:
    """Read the X of one input: a column of sequences, or columns that are its features."""
    if options["reset"] and isinstance(options["times"], dict):
        check_times(options["times"], chosen or {})
        options = options | {"times": next(iter(options["times"].values()), None)}
    if len(columns.values) > 1:
        if is_frame(X) and (options["reset"] or not hasattr(estimator, "_members")):
            check_no_missing(columns)
            return read_sequences(estimator, X, origin=origin, **options)
        if options["reset"]:
            estimator._members = list(columns.values) if chosen is None else next(iter(chosen.values()))
            estimator._columns = list(columns.values)
        elif hasattr(estimator, "_members"):
            columns = matched(estimator._columns, columns, type(estimator).__name__)
        members = getattr(estimator, "_members", None) or list(columns.values)
        check_no_missing(columns)
        parts = [listed(columns.values[name]) or list(columns.values[name]) for name in members]
        rows = [
            np.stack([as_array(x, f"X[{i}]") for x in row], axis=1) for i, row in enumerate(zip(*parts, strict=True))
        ]
        options = options | {"times": place_of(options["times"], members)}
        return read_sequences(estimator, rows, origin=origin, **options)
    (name, column), known = next(iter(columns.values.items())), getattr(estimator, "_column", None)
    if not options["reset"] and known is not None and columns.named and name != known:
        raise ValueError(f"X has the column {name!r}, but {type(estimator).__name__} was fitted on {known!r}.")
    sequences = read_sequences(estimator, column, origin=origin, **options)
    if options["reset"]:
        estimator._column = name if columns.named else None
    return sequences


def _read_new(estimator: Any, columns: FrameColumns, groups: Groups, options: dict[str, Any]) -> SeveralInputs:
    inputs, known = {}, {}
    check_times(options["times"], groups)
    for key, members in groups.items():
        known[key], inputs[key] = _read_input(estimator, key, columns, members, options, None, None)
    _check_rows(inputs)
    vars(estimator).pop("_column", None)
    vars(estimator).pop("feature_names_in_", None)
    estimator._kind, estimator.n_features_in_ = "inputs", len(columns.values)
    if columns.named:
        estimator.feature_names_in_ = np.array(list(columns.values), dtype=object)
    estimator.inputs_, estimator._inputs, estimator._columns = groups, known, list(columns.values)
    return SeveralInputs(inputs, columns.index)


def _read_known(estimator: Any, columns: FrameColumns, options: dict[str, Any], origins: Any) -> SeveralInputs:
    inputs = {}
    for i, (key, members) in enumerate(estimator.inputs_.items()):
        start = None if origins is None else origins[i]
        _, inputs[key] = _read_input(estimator, key, columns, members, options, estimator._inputs[key], start)
    _check_rows(inputs)
    return SeveralInputs(inputs, columns.index)


def _expected(estimator: Any, X: Any, columns: FrameColumns | None) -> FrameColumns:
    """Return the columns of X; it is an error if they are not those of `fit`."""
    name = type(estimator).__name__
    if columns is None and is_frame(X):
        names = list(X.columns)
        columns = FrameColumns(
            {c: column_of(X, c, j) for j, c in enumerate(names)}, all(isinstance(c, str) for c in names)
        )
    if columns is None:
        raise ValueError(
            f"X is {type(X).__name__}, but {name} was fitted on the inputs {list(estimator.inputs_)}, of the columns "
            f"{[c for members in estimator.inputs_.values() for c in members]}."
        )
    return matched(estimator._columns, columns, name)


def _check_rows_of(estimator: Any, X: Any) -> None:
    """Raise an error if a frame or a dictionary has no rows."""
    if is_frame(X):
        n_rows, n_columns = len(X), X.shape[1]
    elif isinstance(X, Mapping):
        n_rows, n_columns = max((len(x) for x in X.values() if hasattr(x, "__len__")), default=1), len(X)
    else:
        return
    if n_rows == 0:
        check_not_empty((n_rows, n_columns), type(estimator).__name__)


def _read_input(
    estimator: Any,
    key: str,
    columns: FrameColumns,
    members: list[Any],
    options: dict[str, Any],
    known: dict[str, Any] | None,
    origin: Any,
) -> tuple[dict[str, Any], Input]:
    """Return what describes an input, and the input."""
    if known is None:
        is_static = not is_sequences(columns.values[members[0]])
    else:
        is_static = known["_kind"] == "static"
        for name in members:
            if is_sequences(columns.values[name]) is is_static and not all_missing(columns.values[name]):
                was, now = ("single values", "sequences") if is_static else ("sequences", "single values")
                raise ValueError(f"X[{name!r}] has {now}, but had {was} in fit.")
    if is_static:
        return _read_static(columns, members, known)
    reader = _stand_in(estimator, known)
    rows, places = present_rows(columns, members)
    if not len(rows) and known is None:
        raise ValueError(f"The input {key!r} is missing in all rows of X. Drop its columns {members}.")
    times = times_of_input(options["times"], key, members) if known is None else known["times"]
    if not len(rows):
        rows = placeholder(known)
    try:
        sequences = read_sequences(reader, rows, origin=origin, **options | {"times": times})
    except (ValueError, TypeError) as error:
        raise type(error)(f"Input {key!r}: {renumbered(str(error), places)}") from error
    described = {name: getattr(reader, name) for name in KNOWN if hasattr(reader, name)} | {"times": times}
    return described, Input(sequences, places)


def _read_static(
    columns: FrameColumns, members: list[Any], known: dict[str, Any] | None
) -> tuple[dict[str, Any], Input]:
    kinds = None if known is None else known["columns"]
    if kinds is None:
        learned = [StaticColumn.of(columns.values[name], name) for name in members]
    else:
        learned = [StaticColumn(*kind) for kind in kinds]
    values = np.stack(
        [column.read(columns.values[name], name) for column, name in zip(learned, members, strict=True)], axis=1
    )
    has = ~np.isnan(values).all(1)
    sizes = tuple(len(c.categories or []) for c in learned), tuple(c.has_missing for c in learned)
    ones = np.ones(len(values), np.int64)
    sequences = Sequences(values[:, None].astype(np.float32), ones, None, "static", static=sizes)
    places = np.where(has, np.arange(len(values)), -1)
    described = {"_kind": "static", "columns": [[c.categories, c.has_missing, c.origin] for c in learned]}
    return described, Input(sequences, places)


def _stand_in(estimator: Any, known: dict[str, Any] | None) -> Any:
    """Return an object of the estimator's name that holds the attributes of one input."""
    reader: Any = type(type(estimator).__name__, (BaseEstimator,), {})()
    vars(reader).update(known or {})
    return reader


def _check_rows(inputs: dict[str, Input]) -> None:
    """Raise an error if a row has no input at all, or if the inputs have different numbers of rows."""
    sizes = {key: len(part.places) for key, part in inputs.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"All inputs must have the same number of rows, got {sizes}.")
    none = np.all([part.places < 0 for part in inputs.values()], axis=0)
    if none.any():
        raise ValueError(f"Row {int(np.argmax(none))} of X has no input: each of {list(inputs)} is missing.")

"""Arrays from the containers of sequences that a user may have: lists, columns and frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, ValuesView
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._list_column import arrow_column
from ._sequences import Kind, float_like

SEVERAL = (
    "SemiSupervisedRNNClassifier, SemiSupervisedRNNRegressor, RNNAutoencoderTransformer and RNNOutlierDetector read "
    "them as several inputs of a row."
)
TIME = re.compile(r"date|time|duration|period")  # beginning of the names of time types in pandas, polars and Arrow
ARRAY_LIKE = ("__array__", "__array_interface__", "__dlpack__", "shape")
SECONDS = (
    "Pass seconds since the start of the sequence as floats: (t - t[0]) / np.timedelta64(1, 's') for an array, "
    "(t - t.iloc[0]).dt.total_seconds() for a pandas column."
)


def arrays_of(X: Any, expected: Kind | None = None, names: Any = None) -> tuple[list[NDArray] | None, Any]:
    """Convert a list, a column or a frame of sequences to arrays.

    Parameters
    ----------
    X : object
        The user's X.
    expected : {"table", "series", "tokens"}, default=None
        Kind of X in `fit`.
    names : ndarray of str, default=None
        Feature names of `fit`, the order of the columns of frames.

    Returns
    -------
    arrays : list of ndarray or None
        One for each sequence; None if X is one array or a frame of numbers.
    named : object
        An object with the feature names: X, or a frame of the list with columns in the order that is used.
    """
    refuse_what_is_no_array(X)
    if is_frame(X):
        return _of_frame(X), X
    values = listed(X)
    if values is None:
        return None, X
    _refuse_text(values)
    nested = [_is_nested(x) for x in values]
    if not all(nested):
        _refuse_elements(values, nested)
        return None, X
    # Nested lists of one length are an array, as in all of scikit-learn, unless the estimator was
    # fitted on a list of arrays.
    plain = isinstance(X, list | tuple) and all(isinstance(x, list | tuple) for x in values)
    if plain and expected not in ("series", "tokens") and len({len(x) for x in values}) == 1:
        return None, X
    values, named = _matched(values, X, names)
    return [as_array(x, f"X[{i}]") for i, x in enumerate(values)], named


def refuse_what_is_no_array(X: Any) -> None:
    """Raise a TypeError that says what to pass, if X is a data set, loader, dictionary or generator."""
    kind = type(X).__name__
    if isinstance(X, Mapping):
        if "input_ids" in X:
            raise TypeError(
                f"X is a tokenizer's {kind}. Pass the token ids of each text without padding: "
                "[np.array(ids)[np.array(mask) == 1] for ids, mask in zip(X['input_ids'], X['attention_mask'])]."
            )
        raise TypeError(
            f"X is a {kind} with keys {[*X][:5]}. Pass a list of arrays: list(X.values()) if each value is a "
            f"sequence, or the value that holds all sequences, such as X[{next(iter(X), 'x')!r}]."
        )
    if kind.endswith("GroupBy"):  # of pandas and polars
        raise TypeError(
            f"X is a {kind}. Pass datasets.from_long_frame(frame, sequence={_key(X)!r}), or, if all columns are "
            "features, [group for _, group in X]."
        )
    if isinstance(X, ValuesView):
        raise TypeError(f"X is a {kind}, not an array. Pass a list of arrays: list(X).")
    if isinstance(X, Iterator):
        raise TypeError(f"X is a {kind}, which can be read only once. Pass a list of arrays: list(X).")
    if hasattr(X, "column_names") and not hasattr(X, "__array__"):
        raise TypeError(f"X is a {kind} with columns {[*X.column_names][:5]}. Pass the column with the sequences.")
    many = isinstance(X, Iterable) or hasattr(X, "__getitem__")
    if not many or isinstance(X, Sequence | str | bytes) or any(hasattr(X, name) for name in ARRAY_LIKE):
        return
    source = "X.dataset" if hasattr(X, "batch_sampler") else "X"
    raise TypeError(
        f"X is a {kind}, not an array. Pass a list of arrays, one for each sequence; "
        f"if items are pairs of sequence and label: [np.asarray(x) for x, _ in {source}]."
    )


def _key(groups: Any) -> Any:
    """Return the name of the column by which a frame was grouped."""
    keys = getattr(groups, "keys", getattr(groups, "by", "id"))  # the first in pandas, the second in polars
    keys = [*keys] if isinstance(keys, list | tuple) else [keys]
    return keys[0] if len(keys) == 1 and isinstance(keys[0], str) else "id"


def detached(x: Any) -> Any:
    """Detach a torch tensor that has a gradient, which numpy cannot read; return all other objects unchanged."""
    return x.detach() if getattr(x, "requires_grad", False) else x


def as_array(x: Any, name: str) -> NDArray:
    """Return an array of numbers, with NaN for missing values."""
    x = detached(x)
    if is_frame(x):
        _refuse_times(x, name)
    elif not isinstance(x, np.ndarray) and TIME.match(str(getattr(x, "dtype", "")).lower()):
        raise ValueError(f"{name} is a column of times ({x.dtype}). {SECONDS}")
    array = unmasked(x) if isinstance(x, np.ma.MaskedArray) else np.asarray(x)
    if array.dtype.kind in "mM":
        raise ValueError(f"{name} is an array of times ({array.dtype}). {SECONDS}")
    if array.dtype.kind in "biufc":
        return array
    try:
        if array.dtype.kind == "O" and array.ndim == 1 and _is_nested(array[0]):  # a list of lists in Arrow or polars
            return np.stack([as_array(step, name) for step in array])
        if hasattr(x, "iloc"):  # pandas' own missing values
            return x.to_numpy(dtype=np.float64, na_value=np.nan)
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        if is_frame(x):
            refuse_text_columns(x, name)
        raise ValueError(f"{name} cannot be read as numbers: {error}") from error


def refuse_text_columns(frame: Any, name: str) -> None:
    """Raise ValueError that names the first column that cannot be read as numbers."""
    for column, values in zip(_types(frame)[0], _columns(frame), strict=True):
        as_array(values, f"{name}[{column!r}]")


def unmasked(x: Any) -> NDArray:
    """Convert a masked array to an array with NaN for masked values."""
    if x.dtype.kind in "mM" or not np.ma.is_masked(x):
        return np.asarray(x)
    return x.astype(float_like(x.dtype)).filled(np.nan)


def is_frame(X: Any) -> bool:
    """Whether X is a frame of pandas or polars, or a table of Arrow."""
    return hasattr(X, "columns") and hasattr(X, "__array__")


def check_frame(X: Any) -> None:
    """Raise an error for a frame with times, and for a panel, whose index has sequences and steps."""
    index: Any = getattr(X, "index", None)
    if getattr(index, "nlevels", 1) > 1 and not index.get_level_values(0).is_unique:
        raise ValueError(
            "X is a frame with several rows for each value of the first level of its index, like a panel with one row "
            "for each step. Convert it to sequences with datasets.from_long_frame(X.reset_index(), sequence=..., "
            "time=...). If each row is a sequence, pass X.reset_index(drop=True)."
        )
    _refuse_times(X, "X")


def times_among(frame: Any) -> list[Any]:
    """Names of the columns of a frame that hold times."""
    return [column for column, kind in zip(*_types(frame), strict=True) if TIME.match(kind)]


def _refuse_times(frame: Any, name: str) -> None:
    if times := times_among(frame):
        raise ValueError(f"{name} has times in the columns {times}. {SECONDS}")


def _types(frame: Any) -> tuple[list[Any], list[str]]:
    """Names and types of the columns."""
    types = frame.dtypes if hasattr(frame, "dtypes") else frame.schema.types
    names = frame.column_names if hasattr(frame, "column_names") else frame.columns
    return list(names), [str(kind).lower() for kind in types]


def _of_frame(X: Any) -> list[NDArray] | None:
    """Return the arrays in a frame whose columns hold series, one column per feature; None for a frame of numbers."""
    check_frame(X)
    names, columns = _types(X)[0], _columns(X)
    nested = [len(column) > 0 and _is_nested(column[0]) for column in columns]
    if not any(nested):
        return None
    if len(names) == 1:
        raise ValueError(f"X is a frame with one column of arrays; pass the column: X[{names[0]!r}].")
    if not all(nested):
        raise ValueError(
            f"X has columns of arrays, {_first_names(names, nested)}, and columns of single values, "
            f"{_first_names(names, [not n for n in nested])}; repeat the single values at each step, or drop them. "
            f"{SEVERAL}"
        )
    return [_columns_as_features(row, i) for i, row in enumerate(zip(*columns, strict=True))]


def _columns(X: Any) -> list[Any]:
    """Return the columns of a frame as arrays; of columns that cannot hold series, only a placeholder."""
    if hasattr(X, "iloc"):
        return [X.iloc[:, j].to_numpy() if kind == "O" else [0] for j, kind in enumerate(_kinds(X))]
    columns = X.get_columns() if hasattr(X, "get_columns") else X.columns
    return [listed(column) or [0] for column in columns]


def _kinds(frame: Any) -> list[str]:
    return [getattr(kind, "kind", "O") for kind in frame.dtypes]


def _first_names(names: list[Any], chosen: list[bool]) -> list[Any]:
    return [name for name, is_chosen in zip(names, chosen, strict=True) if is_chosen][:5]


def _columns_as_features(row: tuple[Any, ...], i: int) -> NDArray:
    """Stack the series in one row of a frame to one array (T, F)."""
    arrays = [as_array(x, f"X[{i}]") for x in row]
    shapes = {x.shape for x in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 1:
        raise ValueError(
            f"The series in row {i} of X must be 1-D and have equal lengths, got {sorted(shapes)}. {SEVERAL}"
        )
    return np.stack(arrays, axis=1)


def listed(X: Any) -> list[Any] | None:
    """Return the elements of a list, or of a column that may hold sequences; None for an array of numbers."""
    if isinstance(X, list | tuple):
        return list(X)
    if isinstance(X, np.ndarray):
        values = X
    elif hasattr(X, "to_pylist") and hasattr(X, "to_numpy"):  # Arrow
        values = X.to_numpy(zero_copy_only=False)
    elif hasattr(X, "to_numpy") and len(getattr(X, "shape", (0,))) == 1:  # pandas, polars
        values = X.to_numpy()
        if values.ndim > 1:
            return list(values)
    elif isinstance(X, Sequence) and not isinstance(X, str | bytes):  # a column of Hugging Face's datasets
        column = arrow_column(X)
        return list(X) if column is None else listed(column)
    else:
        return None
    return list(values) if values.ndim == 1 and values.dtype.kind in "OUT" else None


def _is_nested(x: Any) -> bool:
    return isinstance(x, list | tuple) or getattr(x, "ndim", 0) > 0 or is_frame(x)


def _refuse_text(values: list[Any]) -> None:
    """Raise an error for strings and lists of words that says how to convert them to token ids."""
    if is_words(values):
        what, option = "strings", ""
    elif any(is_words(x) for x in values):
        what, option = "lists of words", "(analyzer=list)"
    else:
        return
    raise ValueError(
        f"X is {what}. Convert them to token ids: put a TokenSequenceVectorizer{option} before the estimator, in a "
        "Pipeline."
    )


def is_words(x: Any) -> bool:
    """Whether x is a list or an array that begins with a string."""
    many = isinstance(x, list | tuple) or (isinstance(x, np.ndarray) and x.ndim == 1)
    return many and len(x) > 0 and isinstance(x[0], str)


def are_words(X: Any) -> bool:
    """Whether X is a list or a column of lists of words."""
    rows = listed(X)
    return any(is_words(row) for row in rows or [])


def _refuse_elements(values: list[Any], nested: list[bool]) -> None:
    """Raise an error for the first element that is not a sequence, unless X is a list of numbers."""
    i = nested.index(False)
    x = values[i]
    if hasattr(x, "ids"):
        raise ValueError(f"X[{i}] is a tokenizer's {type(x).__name__}; pass its ids: [np.array(x.ids) for x in X].")
    if any(nested) or isinstance(x, Mapping):
        raise ValueError(f"X must be a list of arrays; X[{i}] is {type(x).__name__}.")


def _matched(values: list[Any], X: Any, names: Any) -> tuple[list[Any], Any]:
    """Order the columns of all frames in a list as `names` if given, else as in the first frame."""
    frames = [i for i, x in enumerate(values) if is_frame(x)]
    if not frames:
        return values, X
    if len(frames) < len(values):
        array = next(i for i, x in enumerate(values) if not is_frame(x))
        raise ValueError(
            f"X has frames, whose columns are matched by name, and arrays without names: X[{frames[0]}] is "
            f"{type(values[frames[0]]).__name__} with columns {_types(values[frames[0]])[0]}, X[{array}] is "
            f"{type(values[array]).__name__}. Pass frames only, or arrays only."
        )
    first = _types(values[frames[0]])[0]
    order = first if names is None or set(names) != set(first) else list(names)
    values = list(values)
    for i in frames:
        given = _types(values[i])[0]
        if given == order:
            continue
        if len(set(given)) < len(given) or set(given) != set(order):
            raise ValueError(
                f"The feature names should match in all sequences: X[{frames[0]}] has {first}, X[{i}] has {given}."
            )
        values[i] = values[i][order] if hasattr(values[i], "iloc") else values[i].select(order)
    return values, values[frames[0]]

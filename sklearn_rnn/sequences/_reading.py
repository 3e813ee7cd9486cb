"""Reading the user's X, in any form, into `Sequences`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ._containers import arrays_of, as_array, detached, is_frame, refuse_text_columns, unmasked
from ._gaps import with_gaps_of_times
from ._list_column import list_column
from ._misread import warn_of_features_first, warn_of_padding, warn_of_values
from ._positions import positions
from ._sequences import BLOCK, Kind, Pages, Sequences, first_steps, float_like, overlaps, unpadded_lengths
from ._shapes import check_not_empty, check_shape
from ._stored import StoredRows, is_stored

WHAT = {
    "table": "a 2-D array (one value per step, all sequences of one length)",
    "series": "sequences of feature vectors (a 3-D array, or a list of arrays)",
    "tokens": "token ids (a list of 1-D integer arrays)",
}
FRAME = "one frame of numbers (each row is a sequence, with one value per step)"
GAPS = "With gaps=True, estimators read NaN as not seen; preprocessing.SequenceImputer fills gaps."
FEATURES_FIRST = (
    "if features come first in X, as in aeon and sktime, convert it with sklearn_rnn.datasets.from_aeon(X)."
)


def read_sequences(
    estimator: BaseEstimator,
    X: Any,
    *,
    reset: bool,
    max_length: int | None = None,
    gaps: bool = False,
    exact: bool = False,
    values: bool = False,
    doubt: bool = True,
    origin: NDArray[np.float64] | None = None,
    times: Any = None,
) -> Sequences:
    """Read and check X, and set or check the estimator's attributes that describe the input.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets `n_features_in_`, `feature_names_in_` and `_kind` when `reset`.
    X : array-like, list of arrays, Sequences
        See the input table of the README; or sequences that were read with ``exact=True``.
    reset : bool
        True in `fit`.
    max_length : int, default=None
        Longer sequences are cut, with a warning.
    gaps : bool, default=False
        Whether NaN is allowed inside a sequence.
    exact : bool, default=False
        Whether values that float32 would round stay float64. Otherwise they are centred before they are rounded.
    values : bool, default=False
        Whether lists of 1-D integer arrays are values, not token ids, in `fit` too.
    doubt : bool, default=True
        Whether to warn in `fit` if X was probably meant in another way.
    origin : ndarray of shape (F,), default=None
        The origin of a fitted net, which is subtracted before values are rounded; by default it is found in X.
    times : str or int, default=None
        Column with the time of each step, which is replaced by the time since the step before.
    """
    X = detached(X)
    sequences = X if isinstance(X, Sequences) else _read(estimator, X, reset, gaps, exact, values, doubt, times)
    sequences = replace(sequences, gaps=gaps and sequences.kind != "tokens")
    if reset:
        estimator._kind = sequences.kind
        estimator.n_features_in_ = _width(sequences)
    else:
        _check_known(estimator, sequences, is_frame(X))
    names = getattr(estimator, "feature_names_in_", None) if sequences.kind == "series" else None
    return sequences.cut(max_length).centred(origin, names)


def _read(
    estimator: BaseEstimator, X: Any, reset: bool, gaps: bool, exact: bool, values: bool, doubt: bool, times: Any
) -> Sequences:
    expected: Kind | None = None if reset else estimator._kind
    if not exact and (sequences := _read_stored(estimator, X, reset, gaps, doubt, expected)) is not None:
        if times is not None:
            raise ValueError(
                "A column of times needs an X in memory. Pass X[:], or the gaps between steps as a feature."
            )
        return sequences
    arrays, named = arrays_of(X, expected, None if reset else getattr(estimator, "feature_names_in_", None))
    validate_data(estimator, named, reset=reset, skip_check_array=True, ensure_2d=False)
    if expected == "table" and arrays is not None and len({x.shape for x in arrays}) == 1 and arrays[0].ndim == 1:
        X, arrays = np.stack(arrays), None
    doubt, name, index = reset and doubt, type(estimator).__name__, getattr(X, "index", None)
    column = None
    if times is not None:
        X, arrays, column = _timed(estimator, X, arrays, times)
    if arrays is None:
        sequences = _read_grid(X, name, gaps, exact, doubt)
    else:
        sequences = _read_list(arrays, name, "series" if values else expected, gaps, exact, doubt)
    return replace(sequences, index=index if hasattr(X, "iloc") else None, times=column)


def _timed(estimator: BaseEstimator, X: Any, arrays: Any, times: Any) -> tuple[Any, Any, int]:
    """Replace the times in X or in its arrays by gaps, and return the position of their column too."""
    if arrays is None:
        X = as_array(X, "X")
        n = X.shape[2] if X.ndim == 3 else 0
    else:
        n = min((x.shape[1] if x.ndim == 2 else 0 for x in arrays), default=0)
    if n < 2:
        raise ValueError(
            f"times={times!r} names a column with the time of each step, so each step of X needs two columns or more: "
            "pass an array (n, T, F) or a list of (T_i, F) arrays or frames."
        )
    (column,) = positions(times, getattr(estimator, "feature_names_in_", None), n, "times")
    if arrays is None:
        return with_gaps_of_times(X, column, times), None, column
    return X, with_gaps_of_times(arrays, column, times), column


def _read_stored(
    estimator: BaseEstimator, X: Any, reset: bool, gaps: bool, doubt: bool, expected: Kind | None
) -> Sequences | None:
    """Check an X that is not in memory, block by block, and leave it there; None if X is another one."""
    name = type(estimator).__name__
    column = None if expected == "table" else list_column(X)
    if column is None and not is_stored(X):
        return None
    validate_data(estimator, X, reset=reset, skip_check_array=True, ensure_2d=False)
    if column is None:
        return _read_rows(X, name, gaps, reset and doubt)
    values, lengths = column
    _check_lengths(lengths, name)
    starts = first_steps(lengths)
    _check_steps(values, starts, gaps)
    source = None if float_like(values.dtype) == np.float32 else values
    return Sequences(values, lengths, starts, "series", source=source)


def _read_rows(X: Any, name: str, gaps: bool, doubt: bool) -> Sequences:
    if len(X.shape) >= 3:
        check_shape(X.shape, name)
    head = np.asarray(X[:1]) if all(X.shape) else np.empty(X.shape)
    as_array(head, "X")
    check_array(head, allow_nd=True, ensure_all_finite=False, input_name="X", estimator=name)
    kind: Kind = "table" if len(X.shape) == 2 else "series"
    if doubt:
        warn_of_padding(X) if kind == "table" else warn_of_features_first(X)
    rows = StoredRows(X)
    lengths = np.full(rows.shape[0], rows.shape[1], dtype=np.int64)
    sequences = Sequences(rows, lengths, None, kind, source=None if float_like(rows.dtype) == np.float32 else rows)
    return replace(sequences, lengths=_check_grid(sequences, gaps))


def _check_known(estimator: BaseEstimator, sequences: Sequences, of_frame: bool) -> None:
    """Raise an error if the kind or the width of X is not that of `fit`."""
    name, n_features = type(estimator).__name__, estimator.n_features_in_
    if estimator._kind != sequences.kind:
        what, hint = FRAME if of_frame and sequences.kind == "table" else WHAT[sequences.kind], ""
        if estimator._kind == "series" and sequences.values.shape[1:] == (n_features, 1):
            hint = " For one sequence, pass [X]." if of_frame else " For one sequence, pass X[np.newaxis] or [X]."
        raise ValueError(f"X is {what}, but {name} was fitted on {WHAT[estimator._kind]}.{hint}")
    if _width(sequences) != n_features:
        first = sequences.kind == "series" and sequences.starts is None and sequences.values.shape[1] == n_features
        raise ValueError(
            f"X has {_width(sequences)} features, but {name} is expecting {n_features} features as input."
            + (f" Its shape is {sequences.values.shape}; {FEATURES_FIRST}" if first else "")
        )


def _width(sequences: Sequences) -> int:
    return int(sequences.lengths[0]) if sequences.kind == "table" else sequences.n_features


def _read_grid(X: Any, name: str, gaps: bool, exact: bool, doubt: bool) -> Sequences:
    if hasattr(X, "shape") and len(X.shape) >= 3:
        check_shape(X.shape, name)
    if isinstance(X, np.ma.MaskedArray):
        X = unmasked(X)
    if isinstance(X, np.ndarray) and X.dtype.kind in "mM":
        as_array(X, "X")
    if issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required. Use '.toarray()' to convert to a dense numpy "
            "array; for text, use TokenSequenceVectorizer."
        )
    pages = Pages.behind(X)
    if is_frame(X):
        refuse_text_columns(X, "X")
    X = check_array(X, allow_nd=True, ensure_all_finite=False, input_name="X", estimator=name)
    kind: Kind = "table" if X.ndim == 2 else "series"
    if X.ndim >= 3:
        check_shape(X.shape, name)
    if doubt:
        warn_of_padding(X) if kind == "table" else warn_of_features_first(X)
    given = grid = X.reshape(*X.shape, 1) if kind == "table" else X
    if pages is None and not overlaps(grid):
        with np.errstate(over="ignore"):
            grid = grid.astype(float_like(grid.dtype) if exact else np.float32, copy=False)
    full = np.full(len(grid), grid.shape[1], dtype=np.int64)
    source = None if exact or float_like(given.dtype) == np.float32 else given
    sequences = Sequences(grid, full, None, kind, pages, source=source)
    return replace(sequences, lengths=_check_grid(sequences, gaps))


def _read_list(
    arrays: list[NDArray], name: str, expected: Kind | None, gaps: bool, exact: bool, doubt: bool
) -> Sequences:
    check_not_empty((len(arrays),), name)
    lengths = np.array([len(x) for x in arrays], dtype=np.int64)
    _check_lengths(lengths, name)
    dims = sorted({x.ndim for x in arrays})
    if len(dims) > 1 or dims[0] > 2:
        raise ValueError(f"X must be a list of (T_i, F) or (T_i,) arrays, got arrays with {dims} dimensions.")
    starts = first_steps(lengths)
    if "c" in (kinds := [x.dtype.kind for x in arrays]):
        i = kinds.index("c")
        raise ValueError(f"Complex data not supported\nX[{i}] has dtype {arrays[i].dtype}.")
    if dims == [1]:
        if expected != "series" and set(kinds) <= {"i", "u"}:
            return _read_tokens(arrays, lengths, starts, doubt)
        arrays = [x[:, None] for x in arrays]
    widths = sorted({x.shape[1] for x in arrays})
    if len(widths) > 1:
        same_length = len(set(lengths.tolist())) == 1
        raise ValueError(
            f"All sequences must have the same number of features, got {widths}."
            + (f" All have {lengths[0]} steps; {FEATURES_FIRST}" if same_length else "")
        )
    if widths[0] == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={arrays[0].shape}) while a minimum of 1 is required by {name}."
        )
    wide = float_like(np.result_type(*{x.dtype for x in arrays}))
    dtype = wide if exact else np.float32
    with np.errstate(over="ignore"):
        values = np.empty((lengths.sum(), widths[0]), dtype)  # in C order, whatever the order of the arrays
        np.concatenate(arrays, out=values, casting="unsafe")
    _check_steps(values, starts, gaps)
    return Sequences(values, lengths, starts, "series", source=None if wide == dtype else arrays)


def _check_lengths(lengths: NDArray, name: str) -> None:
    if not lengths.all():
        i = int(np.argmin(lengths))
        raise ValueError(f"X[{i}] has 0 time step(s) while a minimum of 1 is required by {name}.")


def _check_steps(values: Any, starts: NDArray, gaps: bool) -> None:
    """Raise an error for the first step (F,) of all that is not finite; NaN is allowed if there may be gaps."""
    for first in range(0, len(values), BLOCK):
        with np.errstate(over="ignore"):
            block = values[first : first + BLOCK].astype(np.float32, copy=False)
        if not _finite(block) and (wrong := _bad_steps(block, gaps)).any():
            step = first + int(np.argmax(wrong))
            i = int(np.searchsorted(starts, step, side="right")) - 1
            _refuse(block[step - first], i, step - int(starts[i]))


def _read_tokens(arrays: list[NDArray], lengths: NDArray, starts: NDArray, doubt: bool) -> Sequences:
    ids = np.concatenate(arrays, dtype=np.int64, casting="unsafe")
    if ids.min() < 0:
        step = int(np.argmax(ids < 0))
        i = int(np.searchsorted(starts, step, side="right")) - 1
        value = arrays[i][step - starts[i]]
        if value > 0:
            raise ValueError(f"Token ids must be below 2**63: X[{i}] has {value} at step {step - starts[i]}.")
        raise ValueError(
            f"Token ids must not be negative: X[{i}] has {value} at step {step - starts[i]}. Lists of 1-D integer "
            "arrays are token ids; if they are values, pass floats: [x.astype(float) for x in X]."
        )
    if doubt:
        warn_of_values(ids, lengths)
    return Sequences(ids, lengths, starts, "tokens")


def _check_grid(sequences: Sequences, gaps: bool) -> NDArray:
    """Return the lengths of the rows of a grid: the number of steps before the final steps that are all NaN."""
    lengths = sequences.lengths.copy()
    for rows in sequences.blocks():
        with np.errstate(over="ignore"):
            block, _ = sequences.batch(rows)
        if _finite(block):
            continue
        if sequences.kind == "series":
            lengths[rows] = ends = unpadded_lengths(block)
            if not ends.all() and not gaps:
                raise ValueError(f"Input X contains NaN.\nAll steps of X[{rows[np.argmin(ends)]}] are NaN. {GAPS}")
            lengths[rows[ends == 0]] = block.shape[1]  # a row without values is one gap
        inside = np.arange(block.shape[1]) < lengths[rows, None]
        bad = inside & _bad_steps(block, gaps)
        if bad.any():
            i, step = (int(k) for k in np.argwhere(bad)[0])
            _refuse(block[i, step], int(rows[i]), step)
    return lengths


def _finite(block: NDArray) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(block.sum())) or bool(np.isfinite(block).all())


def _bad_steps(block: NDArray, gaps: bool) -> NDArray[np.bool_]:
    return np.isinf(block).any(-1) if gaps else ~np.isfinite(block).all(-1)


def _refuse(values: NDArray, i: int, step: int) -> None:
    if not np.isinf(values).any():
        raise ValueError(f"Input X contains NaN.\nX[{i}] has NaN at step {step}. {GAPS}")
    raise ValueError(
        f"Input X contains infinity or a value too large for dtype('float32').\nX[{i}] has it at step {step}."
    )

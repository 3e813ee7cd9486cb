"""Whatever the user has as X, read into `Sequences`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ._sequences import BLOCK, Kind, Pages, Sequences, first_steps, float_like, own_ends

WHAT = {
    "table": "a 2-D array (one value per step, all of one length)",
    "series": "sequences of feature vectors (a 3-D array, or a list of arrays)",
    "tokens": "token ids (a list of 1-D integer arrays)",
}


def read_sequences(
    estimator: BaseEstimator,
    X: Any,
    *,
    reset: bool,
    max_length: int | None = None,
    gaps: bool = False,
    exact: bool = False,
    origin: NDArray[np.float64] | None = None,
) -> Sequences:
    """Read and check X, and set or check what the estimator knows of its input.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets `n_features_in_`, `feature_names_in_` and `_kind` when `reset`.
    X : array-like, list of arrays
        See the input table of the README.
    reset : bool
        True in `fit`.
    max_length : int, default=None
        Longer sequences are cut.
    gaps : bool, default=False
        Whether NaN may be inside a sequence.
    exact : bool, default=False
        Whether values that float32 would round are kept in float64. Otherwise they are centred before.
    origin : ndarray of shape (F,), default=None
        What a net that is fitted subtracts before values are rounded; found in X by default.
    """
    expected = None if reset else estimator._kind
    validate_data(estimator, X, reset=reset, skip_check_array=True, ensure_2d=False)
    sequences = _read(X, type(estimator).__name__, expected, gaps, exact)
    if reset:
        estimator._kind = sequences.kind
        estimator.n_features_in_ = _width(sequences)
    elif expected != sequences.kind:
        raise ValueError(
            f"X is {WHAT[sequences.kind]}, but {type(estimator).__name__} was fitted on {WHAT[estimator._kind]}."
        )
    elif _width(sequences) != estimator.n_features_in_:
        raise ValueError(
            f"X has {_width(sequences)} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    names = getattr(estimator, "feature_names_in_", None) if sequences.kind == "series" else None
    return sequences.cut(max_length).centred(origin, names)


def _width(sequences: Sequences) -> int:
    return sequences.values.shape[1] if sequences.kind == "table" else sequences.n_features


def _read(X: Any, name: str, expected: Kind | None, gaps: bool, exact: bool) -> Sequences:
    arrays = _as_arrays(X, expected)
    if arrays is not None:
        return _read_list(arrays, name, gaps, exact)
    if hasattr(X, "shape") and len(X.shape) >= 3:
        _check_shape(X.shape, name)
    pages = Pages.behind(X)
    X = check_array(X, allow_nd=True, ensure_all_finite=False, input_name="X", estimator=name)
    kind: Kind = "table" if X.ndim == 2 else "series"
    if X.ndim >= 3:
        _check_shape(X.shape, name)
    given = grid = X.reshape(*X.shape, 1) if kind == "table" else X
    if pages is None:
        with np.errstate(over="ignore"):
            grid = grid.astype(float_like(grid.dtype) if exact else np.float32, copy=False)
    full = np.full(len(grid), grid.shape[1], dtype=np.int64)
    source = None if exact or float_like(given.dtype) == np.float32 else given
    sequences = Sequences(grid, full, None, kind, pages, source=source)
    return replace(sequences, lengths=_check_grid(sequences, gaps))


def _check_shape(shape: tuple[int, ...], name: str) -> None:
    if len(shape) > 3:
        raise ValueError(f"Found array with dim {len(shape)}, while dim <= 3 is required by {name}.")
    for size, what in zip(shape, ("sample(s)", "time step(s)", "feature(s)"), strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {what} (shape={tuple(shape)}) while a minimum of 1 is required by {name}."
            )


def _as_arrays(X: Any, expected: Kind | None) -> list[NDArray] | None:
    """Return the arrays of a list or an object array of arrays; None where X is one array."""
    if hasattr(X, "to_numpy") and getattr(X, "ndim", 2) == 1:  # a pandas column of arrays
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and X.dtype.kind in "OUT" and X.ndim == 1:
        X = list(X)
    if not isinstance(X, list | tuple):
        if hasattr(X, "iloc") and X.shape[1] == 1 and len(X) and np.ndim(X.iloc[0, 0]) > 0:
            raise ValueError(f"X is a frame with one column of arrays; pass the column: X[{X.columns[0]!r}].")
        return None
    if len(X) and isinstance(X[0], str):
        raise ValueError(
            "X is strings. A TokenSequenceVectorizer before the estimator, in a Pipeline, makes token ids of documents."
        )
    if all(hasattr(x, "__array__") and getattr(x, "ndim", 0) > 0 for x in X):
        return [np.asarray(x) for x in X]
    nested = [isinstance(x, list | tuple) or getattr(x, "ndim", 0) > 0 for x in X]
    if not all(nested):
        if any(nested):
            i = nested.index(False)
            raise ValueError(f"X must be a list of arrays; X[{i}] is {type(X[i]).__name__}.")
        return None
    # Nested lists of one length are an array, as everywhere in scikit-learn, except where the
    # estimator was fitted on a list of arrays.
    ragged = len({len(x) for x in X}) > 1
    return [np.asarray(x) for x in X] if ragged or expected in ("series", "tokens") else None


def _read_list(arrays: list[NDArray], name: str, gaps: bool, exact: bool) -> Sequences:
    if not arrays:
        raise ValueError(f"Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is required by {name}.")
    lengths = np.array([len(x) for x in arrays], dtype=np.int64)
    if not lengths.all():
        i = int(np.argmin(lengths))
        raise ValueError(f"X[{i}] has 0 time step(s) while a minimum of 1 is required by {name}.")
    dims = sorted({x.ndim for x in arrays})
    if len(dims) > 1 or dims[0] > 2:
        raise ValueError(f"X must be a list of (T_i, F) or of (T_i,) arrays, got arrays with {dims} dimensions.")
    starts = first_steps(lengths)
    if any(x.dtype.kind not in "biuf" for x in arrays):
        bad = next(i for i, x in enumerate(arrays) if x.dtype.kind not in "biuf")
        if arrays[bad].dtype.kind == "c":
            raise ValueError(f"Complex data not supported\nX[{bad}] has dtype {arrays[bad].dtype}.")
        arrays = [x.astype(np.float64) for x in arrays]
    if dims == [1]:
        whole = [x.dtype.kind in "iu" for x in arrays]
        if all(whole):
            return _read_tokens(arrays, lengths, starts)
        if any(whole):
            raise ValueError(
                f"X mixes integer arrays (token ids) and float arrays (values): X[{whole.index(True)}] is "
                f"{arrays[whole.index(True)].dtype}, X[{whole.index(False)}] is {arrays[whole.index(False)].dtype}."
            )
        arrays = [x[:, None] for x in arrays]
    widths = sorted({x.shape[1] for x in arrays})
    if len(widths) > 1:
        raise ValueError(f"All sequences must have the same number of features, got {widths}.")
    if widths[0] == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={arrays[0].shape}) while a minimum of 1 is required by {name}."
        )
    wide = float_like(np.result_type(*{x.dtype for x in arrays}))
    dtype = wide if exact else np.float32
    with np.errstate(over="ignore"):
        values = np.concatenate(arrays, dtype=dtype, casting="unsafe")
    for first in range(0, len(values), BLOCK):
        with np.errstate(over="ignore"):
            block = values[first : first + BLOCK].astype(np.float32, copy=False)
        if not _finite(block) and (wrong := _bad_steps(block, gaps)).any():
            step = first + int(np.argmax(wrong))
            i = int(np.searchsorted(starts, step, side="right")) - 1
            _refuse(block[step - first], i, step - int(starts[i]))
    return Sequences(values, lengths, starts, "series", source=None if wide == dtype else arrays)


def _read_tokens(arrays: list[NDArray], lengths: NDArray, starts: NDArray) -> Sequences:
    ids = np.concatenate(arrays).astype(np.int64, copy=False)
    if ids.min() < 0:
        step = int(np.argmax(ids < 0))
        i = int(np.searchsorted(starts, step, side="right")) - 1
        raise ValueError(f"Token ids must not be negative: X[{i}] has {ids[step]} at step {step - starts[i]}.")
    return Sequences(ids, lengths, starts, "tokens")


def _check_grid(sequences: Sequences, gaps: bool) -> NDArray:
    """Return the lengths of the rows of a grid: steps before a tail that is all NaN."""
    lengths = sequences.lengths.copy()
    for rows in sequences.blocks():
        with np.errstate(over="ignore"):
            block, _ = sequences.batch(rows)
        if _finite(block):
            continue
        if sequences.kind == "series":
            lengths[rows] = own_ends(block)
            if not lengths[rows].all():
                i = int(rows[np.argmin(lengths[rows])])
                raise ValueError(f"Input X contains NaN.\nX[{i}] has no step that is not NaN.")
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
        raise ValueError(f"Input X contains NaN.\nX[{i}] has NaN at step {step}.")
    raise ValueError(
        f"Input X contains infinity or a value too large for dtype('float32').\nX[{i}] has it at step {step}."
    )
